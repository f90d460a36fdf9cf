/**
 * Kinematics of the Meca500 R3 with the phantom's needle.
 *
 * Dimensions and conventions: Mecademic, Meca500 (R3) user manual and programming manual. At joints
 * 0 the flange is at (190, 0, 308, 0, 90, 0): the forearm points forward and the flange's z axis with it.
 */
import { addScaled, axisZ, clip, rotate, type Vector3 } from "./_geometry.ts";
import { type Matrix3, rotationMatrix } from "./rotation.ts";
import { wrapDegrees } from "./rotation.ts";

/** Length of the needle along the flange's z axis, mm; the tool frame is not turned. */
export const TOOL_LENGTH = 40;

const SHOULDER_HEIGHT = 135, UPPER_ARM = 135, ELBOW_OFFSET = 38, FOREARM = 120; // mm
const WRIST_TO_FLANGE = 70; // mm
const WRIST_TO_TIP = WRIST_TO_FLANGE + TOOL_LENGTH;
const FOREARM_REACH = Math.hypot(FOREARM, ELBOW_OFFSET);
const DEGREES = 180 / Math.PI;

/**
 * Pose of the needle's tip for joint angles.
 *
 * @param joints `(6)` degrees
 * @param toolLength from the flange to the tip, in mm; default the needle's, 0 for the flange itself
 * @returns `(6)` x, y, z in mm, a, b, r in degrees: mobile XYZ angles, b in [−90, 90]; at b = ±90,
 * where only a ± r is defined, a is 0
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { forwardKinematics, TOOL_LENGTH } from "./mod.ts";
 *
 * const [x, , z, , b] = forwardKinematics([0, 0, 0, 0, 0, 0]);
 * assert.equal(Math.round(x!), 190 + TOOL_LENGTH);
 * assert.deepEqual([Math.round(z!), Math.round(b!)], [308, 90]);
 * ```
 */
export function forwardKinematics(
  joints: ArrayLike<number>,
  toolLength: number = TOOL_LENGTH,
): Float64Array {
  const [j1, j2, j3, j4, j5, j6] = Array.from(joints) as number[] & { length: 6 };
  const shoulder = multiply(rotationMatrix(0, 0, j1!), rotationMatrix(0, j2!, 0));
  const elbow = multiply(shoulder, rotationMatrix(0, j3!, 0));
  const wrist = multiply(multiply(elbow, rotationMatrix(j4!, 0, 0)), rotationMatrix(0, j5!, 0));
  const flange = multiply(multiply(wrist, rotationMatrix(j6!, 0, 0)), rotationMatrix(0, 90, 0));
  const atElbow = addScaled([0, 0, SHOULDER_HEIGHT], 1, rotate(shoulder, [0, 0, UPPER_ARM]));
  const atWrist = addScaled(atElbow, 1, rotate(elbow, [FOREARM, 0, ELBOW_OFFSET]));
  const tip = addScaled(atWrist, WRIST_TO_FLANGE + toolLength, axisZ(flange));
  return Float64Array.of(...tip, ...eulerAngles(flange));
}

/**
 * Joint angles that put the needle's tip at a pose, in the configuration that Mecademic calls
 * (1, 1, 1): wrist in front of joint 1, elbow up, joint 5 positive.
 *
 * @param pose `(6)` x, y, z in mm, a, b, r in degrees
 * @param near `(6)` joints of the moment before, degrees: joints 4 and 6 are continued by whole
 * turns; without it they are in [−180, 180)
 * @returns `(6)` degrees
 * @throws {RangeError} if the arm cannot reach the pose
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { forwardKinematics, inverseKinematics } from "./mod.ts";
 *
 * const pose = [150, 10, 225, 179, 20, 144];
 * const back = forwardKinematics(inverseKinematics(pose));
 * assert(back.every((value, i) => Math.abs(value - pose[i]!) < 1e-9));
 * ```
 */
