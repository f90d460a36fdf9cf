/** Refuses the first value that is not finite in some of `(n, d)` rows. */
export function assertFiniteRows(
  action: string,
  values: ArrayLike<number>,
  dimensions: number,
  rows: Iterable<number>,
): void {
  for (const row of rows) {
    for (let column = 0; column < dimensions; column++) {
      const value = values[row * dimensions + column]!;
      if (Number.isFinite(value)) continue;
      throw new RangeError(
        `Cannot ${action}: row ${row}, column ${column} must be finite, current value is ${value}. ` +
          "Look at what computed it, or leave the row out.",
      );
    }
  }
}
