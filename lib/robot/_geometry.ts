import type { Matrix3 } from "./rotation.ts";

/** Vectors in millimetres and rotations in degrees. */

/** x, y, z. */
export type Vector3 = readonly [x: number, y: number, z: number];

const RADIANS = Math.PI / 180;

/** Sine and cosine of an angle in degrees. */
export function sinCos(degrees: number): [sin: number, cos: number] {
  return [Math.sin(degrees * RADIANS), Math.cos(degrees * RADIANS)];
}

/** a·b */
export function dot(a: Vector3, b: Vector3): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

/** a×b */
export function cross(a: Vector3, b: Vector3): Vector3 {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

/** a − b */
export function subtract(a: Vector3, b: Vector3): Vector3 {
  return [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
}

/** a + scale·b */
export function addScaled(a: Vector3, scale: number, b: Vector3): Vector3 {
  return [a[0] + scale * b[0], a[1] + scale * b[1], a[2] + scale * b[2]];
}

/** a/|a| */
export function normalise(a: Vector3): Vector3 {
  const length = Math.hypot(...a);
  return [a[0] / length, a[1] / length, a[2] / length];
}

/** R·v */
export function rotate(m: Matrix3, v: Vector3): Vector3 {
  return [
    m[0] * v[0] + m[1] * v[1] + m[2] * v[2],
    m[3] * v[0] + m[4] * v[1] + m[5] * v[2],
    m[6] * v[0] + m[7] * v[1] + m[8] * v[2],
  ];
}

/** Third column: where the tool's z axis points. */
export function axisZ(m: Matrix3): Vector3 {
  return [m[2], m[5], m[8]];
}

/** The value, or the nearer bound. */
export function clip(value: number, low: number, high: number): number {
  return value < low ? low : value > high ? high : value;
}
