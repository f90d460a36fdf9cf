import { STATE_WIDTH } from "../actions.ts";
import { rotationVector } from "../../robot/rotation.ts";

const X = 6, A = 9;

/** How far repeated motions are from their mean way. */
export interface Reproducibility {
  /** Points at which the ways are compared. */
  readonly points: number;
  /** `(points, 3)` the mean way, mm. */
  readonly meanMm: Float64Array<ArrayBuffer>;
  /** Each motion's distance from the mean way. */
  readonly motions: readonly {
    /** Root mean square, mm. */
    readonly rmsMm: number;
    /** Largest, mm. */
    readonly maxMm: number;
    /** Root mean square of the turn from the first motion's orientation, deg. */
    readonly rmsDeg: number;
  }[];
  /** Root mean square over all motions, mm. */
  readonly rmsMm: number;
}

/**
 * Compares repetitions of one motion. They are brought together by the share of the way that has been
 * made, not by row or time: one that waits or hurries is the same motion.
 *
 * @param motions of at least two repetitions, `(n, 12)` robot states each, n of its own
 * @param options `points` at which they are compared, at least 2, default 200
 * @returns distances, mm and deg
 * @throws {RangeError} with fewer than two motions or points, or a motion that does not move
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { motionReproducibility } from "./reproducibility.ts";
 *
 * const along = (...x: number[]) => {
 *   const state = new Float32Array(x.length * 12);
 *   x.forEach((value, row) => state[row * 12 + 6] = value);
 *   return state;
 * };
 * const same = motionReproducibility([along(0, 1, 2, 3), along(0, 0, 3)]); // one waits, then hurries
 * assert(same.rmsMm < 1e-6);
 * ```
 */
export function motionReproducibility(
  motions: readonly ArrayLike<number>[],
  options: { readonly points?: number } = {},
): Reproducibility {
  const { points = 200 } = options;
  if (motions.length < 2) {
    throw new RangeError(
      `Cannot compare motions: there must be at least 2, current value is ${motions.length}.`,
    );
  }
  if (!Number.isInteger(points) || points < 2) {
    throw new RangeError(
      "Cannot compare motions: points must be a whole number of at least 2, the ends, current value " +
        `is ${points}.`,
    );
  }
  const ways = motions.map((state, i) => byArcLength(state, points, i));
  const meanMm = new Float64Array(points * 3);
  for (const { mm } of ways) mm.forEach((value, k) => meanMm[k]! += value / ways.length);
  const results = ways.map(({ mm, turns }) => {
    let squares = 0, maxMm = 0, turned = 0;
    for (let p = 0; p < points; p++) {
      const [x, y, z] = [0, 1, 2].map((d) => mm[3 * p + d]! - meanMm[3 * p + d]!);
      const far = Math.hypot(x!, y!, z!);
      squares += far ** 2;
      maxMm = Math.max(maxMm, far);
      turned += Math.hypot(...rotationVector(ways[0]!.turns[p]!, turns[p]!)) ** 2;
    }
    return { rmsMm: Math.sqrt(squares / points), maxMm, rmsDeg: Math.sqrt(turned / points) };
  });
  const mean = results.reduce((sum, { rmsMm }) => sum + rmsMm ** 2, 0) / results.length;
  return { points, meanMm, motions: results, rmsMm: Math.sqrt(mean) };
}

/** Positions at equal shares of the way, and the orientation of the row before each. */
function byArcLength(state: ArrayLike<number>, points: number, number: number) {
  const n = Math.floor(state.length / STATE_WIDTH), way = new Float64Array(n);
  const at = (row: number, d: number) => state[row * STATE_WIDTH + d]!;
  for (let row = 1; row < n; row++) {
    const [x, y, z] = [0, 1, 2].map((d) => at(row, X + d) - at(row - 1, X + d));
    way[row] = way[row - 1]! + Math.hypot(x!, y!, z!);
  }
  const total = way[n - 1] ?? 0;
  if (!(total > 0)) {
    throw new RangeError(
      `Cannot compare motions: number ${number + 1} must move, current value of its way is ` +
        `${total} mm in ${n} rows.`,
    );
  }
  const mm = new Float64Array(points * 3), turns: number[][] = [];
  for (let p = 0, row = 0; p < points; p++) {
    const target = total * p / (points - 1);
    while (row < n - 2 && way[row + 1]! < target) row++;
    const share = (target - way[row]!) / (way[row + 1]! - way[row]! || 1);
    for (let d = 0; d < 3; d++) {
      mm[3 * p + d] = at(row, X + d) + share * (at(row + 1, X + d) - at(row, X + d));
    }
    turns.push([0, 1, 2].map((d) => at(share < 0.5 ? row : row + 1, A + d)));
  }
  return { mm, turns };
}
