/**
 * The q-quantile of sorted values by linear interpolation between the two nearest: NumPy's default
 * method, definition 7 of Hyndman and Fan, "Sample quantiles in statistical packages", 1996.
 *
 * @param sorted `(n,)` non-decreasing, without NaN
 * @param q from 0 to 1
 * @returns the quantile; exactly NumPy's for values converted to float64
 * @throws {RangeError} when there are no values or q is outside
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { quantileSorted } from "./quantile.ts";
 *
 * assert.equal(quantileSorted(Float32Array.of(1, 2, 4, 8), 0.5), 3);
 * assert.throws(() => quantileSorted(Float32Array.of(), 0.5), RangeError);
 * ```
 */
export function quantileSorted(sorted: Float32Array | Float64Array, q: number): number {
  if (sorted.length === 0 || !(q >= 0 && q <= 1)) {
    throw new RangeError(
      `Cannot take a quantile: there must be values and q must be from 0 to 1, ` +
        `current value is q = ${q} of ${sorted.length} values.`,
    );
  }
  const position = (sorted.length - 1) * q;
  const below = Math.floor(position), weight = position - below;
  const low = sorted[below]!, high = sorted[Math.min(below + 1, sorted.length - 1)]!;
  const difference = high - low;
  // From the nearer end, as NumPy does, so that equal neighbours give their own value.
  return weight < 0.5 ? low + difference * weight : high - difference * (1 - weight);
}
