import { assertFiniteRows } from "./_finite_rows.ts";

/** Points along the directions in which they vary most. */
export interface PrincipalComponents {
  /** `(n, k)` coordinates. */
  readonly scores: Float64Array<ArrayBuffer>;
  /** `(k, d)` directions, of length 1, the largest entry positive; zeros beyond the points' rank. */
  readonly directions: Float64Array<ArrayBuffer>;
  /** `(k,)` share of the whole variance along each, 0 to 1, descending. */
  readonly explained: Float64Array<ArrayBuffer>;
}

const MOST_ROUNDS = 300, CLOSE = 1e-9;
/** A direction of which less than this share is left beside the others holds nothing but rounding. */
const ROUNDING = 1e-10;

/**
 * Principal components by orthogonal iteration (Golub and Van Loan, Matrix Computations, §8.2.4): the
 * picture of an embedding that always comes out the same.
 *
 * @param values `(n, d)` points, row by row
 * @param dimensions d
 * @param components k, default 2
 * @returns coordinates, directions, shares
 * @throws {RangeError} if the values are no whole rows, fewer than two, or not finite
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { principalComponents } from "./principal_components.ts";
 *
 * const { scores, explained } = principalComponents([0, 0, 1, 1, 2, 2], 2, 1);
 * assert(Math.abs(scores[2]! - Math.SQRT2) < 1e-9);
 * assert(Math.abs(explained[0]! - 1) < 1e-9);
 * ```
 */
export function principalComponents(
  values: ArrayLike<number>,
  dimensions: number,
  components = 2,
): PrincipalComponents {
  const n = values.length / dimensions, k = Math.min(components, dimensions);
  if (!Number.isInteger(n) || n < 2) {
    throw new RangeError(
      `Cannot find principal components: there must be at least two rows of ${dimensions} values, ` +
        `current value is ${values.length} values.`,
    );
  }
  assertFiniteRows("find principal components", values, dimensions, Array(n).keys());
  const points = centred(values, n, dimensions);
  const variance = points.reduce((sum, value) => sum + value * value, 0);
  const directions = new Float64Array(k * dimensions);
  // Any start that is not orthogonal to the result. Squares, because sines of one frequency have rank 2.
  directions.forEach((_, i) => directions[i] = Math.sin(1 + i * i * 1.37));
  orthonormalise(directions, dimensions);
  let scores = project(points, directions, dimensions);
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const before = directions.slice();
    directions.fill(0);
    for (let row = 0; row < n; row++) {
      for (let c = 0; c < k; c++) {
        const score = scores[row * k + c]!;
        for (let d = 0; d < dimensions; d++) {
          directions[c * dimensions + d]! += score * points[row * dimensions + d]!;
        }
      }
    }
    orthonormalise(directions, dimensions);
    scores = project(points, directions, dimensions);
    const moved = directions.reduce(
      (most, value, i) => Math.max(most, Math.abs(value - before[i]!)),
      0,
    );
    if (moved < CLOSE) break;
  }
  for (let c = 0; c < k; c++) makeLargestPositive(directions, scores, c, dimensions);
  const explained = Float64Array.from({ length: k }, (_, c) => {
    let sum = 0;
    for (let row = 0; row < n; row++) sum += scores[row * k + c]! ** 2;
    return variance > 0 ? sum / variance : 0;
  });
  return { scores, directions, explained };
}

function centred(values: ArrayLike<number>, n: number, width: number): Float64Array<ArrayBuffer> {
  const mean = new Float64Array(width);
  for (let pass = 0; pass < 2; pass++) { // the second takes away the rounding of the first
    const rest = new Float64Array(width);
    for (let i = 0; i < n * width; i++) rest[i % width]! += (values[i]! - mean[i % width]!) / n;
    rest.forEach((value, d) => mean[d]! += value);
  }
  return Float64Array.from({ length: n * width }, (_, i) => values[i]! - mean[i % width]!);
}

/** Gram–Schmidt, row by row, twice: that is enough (Giraud, Langou and Rozložník, 2005). */
function orthonormalise(rows: Float64Array, width: number): void {
  for (let at = 0; at < rows.length; at += width) {
    const row = rows.subarray(at, at + width), before = Math.hypot(...row);
    for (let other = 0; other < 2 * at; other += width) {
      const base = rows.subarray(other % at, other % at + width);
      const share = row.reduce((sum, value, d) => sum + value * base[d]!, 0);
      row.forEach((value, d) => row[d] = value - share * base[d]!);
    }
    const length = Math.hypot(...row);
    if (length > ROUNDING * before) row.forEach((value, d) => row[d] = value / length);
    else row.fill(0);
  }
}

function project(points: Float64Array, directions: Float64Array, width: number) {
  const n = points.length / width, k = directions.length / width;
  const scores = new Float64Array(n * k);
  for (let row = 0; row < n; row++) {
    for (let c = 0; c < k; c++) {
      let sum = 0;
      for (let d = 0; d < width; d++) sum += points[row * width + d]! * directions[c * width + d]!;
      scores[row * k + c] = sum;
    }
  }
  return scores;
}

function makeLargestPositive(
  directions: Float64Array,
  scores: Float64Array,
  component: number,
  width: number,
): void {
  const row = directions.subarray(component * width, (component + 1) * width);
  const largest = row.reduce((most, value) => Math.abs(value) > Math.abs(most) ? value : most, 0);
  if (largest >= 0) return;
  row.forEach((value, d) => row[d] = -value);
  const k = directions.length / width;
  for (let i = component; i < scores.length; i += k) scores[i] = -scores[i]!;
}
