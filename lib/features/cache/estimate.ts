import { extractAll } from "./_extract.ts";
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
/** A first feature that took longer, s, is measurement enough. */
const LONG = 2;

/**
 * Says how long building will take, by making a few of the features and storing none. The first is
 * made alone, because it waits for a model to load; where it takes seconds no other is made.
 *
 * @param plan which features
 * @param missing those that are to be built, of `missingFeatures`
 * @returns the time, in proportion to tokens; undefined where nothing is missing or could be made
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
  const tokens = missing.reduce((sum, item) => sum + item.tokens, 0);
  const step = Math.max(1, Math.ceil(missing.length / (SAMPLE + 1)));
  const [first, ...others] = missing.filter((_, i) => i % step === 0);
  if (first === undefined) return undefined;
  const alone = await measure(plan, [first]);
  const isEnough = others.length === 0 || (alone !== undefined && alone.time > LONG);
  const found = isEnough ? alone : await measure(plan, others);
  return found && { seconds: found.time / found.tokens * tokens, measured: found.count };
}

/** Seconds to make some features, with reading their images; undefined where none could be made. */
async function measure(plan: FeaturePlan, items: readonly PlanItem[]) {
  const failures: FeatureFailure[] = []; // building tells them
  const start = performance.now();
  const made = await extractAll(plan, items, failures);
  const time = (performance.now() - start) / 1000;
  if (made.length === 0) return undefined;
  const tokens = made.reduce((sum, { feature }) => sum + feature.tokens, 0);
  return { time, tokens, count: made.length };
}
