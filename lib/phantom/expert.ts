/** The demonstrator: knows the truth and steers by it. */
import { clip } from "../robot/_geometry.ts";
import { GOAL_ANGLES, INSERTION_AXIS, type PhantomScene, PLATE_X, PLATE_Y } from "./scene.ts";
import { wrapDegrees } from "../robot/rotation.ts";

/** Depth below the undeformed membrane that the expert holds, mm. */
export const GOAL_DEPTH = 2;

/** Where the tip is, seen from the target. */
export interface TipGeometry {
  /** mm along the insertion axis from the plate, negative in front of it. */
  readonly axial: number;
  /** mm beside the axis, along the two axes of the plate. */
  readonly lateral: readonly [x: number, y: number];
  /** mm from the tip to the membrane, negative inside. */
  readonly tipDistance: number;
}

/**
 * Where a tip is, seen from the target.
 *
 * @param scene the scene
 * @param pose `(≥ 3)` x, y, z of the tip, mm
 * @returns mm along the insertion axis, beside it, and to the membrane
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { sampleScene, tipGeometry } from "./mod.ts";
 *
 * const scene = sampleScene(9000);
 * assert.equal(tipGeometry(scene, scene.target).tipDistance, scene.membraneDistance);
 * ```
 */
export function tipGeometry(scene: PhantomScene, pose: ArrayLike<number>): TipGeometry {
  const x = pose[0]! - scene.target[0];
  const y = pose[1]! - scene.target[1];
  const z = pose[2]! - scene.target[2];
  const along = (axis: readonly number[]) => x * axis[0]! + y * axis[1]! + z * axis[2]!;
  const axial = along(INSERTION_AXIS);
  return {
    axial,
    lateral: [along(PLATE_X), along(PLATE_Y)],
    tipDistance: scene.membraneDistance - axial,
  };
}

/**
 * What the expert commands: fast to the membrane and slower as it comes near, inside a funnel that
 * ends above the port; after the puncture to the goal depth, and there it holds.
 *
 * @param scene the scene
 * @param pose `(6)` true pose: mm, degrees
 * @param isPunctured whether the membrane is punctured
 * @returns `(6)` velocity: x, y, z in mm/s, a, b, r in °/s
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { expertVelocity, sampleScene } from "./mod.ts";
 *
 * const scene = sampleScene(9000);
 * const velocity = expertVelocity(scene, scene.start, false);
 * assert(velocity[2]! < -4); // mm/s, downwards
 * ```
 */
export function expertVelocity(
  scene: PhantomScene,
  pose: ArrayLike<number>,
  isPunctured: boolean,
): Float64Array {
  const { axial, lateral, tipDistance } = tipGeometry(scene, pose);
  const error = Math.hypot(lateral[0], lateral[1]);
  const sideways = error > 0 ? -Math.min(3 * error, 4) / error : 0;
  let forward = 1.5 + (6 - 1.5) * clip((tipDistance - 1) / (4 - 1), 0, 1);
  const room = -axial - 1;
  if (room < 4) forward *= Math.max(clip(1 - (error - 0.3), 0, 1), clip(room / 4, 0, 1));
  if (isPunctured) forward = clip(3 * (GOAL_DEPTH + tipDistance), -2.5, 2.5);
  const velocity = new Float64Array(6);
  for (let axis = 0; axis < 3; axis++) {
    velocity[axis] = sideways * (lateral[0] * PLATE_X[axis]! + lateral[1] * PLATE_Y[axis]!) +
      forward * INSERTION_AXIS[axis]!;
    velocity[3 + axis] = clip(2 * wrapDegrees(GOAL_ANGLES[axis]! - pose[3 + axis]!), -4, 4);
  }
  return velocity;
}
