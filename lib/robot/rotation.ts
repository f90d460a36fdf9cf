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
  const ca = Math.cos(a * DEGREES), sa = Math.sin(a * DEGREES);
  const cb = Math.cos(b * DEGREES), sb = Math.sin(b * DEGREES);
  const cr = Math.cos(r * DEGREES), sr = Math.sin(r * DEGREES);
  return [
    cb * cr,
    -cb * sr,
    sb,
    ca * sr + sa * sb * cr,
    ca * cr - sa * sb * sr,
    -sa * cb,
    sa * sr - ca * sb * cr,
    sa * cr + ca * sb * sr,
    ca * cb,
  ];
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
  const p = rotationMatrix(from[0]!, from[1]!, from[2]!);
  const q = rotationMatrix(to[0]!, to[1]!, to[2]!);
  // m = pᵀ·q
  const m = (i: number, j: number) => p[i]! * q[j]! + p[3 + i]! * q[3 + j]! + p[6 + i]! * q[6 + j]!;
  const x = m(2, 1) - m(1, 2), y = m(0, 2) - m(2, 0), z = m(1, 0) - m(0, 1);
  const sine = Math.hypot(x, y, z) / 2;
  const cosine = (m(0, 0) + m(1, 1) + m(2, 2) - 1) / 2;
  const angle = Math.atan2(sine, cosine);
  if (sine > 1e-9 || cosine > 0) {
    // angle / (2 sin) → 1/2 for small angles
    const scale = (sine > 1e-9 ? angle / (2 * sine) : 0.5) / DEGREES;
    return [x * scale, y * scale, z * scale];
  }
  // Half a turn: the axis is the column of m + 1 with the largest diagonal.
  const k = [0, 1, 2].reduce((best, i) => m(i, i) > m(best, best) ? i : best, 0);
  const axis = [0, 1, 2].map((i) => (m(i, k) + m(k, i)) / 2 + (i === k ? 1 : 0));
  const length = Math.hypot(...axis);
  return axis.map((v) => v / length * angle / DEGREES) as [number, number, number];
}
