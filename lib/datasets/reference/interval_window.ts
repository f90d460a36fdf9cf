/** Stands for a row of zeros in a list of rows. */
export const ZERO_ROW: number = -1;

/**
 * The rows of the reference's sensor window between two images (`sensor_interval`): all with
 * start ≤ time ≤ end, **both ends included**, so that a row on the border belongs to two windows and
 * one second at 650 Hz has 651 rows. Ours is half open: `windowRange`.
 *
 * @param times `(n,)` sorted, s
 * @param start first time, s
 * @param end last time, s
 * @param size rows wanted: the newest are kept, missing ones are zero rows at the front; null gives all
 * rows there are (the reference's adaptive mode)
 * @returns row numbers, oldest first, {@linkcode ZERO_ROW} for zeros
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { intervalWindow } from "./interval_window.ts";
 *
 * const times = Float64Array.of(0, 1, 2, 3, 4);
 * assert.deepEqual([...intervalWindow(times, 1, 3, 5)], [-1, -1, 1, 2, 3]);
 * ```
 */
export function intervalWindow(
  times: Float64Array,
  start: number,
  end: number,
  size: number | null,
): Int32Array {
  const first = rowsBefore(times, start);
  let last = first;
  while (last < times.length && times[last]! <= end) last++;
  return newestRows(first, last, size ?? last - first);
}

/**
 * The rows of the reference's sensor window at a single time, for recordings without intervals: they
 * end with the **first row at or after** t, so that one row may lie in the future. Ours never does:
 * `windowRange`.
 *
 * @param times `(n,)` sorted, s
 * @param t time, s
 * @param size rows wanted, missing ones are zero rows at the front
 * @returns row numbers, oldest first, {@linkcode ZERO_ROW} for zeros
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { endingWindow } from "./interval_window.ts";
 *
 * assert.deepEqual([...endingWindow(Float64Array.of(0, 1, 2, 3, 4), 1.5, 2)], [1, 2]);
 * ```
 */
export function endingWindow(times: Float64Array, t: number, size: number): Int32Array {
  return newestRows(0, Math.min(rowsBefore(times, t) + 1, times.length), size);
}

/** NumPy's `searchsorted(times, t, "left")`. */
function rowsBefore(times: Float64Array, t: number): number {
  let low = 0, high = times.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (times[middle]! < t) low = middle + 1;
    else high = middle;
  }
  return low;
}

function newestRows(first: number, end: number, size: number): Int32Array {
  return Int32Array.from({ length: size }, (_, i) => {
    const row = end - size + i;
    return row < first ? ZERO_ROW : row;
  });
}