export function inverseKinematics(
  pose: ArrayLike<number>,
  near?: ArrayLike<number>,
): Float64Array {
  const turn = rotationMatrix(pose[3]!, pose[4]!, pose[5]!);
  const tip: Vector3 = [pose[0]!, pose[1]!, pose[2]!];
  const [x, y, z] = addScaled(tip, -WRIST_TO_TIP, axisZ(turn));
  const [j1, j2, j3] = armAngles(x, y, z, pose);
  // What the wrist has to do: Rx(j4)·Ry(j5)·Rx(j6) = W.
  const arm = multiply(rotationMatrix(0, 0, j1), rotationMatrix(0, j2 + j3, 0));
  const w = multiply(multiply(transpose(arm), turn), rotationMatrix(0, -90, 0));
  const j5 = Math.atan2(Math.hypot(w[1], w[2]), w[0]) * DEGREES;
  const j4 = Math.atan2(w[3], -w[6]) * DEGREES;
  const j6 = Math.atan2(w[1], w[2]) * DEGREES;
  const joints = Float64Array.of(j1, j2, j3, j4, j5, j6);
  for (const i of [3, 5]) {
    const from = near?.[i] ?? 0;
    joints[i] = from + wrapDegrees(joints[i]! - from);
  }
  return joints;
}

/** Joints 1 to 3 for a position of the wrist, degrees. */
function armAngles(
  x: number,
  y: number,
  z: number,
  pose: ArrayLike<number>,
): [j1: number, j2: number, j3: number] {
  const ahead = Math.hypot(x, y), up = z - SHOULDER_HEIGHT;
  const reach = Math.hypot(ahead, up);
  // Angle between upper arm and elbow-to-wrist line, by the law of cosines.
  const cosine = (UPPER_ARM ** 2 + FOREARM_REACH ** 2 - reach ** 2) /
    (2 * UPPER_ARM * FOREARM_REACH);
  if (!(Math.abs(cosine) <= 1)) {
    throw new RangeError(
      `Cannot find joint angles: the wrist would be ${reach.toFixed(1)} mm from the shoulder, ` +
        `current value is [${Array.from(pose).join(", ")}]. ` +
        `Stay within ${(UPPER_ARM + FOREARM_REACH).toFixed(1)} mm`,
    );
  }
  const inner = Math.acos(clip(cosine, -1, 1));
  const lift = Math.atan2(ELBOW_OFFSET, FOREARM);
  const shoulder = Math.acos(
    clip((UPPER_ARM ** 2 + reach ** 2 - FOREARM_REACH ** 2) / (2 * UPPER_ARM * reach), -1, 1),
  );
  // At j3 = 0 the elbow-to-wrist line is `lift` above the horizontal: inner angle 90° + lift.
  const j3 = Math.PI / 2 + lift - inner;
  const j2 = Math.atan2(ahead, up) - shoulder;
  return [Math.atan2(y, x) * DEGREES, j2 * DEGREES, j3 * DEGREES];
}

function eulerAngles(m: Matrix3): Vector3 {
  const cosB = Math.hypot(m[0], m[1]);
  if (cosB < 1e-12) return [0, Math.sign(m[2]) * 90, Math.atan2(m[3], m[4]) * DEGREES];
  return [
    Math.atan2(-m[5], m[8]) * DEGREES,
    Math.atan2(m[2], cosB) * DEGREES,
    Math.atan2(-m[1], m[0]) * DEGREES,
  ];
}

function multiply(a: Matrix3, b: Matrix3): Matrix3 {
  const out = new Array<number>(9).fill(0);
  for (let i = 0; i < 9; i++) {
    const row = 3 * Math.floor(i / 3), column = i % 3;
    for (let k = 0; k < 3; k++) out[i]! += a[row + k]! * b[3 * k + column]!;
  }
  return out as unknown as Matrix3;
}

function transpose(m: Matrix3): Matrix3 {
  return [m[0], m[3], m[6], m[1], m[4], m[7], m[2], m[5], m[8]];
}
