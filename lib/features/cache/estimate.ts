import { extractAll } from "./_extract.ts";
import { costsOf, TimeModel } from "./_time_model.ts";
import type { FeatureFailure, FeaturePlan, PlanItem } from "./plan.ts";

/** How long building may take. */
export interface BuildEstimate {
  /** Wall time in one process. */
  readonly seconds: number;
  /** Features that were made to measure it. */
  readonly measured: number;
}

/** Features made together, spread over the plan. */
const SAMPLE = 16;
/** Where a feature takes longer, s, few are made. */
const LONG = 2;

/**
 * Says how long building will take, by making a few of the features and storing none: loading the model,
 * compiling it for each cost, and computing. A feature of the most tokens comes first, which waits for
 * all that is compiled; where one takes seconds after that, only one of the fewest tokens is made beside
 * it, else several spread over the plan. What was not compiled for is made twice.
 *
 * @param plan which features
 * @param missing those that are to be built, of `missingFeatures`
 * @returns the time, linear in features and tokens; undefined where nothing is missing or could be made
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { estimateBuild, pixel2048, planFeatures } from "../mod.ts";
 *
 * const plan = await planFeatures([], pixel2048(), Deno.makeTempDirSync());
 * assert.equal(await estimateBuild(plan, plan.items), undefined);
 * ```
 */
export async function estimateBuild(
  plan: FeaturePlan,
  missing: readonly PlanItem[],
): Promise<BuildEstimate | undefined> {
  if (missing.length === 0) return undefined;
  const time = new TimeModel(), made = new Set<PlanItem>();
  const measure = async (items: readonly PlanItem[]) => {
    const failures: FeatureFailure[] = []; // building tells them
    const start = performance.now();
    const { length } = await extractAll(plan, items, failures);
    time.add(items.slice(0, length), (performance.now() - start) / 1000);
    items.slice(0, length).forEach((item) => made.add(item));
  };
  const start = performance.now();
  await plan.extractor.prepare?.();
  const loading = (performance.now() - start) / 1000;
  const byCost = missing.toSorted((a, b) => b.cost - a.cost), fewest = byCost.at(-1)!;
  for (const item of byCost.slice(0, SAMPLE)) {
    if (made.size === 0) await measure([item]); // its images may be damaged
  }
  const [first] = made;
  if (first === undefined) return undefined;
  if (time.each > LONG) await measure([first]);
  const isSlow = time.each > LONG;
  const some = !isSlow ? spread(missing, first) : fewest.cost === first.cost ? [] : [fewest];
  for (const group of Map.groupBy(some, ({ cost }) => cost).values()) {
    if (!time.has(group[0]!.cost)) await measure(group.slice(0, 1));
    await measure(group);
  }
  const costs = costsOf(missing);
  const seconds = loading + time.first + time.seconds(costs, costs.size - 1);
  return { seconds, measured: made.size };
}

/** Items from all over the plan, without the one that is known. */
function spread(items: readonly PlanItem[], known: PlanItem): PlanItem[] {
  const others = items.filter((item) => item !== known);
  const step = Math.max(1, Math.ceil(others.length / SAMPLE));
  return others.filter((_, i) => i % step === 0);
}
