import { quantileSorted } from "../datasets/quantile.ts";

/** Latencies of one stage, ms. */
export interface LatencySummary {
  /** How many were measured. */
  readonly count: number;
  /** Arithmetic mean. */
  readonly mean: number;
  /** Median. */
  readonly p50: number;
  /** 95th percentile, by linear interpolation. */
  readonly p95: number;
  /** 99th percentile. */
  readonly p99: number;
  /** Largest. */
  readonly max: number;
}

/**
 * Percentiles of latencies. The first calls compile and fill caches: they are left out, because they
 * are another thing than the calls of a running system.
 *
 * @param milliseconds `(n,)` in the order of the calls
 * @param options `warmUp`: calls left out at the start, default 3
 * @returns the percentiles
 * @throws {RangeError} if no call is left, one that is left is not finite, or `warmUp` is no whole number
 * from 0
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { latencySummary } from "./latency.ts";
 *
 * const { p50, max } = latencySummary([900, 500, 300, 30, 31, 32]);
 * assert.deepEqual([p50, max], [31, 32]);
 * ```
 */
export function latencySummary(
  milliseconds: ArrayLike<number>,
  options: { readonly warmUp?: number } = {},
): LatencySummary {
  const { warmUp = 3 } = options;
  if (!Number.isInteger(warmUp) || warmUp < 0) {
    throw new RangeError(
      `Cannot summarise latencies: warmUp must be a whole number from 0, current value is ${warmUp}.`,
    );
  }
  const counted = Float64Array.from(milliseconds).slice(warmUp);
  const bad = counted.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    throw new RangeError(
      `Cannot summarise latencies: call ${bad + warmUp} must be finite, current value is ` +
        `${counted[bad]}. Leave out calls that have no answer.`,
    );
  }
  const sorted = counted.sort();
  if (sorted.length === 0) {
    throw new RangeError(
      `Cannot summarise latencies: there must be more than ${warmUp} calls, current value is ` +
        `${milliseconds.length}.`,
    );
  }
  const at = (share: number) => quantileSorted(sorted, share);
  return {
    count: sorted.length,
    mean: sorted.reduce((sum, value) => sum + value, 0) / sorted.length,
    p50: at(0.5),
    p95: at(0.95),
    p99: at(0.99),
    max: sorted.at(-1)!,
  };
}
