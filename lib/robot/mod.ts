/**
 * The robot's geometry: Euler angles, rotations, kinematics of the Meca500.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { wrapDegrees } from "./mod.ts";
 *
 * assert.equal(wrapDegrees(-179 - 179), 2); // 179° to −179° is a turn of 2°
 * ```
 *
 * @module
 */
export * from "./kinematics.ts";
export { type Matrix3, rotationMatrix, rotationVector, wrapDegrees } from "./rotation.ts";
