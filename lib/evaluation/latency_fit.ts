/** How the latency of a vision-language model grows with what it is shown. */

/** A straight line through measured latencies. */
export interface LatencyFit {
  /** What a call takes without any token, ms. */
  readonly baseMs: number;
  /** What each visual token adds, ms. */
  readonly perTokenMs: number;
  /** Share of the variance that the line explains, 0 to 1; 1 if all latencies are equal. */
  readonly rSquared: number;
  /** Largest distance of a measurement from the line, ms. */
  readonly worstMs: number;
}

/**
 * The line `base + perToken · tokens` through measured latencies, by least squares. Where it does not
 * fit, something else than the number of tokens decides: images that are read, a batch, another
 * program on the GPU.
 *
 * @param tokens `(n,)` visual tokens of each measurement, at least two different numbers
 * @param milliseconds `(n,)` its latency
 * @returns the line, and how well it fits
 * @throws {RangeError} when the lengths differ, a value is not finite, or all tokens are equal
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { fitLatency } from "./mod.ts";
 *
 * const { baseMs, perTokenMs, rSquared } = fitLatency([264, 528, 1320], [86, 150, 342]);
 * assert.equal(`${baseMs.toFixed(1)} + ${perTokenMs.toFixed(3)}`, "22.0 + 0.242");
 * assert(rSquared > 0.9999);
 * ```
 */
export function fitLatency(
  tokens: ArrayLike<number>,
  milliseconds: ArrayLike<number>,
): LatencyFit {
  const x = Array.from(tokens), y = Array.from(milliseconds);
  const finite = [...x, ...y].every(Number.isFinite);
  if (x.length !== y.length || !finite || new Set(x).size < 2) {
    throw new RangeError(
      "Cannot fit latencies: there must be as many finite latencies as tokens, of at least two " +
        `different numbers of tokens, current value is ${x.length} and ${y.length}. Measure with ` +
        "other views or resolutions.",
    );
  }
  const mean = (values: readonly number[]) => values.reduce((sum, v) => sum + v, 0) / x.length;
  const meanX = mean(x), meanY = mean(y);
  const spread = mean(x.map((v) => (v - meanX) ** 2));
  const perTokenMs = mean(x.map((v, i) => (v - meanX) * (y[i]! - meanY))) / spread;
  const baseMs = meanY - perTokenMs * meanX;
  const errors = x.map((v, i) => y[i]! - baseMs - perTokenMs * v);
  const variance = mean(y.map((v) => (v - meanY) ** 2));
  return {
    baseMs,
    perTokenMs,
    rSquared: variance === 0 ? 1 : 1 - mean(errors.map((v) => v ** 2)) / variance,
    worstMs: Math.max(...errors.map(Math.abs)),
  };
}
