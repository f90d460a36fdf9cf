/** Numbers that look random and are the same in TypeScript and in Python, bit for bit. */

/**
 * Fills an array with numbers from -scale to scale: element k of array i is the 32-bit finaliser of
 * MurmurHash3 (https://github.com/aappleby/smhasher) of k + i · 0x9e3779b9, as a signed integer,
 * times scale / 2³¹ in float64, rounded once to float32. `fill` in `peer.py` is the same.
 *
 * @param index which array
 * @param count its length
 * @param scale largest magnitude
 * @returns the numbers, float32
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { fill } from "./fill.ts";
 * assert(fill(0, 4, 1).every((x) => Math.abs(x) <= 1));
 * ```
 */
export function fill(index: number, count: number, scale: number): Float32Array {
  const values = new Float32Array(count);
  const offset = Math.imul(index, 0x9e3779b9);
  const unit = scale / 2 ** 31;
  for (let k = 0; k < count; k++) {
    let h = (k + offset) | 0;
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    values[k] = (h ^ (h >>> 16)) * unit;
  }
  return values;
}
