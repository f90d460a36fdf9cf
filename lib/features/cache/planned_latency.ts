import { type LiveLatency, type LiveLatencyOptions, measureLatency } from "../live_latency.ts";
import { loadRequest } from "./_request.ts";
import type { FeaturePlan } from "./plan.ts";

/** Observations that are looked at in turn. */
const REQUESTS = 4;

/**
 * Measures how long the features of a plan take one at a time, on those of the most tokens, which
 * decide how often new ones can come.
 *
 * @param plan which features
 * @param options how often
 * @returns latency and reuse count; undefined where the plan is empty
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { pixel2048, planFeatures, plannedLatency } from "../mod.ts";
 *
 * const plan = await planFeatures([], pixel2048(), Deno.makeTempDirSync());
 * assert.equal(await plannedLatency(plan), undefined);
 * ```
 */
export async function plannedLatency(
  plan: FeaturePlan,
  options: LiveLatencyOptions = {},
): Promise<LiveLatency | undefined> {
  if (plan.items.length === 0) return undefined;
  const dearest = plan.items.toSorted((a, b) => b.cost - a.cost).slice(0, REQUESTS);
  const images = new Map<string, Uint8Array>();
  const requests = dearest.map((item) => loadRequest(plan, item, images));
  return await measureLatency(plan.extractor, requests, options);
}
