import type { FeaturePlan, PlanItem } from "./plan.ts";

/**
 * Features that are always computed together, so that their last digits are the same whoever makes
 * which of them: neighbours of equal cost. The dearest come first, because they say how much memory is
 * needed, and so that several processes end at the same time.
 */
export function groupsOf({ items, extractor }: FeaturePlan): readonly (readonly PlanItem[])[] {
  const { together = 1 } = extractor;
  const byCost = Map.groupBy(items, ({ cost }) => cost);
  const groups: PlanItem[][] = [];
  for (const cost of [...byCost.keys()].sort((a, b) => b - a)) {
    const equal = byCost.get(cost)!;
    for (let i = 0; i < equal.length; i += together) groups.push(equal.slice(i, i + together));
  }
  return groups;
}

/** Tokens that are computed for some features. */
export function costOf(items: readonly PlanItem[]): number {
  return items.reduce((sum, { cost }) => sum + cost, 0);
}
