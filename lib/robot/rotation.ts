const DEGREES = Math.PI / 180;

/**
 * Reduces an angle to [−180, 180).
 *
 * @param degrees any finite angle, in degrees
 * @returns the same direction in [−180, 180), in degrees
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { wrapDegrees } from "./rotation.ts";
 *
 * assert(Math.abs(wrapDegrees(-358.8) - 1.2) < 1e-9);
 * assert.equal(wrapDegrees(180), -180);
 * ```
 */
export function wrapDegrees(degrees: number): number {
  if (degrees >= -180 && degrees < 180) return degrees; // exact where nothing is to be done
  const turned = (degrees + 180) % 360;
  const wrapped = (turned < 0 ? turned + 360 : turned) - 180;
  return wrapped === 180 ? -180 : wrapped; // turned + 360 rounds to 360 for the smallest negatives
}

/** A 3×3 matrix, row by row. */
export type Matrix3 = readonly [
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
];

/**
 * Rotation matrix of the Meca500's Euler angles: mobile XYZ, R = Rx(a)·Ry(b)·Rz(r).
 *
 * Source: Mecademic, Meca500 user manual, "Position and orientation representation".
 *
 * @param a alpha, in degrees
 * @param b beta, in degrees
 * @param r gamma, in degrees
 * @returns R, which turns tool coordinates into base coordinates
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { rotationMatrix } from "./rotation.ts";
 *
 * const about = rotationMatrix(90, 0, 0).map(Math.round);
 * assert.deepEqual(about.map((v) => v + 0), [1, 0, 0, 0, 0, -1, 0, 1, 0]);
 * ```
 */
export function rotationMatrix(a: number, b: number, r: number): Matrix3 {
  const matrix = new Float64Array(9);
  fillRotationMatrix(matrix, a, b, r);
  return Array.from(matrix) as unknown as Matrix3;
}

/** Writes {@linkcode rotationMatrix} into nine values, without allocating. */
export function fillRotationMatrix(target: Float64Array, a: number, b: number, r: number): void {
  const ca = Math.cos(a * DEGREES), sa = Math.sin(a * DEGREES);
  const cb = Math.cos(b * DEGREES), sb = Math.sin(b * DEGREES);
  const cr = Math.cos(r * DEGREES), sr = Math.sin(r * DEGREES);
  target[0] = cb * cr;
  target[1] = -cb * sr;
  target[2] = sb;
  target[3] = ca * sr + sa * sb * cr;
  target[4] = ca * cr - sa * sb * sr;
  target[5] = -sa * cb;
  target[6] = sa * sr - ca * sb * cr;
  target[7] = sa * cr + ca * sb * sr;
  target[8] = ca * cb;
}

/**
 * The rotation from one orientation to another as a rotation vector in the first one's (tool) frame:
 * R(to) = R(from)·exp(v). Its length is the true angle between both, free of the ±180° jumps and the
 * gimbal lock of Euler differences.
 *
 * @param from Euler angles (a, b, r) in degrees, mobile XYZ
 * @param to Euler angles (a, b, r) in degrees, mobile XYZ
 * @returns rotation vector (3), in degrees
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { rotationVector } from "./rotation.ts";
 *
 * // Gimbal lock: Euler angles differ by 90°, the orientation does not.
 * assert(Math.hypot(...rotationVector([0, 90, 0], [90, 90, -90])) < 1e-5);
 * ```
 */
export function rotationVector(
  from: ArrayLike<number>,
  to: ArrayLike<number>,
): [number, number, number] {
  const p = new Float64Array(9), q = new Float64Array(9), vector = new Float64Array(3);
  fillRotationMatrix(p, from[0]!, from[1]!, from[2]!);
  fillRotationMatrix(q, to[0]!, to[1]!, to[2]!);
  writeRotationVector(vector, 0, p, q);
  return [vector[0]!, vector[1]!, vector[2]!];
}

/** Writes {@linkcode rotationVector} of two matrices into three values, without allocating. */
export function writeRotationVector(
  target: Float64Array | Float32Array,
  at: number,
  p: Float64Array,
  q: Float64Array,
): void {
  const x = product(p, q, 2, 1) - product(p, q, 1, 2);
  const y = product(p, q, 0, 2) - product(p, q, 2, 0);
  const z = product(p, q, 1, 0) - product(p, q, 0, 1);
  const xx = product(p, q, 0, 0), yy = product(p, q, 1, 1), zz = product(p, q, 2, 2);
  const sine = Math.sqrt(x * x + y * y + z * z) / 2;
  const cosine = (xx + yy + zz - 1) / 2;
  const angle = Math.atan2(sine, cosine) / DEGREES;
  if (sine > 1e-9 || cosine > 0) {
    // angle / (2 sin) → 1/2 for small angles
    const scale = sine > 1e-9 ? angle / (2 * sine) : 0.5 / DEGREES;
    target[at] = x * scale;
    target[at + 1] = y * scale;
    target[at + 2] = z * scale;
    return;
  }
  // Half a turn: the axis is the column of m + 1 with the largest diagonal.
  const k = xx >= yy && xx >= zz ? 0 : yy >= zz ? 1 : 2;
  const axis = [0, 1, 2].map((i) =>
    (product(p, q, i, k) + product(p, q, k, i)) / 2 + (i === k ? 1 : 0)
  );
  const length = Math.hypot(...axis);
  axis.forEach((value, i) => target[at + i] = value / length * angle);
}

/** Element (i, j) of pᵀ·q. */
function product(p: Float64Array, q: Float64Array, i: number, j: number): number {
  return p[i]! * q[j]! + p[3 + i]! * q[3 + j]! + p[6 + i]! * q[6 + j]!;
}
