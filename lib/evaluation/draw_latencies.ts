import { deriveKey, fillNormal } from "../engine/_philox.ts";

/** What {@linkcode drawLatencies} draws from. */
export interface LatencyDistribution {
  /** Median, ms. */
  readonly p50: number;
  /** 95th percentile, ms, at least the median; equal to it all latencies are the same. */
  readonly p95: number;
  /** Seed, 0 … 2⁵³ − 1. */
  readonly seed: number;
  /** Name of the stage: other names give independent latencies of the same seed. */
  readonly stage: string;
  /**
   * How many.
   * @default {1000}
   */
  readonly count?: number;
}

/** 95th percentile of the standard normal distribution. */
const P95 = 1.6448536269514722;

/**
 * Latencies of a stage that nobody has measured: log-normal, as those of programs are, with many near
 * the median and a few much longer. The same seed and name give the same numbers.
 *
 * @param distribution median, 95th percentile, seed, name
 * @returns `(count,)` ms
 * @throws {RangeError} when a percentile is not positive, they are out of order, or `count` is no
 * whole number
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { drawLatencies, latencySummary } from "./mod.ts";
 *
 * const drawn = drawLatencies({ p50: 15, p95: 25, seed: 1, stage: "action", count: 20_000 });
 * const { p50, p95 } = latencySummary(drawn);
 * assert(Math.abs(p50 - 15) < 0.2 && Math.abs(p95 - 25) < 0.5);
 * ```
 */
export function drawLatencies(distribution: LatencyDistribution): Float64Array {
  const { p50, p95, seed, stage, count = 1000 } = distribution;
  if (!(p50 > 0 && p95 >= p50 && Number.isFinite(p95))) {
    throw new RangeError(
      `Cannot draw latencies of ${stage}: the 95th percentile must be at least the median, and both ` +
        `above 0 ms, current value is ${p95} and ${p50}.`,
    );
  }
  if (!(Number.isSafeInteger(count) && count >= 0)) {
    throw new RangeError(
      `Cannot draw latencies of ${stage}: count must be a whole number, current value is ${count}.`,
    );
  }
  const normal = new Float32Array(count);
  fillNormal(normal, deriveKey(seed, `latency of ${stage}`), 0);
  const spread = Math.log(p95 / p50) / P95;
  return Float64Array.from(normal, (value) => p50 * Math.exp(spread * value));
}
