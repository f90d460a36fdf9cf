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
