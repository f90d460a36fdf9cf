import { extractAll } from "./_extract.ts";
import { costOf } from "./_groups.ts";
import { TimeModel } from "./_time_model.ts";
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
 * Says how long building will take, by making a few of the features and storing none. A model is loaded
 * before, and the first feature is made alone, because it waits for compilers; where it takes seconds,
 * one more is made of the most and of the fewest tokens.
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
  const step = Math.max(1, Math.ceil(missing.length / (SAMPLE + 1)));
  const [first, ...others] = missing.filter((_, i) => i % step === 0);
  if (first === undefined) return undefined;
  await plan.extractor.prepare?.();
  const time = new TimeModel();
  let measured = 0;
  const measure = async (items: readonly PlanItem[]) => {
    const failures: FeatureFailure[] = []; // building tells them
    const start = performance.now();
    const { length } = await extractAll(plan, items, failures);
    const seconds = (performance.now() - start) / 1000;
    time.add(length, costOf(items) * length / items.length, seconds);
    return { length, seconds };
  };
  const alone = await measure([first]);
  const isSlow = alone.seconds > LONG;
  const some = isSlow ? ends(missing).map((item) => [item]) : [...groupsOfCost(others)];
  for (const items of some) measured += (await measure(items)).length;
  measured ||= alone.length;
  const seconds = time.seconds(missing.length, costOf(missing));
  return measured === 0 ? undefined : { seconds, measured };
}

/** An item of the most tokens, and one of the fewest where that is another number. */
function ends(items: readonly PlanItem[]): PlanItem[] {
  const sorted = items.toSorted((a, b) => b.cost - a.cost);
  const most = sorted[0]!, fewest = sorted.at(-1)!;
  return fewest.cost === most.cost ? [most] : [most, fewest];
}

function groupsOfCost(items: readonly PlanItem[]): Iterable<readonly PlanItem[]> {
  return Map.groupBy(items, ({ cost }) => cost).values();
}
