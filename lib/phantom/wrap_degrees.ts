/**
 * The equal angle in [−180, 180). Differences of Euler angles need it: 179° to −179° is a turn of
 * 2°, not of −358°.
 *
 * @param degrees any finite angle
 * @returns degrees in [−180, 180)
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { wrapDegrees } from "./mod.ts";
 *
 * assert.equal(wrapDegrees(-179 - 179), 2);
 * assert.equal(wrapDegrees(180), -180);
 * ```
 */
export function wrapDegrees(degrees: number): number {
  const turned = (degrees + 180) % 360;
  const wrapped = (turned < 0 ? turned + 360 : turned) - 180;
  return wrapped === 180 ? -180 : wrapped; // turned + 360 rounds to 360 for the smallest negatives
}
