/**
 * How many of the sorted times are at or before `t`; NumPy's `searchsorted(times, t, "right")`.
 *
 * @param times `(n,)` non-decreasing
 */
export function countUntil(times: Float64Array, t: number): number {
  let low = 0, high = times.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (times[middle]! <= t) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Refuses times that a binary search cannot trust. */
export function assertSorted(times: Float64Array, path: string, array: string): void {
  let previous = -Infinity;
  for (let i = 0; i < times.length; i++) {
    const time = times[i]!;
    if (time >= previous && time < Infinity) {
      previous = time;
      continue;
    }
    throw new RangeError(
      `Cannot use the episode ${path}: ${array} must be finite and must not go backwards, ` +
        `current value is ${time} at row ${i}${i === 0 ? "" : ` after ${previous}`}. ` +
        `Build the episode from its recording again.`,
    );
  }
}
