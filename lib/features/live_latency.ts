import { reuseCount } from "../datasets/vision_reuse.ts";
import { quantileSorted } from "../datasets/quantile.ts";
import type { FeatureExtractor, FeatureRequest } from "./extractor.ts";

/** How long a feature takes that is made when it is needed. */
export interface LiveLatency {
  /** Measured features. */
  readonly runs: number;
  /** Median from images to feature, ms. */
  readonly p50: number;
  /** 95th percentile, ms. */
  readonly p95: number;
  /** Latency to reckon with, ms: the 95th percentile and a tenth more. */
  readonly planned: number;
  /** Actions of 100 ms that one feature must serve, R: whole periods, rounded up. */
  readonly reuse: number;
}

/** How a latency is measured. */
export interface LiveLatencyOptions {
  /** Features that are measured, after one that is not; default 8. */
  readonly runs?: number;
  /** Stops between features. */
  readonly signal?: AbortSignal;
}

const RUNS = 8, HEADROOM = 1.1;

/**
 * Measures how long an extractor takes for one feature at a time, as a robot at work asks for them, and
 * how many actions each must then serve. The model is loaded before.
 *
 * @param extractor of the features
 * @param requests taken in turn, at least one
 * @param options how often
 * @returns latency and reuse count
 * @throws {RangeError} without a request
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { measureLatency, pixel2048 } from "./mod.ts";
 *
 * const request = { views: [{ name: "View1", image: null }], instruction: "Insert." };
 * const { runs, reuse } = await measureLatency(pixel2048({ views: ["View1"] }), [request]);
 * assert(runs === 8 && reuse >= 1);
 * ```
 */
export async function measureLatency(
  extractor: FeatureExtractor,
  requests: readonly FeatureRequest[],
  { runs = RUNS, signal }: LiveLatencyOptions = {},
): Promise<LiveLatency> {
  if (requests.length === 0 || runs < 1) {
    throw new RangeError(
      `Cannot measure the latency of ${extractor.name}: there should be a request and a run, current ` +
        `value is ${requests.length} and ${runs}.`,
    );
  }
  await extractor.prepare?.();
  const times: number[] = [];
  for (let run = 0; run <= runs; run++) {
    signal?.throwIfAborted();
    const start = performance.now();
    await extractor.extract([requests[run % requests.length]!]);
    times.push(performance.now() - start);
  }
  const sorted = Float64Array.from(times.slice(1)).sort(); // the first may have compiled
  const p95 = quantileSorted(sorted, 0.95), planned = HEADROOM * p95;
  return { runs, p50: quantileSorted(sorted, 0.5), p95, planned, reuse: reuseCount(planned) };
}
