/** Numbers with as many digits as a figure can show, so that its JSON is short. */
export function compact<T extends number | null>(values: readonly T[], digits = 6): T[] {
  return values.map((value) =>
    value === null ? value : Number((value as number).toPrecision(digits)) as T
  );
}

/** Title of an axis: what, and its unit. */
export function titled(title: string, unit: string): { text: string } {
  return { text: unit === "" ? title : `${title} (${unit})` };
}

/** The largest of some numbers and `start`; those that are not finite do not count. */
export function largestOf(values: Iterable<number>, start: number): number {
  let largest = start;
  for (const value of values) if (Number.isFinite(value) && value > largest) largest = value;
  return largest;
}

/** The least of some numbers and `start`; those that are not finite do not count. */
export function leastOf(values: Iterable<number>, start: number): number {
  let least = start;
  for (const value of values) if (Number.isFinite(value) && value < least) least = value;
  return least;
}

/** Least and largest finite value; `[0, 1]` of none. */
export function extentOf(...lists: readonly ArrayLike<number>[]): [number, number] {
  let low = Infinity, high = -Infinity;
  for (const values of lists) {
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      if (!Number.isFinite(value)) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  return low <= high ? [low, high] : [0, 1];
}
