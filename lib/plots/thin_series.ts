/** Options of {@linkcode thinSeries}. */
export interface ThinOptions {
  /** Columns of pixels; at most four points and a hole remain of each. Default 600. */
  readonly columns?: number;
  /** Where two samples are farther apart, in the unit of `x`, the line is interrupted, if the hole can be
   * seen; default never. */
  readonly maxGap?: number;
}

/** Points of a line; null interrupts it. */
export interface LinePoints {
  /** Along the horizontal axis, ascending. */
  readonly x: number[];
  /** Upwards. */
  readonly y: (number | null)[];
}

/**
 * Thins a long series so that its line looks the same: of each column of pixels the first, the least,
 * the largest and the last sample remain, so no peak is lost (M4; Jugel, Jerzak, Hackenbroich and Markl,
 * 2014).
 *
 * @param x ascending places, `(n,)`; samples where it is not finite are left out
 * @param y values, `(n,)`; what is not finite interrupts the line, if the hole reaches another column
 * @param options columns and gaps
 * @returns the points that remain; all of a series with at most four samples per column
 * @throws {RangeError} if `x` and `y` are not equally long
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { thinSeries } from "./mod.ts";
 *
 * const x = Float64Array.from({ length: 1_000_000 }, (_, i) => i / 650);
 * const y = new Float32Array(x.length);
 * y[123_456] = 3; // one peak
 * const thin = thinSeries(x, y);
 * assert(thin.x.length <= 2400);
 * assert(thin.y.includes(3));
 * ```
 */
export function thinSeries(
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  options: ThinOptions = {},
): LinePoints {
  const { columns = 600, maxGap = Infinity } = options, n = x.length;
  if (y.length !== n) {
    throw new RangeError(
      `Cannot thin a series: x and y must be equally long, current values are ${n} and ${y.length}.`,
    );
  }
  const points: LinePoints = { x: [], y: [] };
  const columnOf = columnsOf(x, columns);
  let column = -1, first = -1, least = 0, most = 0, last = 0, before = -1, hole = -1;
  const take = (i: number) => {
    points.x.push(x[i]!);
    points.y.push(y[i]!);
  };
  const flush = () => {
    if (first < 0) return;
    const [a, b] = least < most ? [least, most] : [most, least];
    take(first);
    if (a > first) take(a);
    if (b > a && b > first) take(b);
    if (last > b) take(last);
    first = -1;
  };
  const interrupt = () => {
    if (hole >= 0 && points.y.length > 0) {
      points.x.push(x[hole]!);
      points.y.push(null);
    }
    hole = -1;
  };
  for (let i = 0; i < n; i++) {
    if (!Number.isFinite(x[i]!)) continue;
    if (hole < 0 && before >= 0 && x[i]! - x[before]! > maxGap) hole = before;
    before = i;
    const value = y[i]!;
    if (!Number.isFinite(value)) {
      if (hole < 0) hole = i;
      continue;
    }
    const here = columnOf(i);
    if (here !== column) {
      flush();
      interrupt();
    }
    hole = -1; // within a column of pixels nobody sees it
    column = here;
    if (first < 0) first = least = most = i;
    else if (value < y[least]!) least = i;
    else if (value > y[most]!) most = i;
    last = i;
  }
  flush();
  interrupt();
  return points;
}

/** In which column each sample stands: of short series in one of its own. */
function columnsOf(x: ArrayLike<number>, columns: number): (i: number) => number {
  const n = x.length;
  if (n <= 4 * columns) return (i) => i;
  let first = NaN, last = NaN;
  for (let i = 0; i < n; i++) {
    if (!Number.isFinite(x[i]!)) continue;
    if (x[i]! < last) return (i) => Math.floor(i / n * columns); // times that run backwards
    if (Number.isNaN(first)) first = x[i]!;
    last = x[i]!;
  }
  const width = (last - first) / columns;
  return width > 0 && width < Infinity ? (i) => Math.floor((x[i]! - first) / width) : () => 0;
}
