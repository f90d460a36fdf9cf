/**
 * Times between samples.
 *
 * @param time `(n,)` s, in file order
 * @returns `(n − 1,)` ms; negative where the clock went back
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { sampleIntervals } from "./timestamps.ts";
 *
 * assert.deepEqual([...sampleIntervals([1, 1.25, 1.75])], [250, 500]);
 * ```
 */
export function sampleIntervals(time: ArrayLike<number>): Float64Array<ArrayBuffer> {
  return Float64Array.from(
    { length: Math.max(0, time.length - 1) },
    (_, i) => (time[i + 1]! - time[i]!) * 1000,
  );
}

/** Rows of a stream whose times are not those of an orderly clock. */
export interface TimestampFaults {
  /** Rows with the time of the row before. */
  readonly duplicates: readonly number[];
  /** Rows whose time is before that of the row before, and by how much, in seconds. */
  readonly backward: readonly { readonly row: number; readonly seconds: number }[];
  /** Rows without a finite time. */
  readonly withoutTime: readonly number[];
}

/**
 * Lists the rows whose times repeat or go back; `cleanTimes` is what removes them.
 *
 * @param time `(n,)` s, in file order
 * @returns the rows, ascending
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { timestampFaults } from "./timestamps.ts";
 *
 * assert.deepEqual(timestampFaults([0, 1, 1, 0.5, NaN, 2]), {
 *   duplicates: [2],
 *   backward: [{ row: 3, seconds: 0.5 }],
 *   withoutTime: [4],
 * });
 * ```
 */
export function timestampFaults(time: ArrayLike<number>): TimestampFaults {
  const duplicates: number[] = [], withoutTime: number[] = [];
  const backward: { row: number; seconds: number }[] = [];
  let last = NaN;
  for (let row = 0; row < time.length; row++) {
    const here = time[row]!;
    if (!Number.isFinite(here)) {
      withoutTime.push(row);
      continue;
    }
    if (here === last) duplicates.push(row);
    else if (here < last) backward.push({ row, seconds: last - here });
    last = here;
  }
  return { duplicates, backward, withoutTime };
}
