/**
 * The row whose time is nearest to a moment, by binary search; of two equally near the later, and
 * the first or last row outside of them.
 *
 * @param time ascending times, in seconds
 * @param moment in seconds
 * @returns the row; −1 of no rows
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { nearestRow } from "./nearest_row.ts";
 *
 * const time = Float64Array.of(0, 0.5, 1);
 * assert.deepEqual([0.24, 0.25, 7].map((moment) => nearestRow(time, moment)), [0, 1, 2]);
 * ```
 */
export function nearestRow(time: Float64Array, moment: number): number {
  let low = 0, high = time.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (time[middle]! < moment) low = middle + 1;
    else high = middle;
  }
  if (low === 0 || low === time.length) return Math.min(low, time.length - 1);
  return moment - time[low - 1]! < time[low]! - moment ? low - 1 : low;
}
