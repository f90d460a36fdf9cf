import assert from "node:assert/strict";
import fc from "fast-check";
import { PHANTOM_TASKS, sampleScene, simulateEpisode } from "../../lib/phantom/mod.ts";
import {
  forwardKinematics,
  inverseKinematics,
  rotationMatrix,
  TOOL_LENGTH,
  wrapDegrees,
} from "../../lib/robot/mod.ts";
import { assertClose } from "../phantom/_canonical.ts";

fc.configureGlobal({ seed: 1 }); // the same cases each time

/** Flange poses by Denavit-Hartenberg parameters in NumPy. */
const fixture: { joints: number[]; position: number[]; rotation: number[][] }[] = JSON.parse(
  Deno.readTextFileSync(
    new URL("../../data-fixtures/robot/kinematics.json", import.meta.url),
  ),
);

function assertSamePose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number) {
  const error = Array.from(
    expected,
    (value, i) => i < 3 ? actual[i]! - value : wrapDegrees(actual[i]! - value),
  );
  assertClose(error, new Array(6).fill(0), tolerance);
}

Deno.test("forward kinematics agrees with Denavit-Hartenberg parameters", () => {
  assert.equal(fixture.length, 51);
  for (const { joints, position, rotation: turn } of fixture) {
    const pose = forwardKinematics(joints);
    const tip = position.map((x, i) => x + TOOL_LENGTH * turn[i]![2]!);
    assertClose(pose.subarray(0, 3), tip, 1e-6);
    assertClose(rotationMatrix(pose[3]!, pose[4]!, pose[5]!), turn.flat(), 1e-9);
  }
});

Deno.test("the reported angles of the flange at rest are Mecademic's", () => {
  assertClose(forwardKinematics([0, 0, 0, 0, 0, 0]), [190 + TOOL_LENGTH, 0, 308, 0, 90, 0], 1e-9);
});

Deno.test("joints in the usual configuration are found again from their pose", () => {
  const joints = fc.tuple(
    fc.double({ min: -89, max: 89, noNaN: true }),
    fc.double({ min: -20, max: 50, noNaN: true }),
    fc.double({ min: -60, max: 40, noNaN: true }),
    fc.double({ min: -170, max: 170, noNaN: true }),
    fc.double({ min: 3, max: 115, noNaN: true }),
    fc.double({ min: -179, max: 179, noNaN: true }),
  ).filter(([, j2, j3]) => {
    // The wrist has to be in front of joint 1.
    const radians = Math.PI / 180, both = (j2 + j3) * radians;
    return 135 * Math.sin(j2 * radians) + 38 * Math.sin(both) + 120 * Math.cos(both) > 10;
  });
  fc.assert(fc.property(joints, (expected) => {
    assertClose(inverseKinematics(forwardKinematics(expected)), expected, 1e-6);
  }));
});

Deno.test("every start pose and every goal is within reach and comes back", () => {
  for (let seed = 0; seed < 300; seed++) {
    const task = PHANTOM_TASKS[seed % 6]!;
    for (const [scene, depth] of [[sampleScene(seed, task), 0], [sampleScene(seed), 12]] as const) {
      const pose = scene.start.map((value, i) => i === 2 ? value - depth : value);
      assertSamePose(forwardKinematics(inverseKinematics(pose)), pose, 1e-6);
    }
  }
});

Deno.test("the joints of an episode give its poses, within limits, without jumps", () => {
  const limits = [[-175, 175], [-70, 90], [-135, 70], [-170, 170], [-115, 115], [-180, 180]];
  for (let i = 0; i < 12; i++) {
    const { robot, seed } = simulateEpisode({ seed: 1000 + i, task: PHANTOM_TASKS[i % 6]! });
    for (let at = 0; at < robot.joints.length; at += 6) {
      const joints = robot.joints.subarray(at, at + 6);
      assertSamePose(forwardKinematics(joints), robot.pose.subarray(at, at + 6), 1e-6);
      joints.forEach((value, joint) => {
        const [low, high] = limits[joint]!;
        assert.ok(value > low! && value < high!, `joint ${joint + 1} of ${seed} at ${value}`);
        const jump = at === 0 ? 0 : Math.abs(value - robot.joints[at + joint - 6]!);
        assert.ok(jump < 0.5, `joint ${joint + 1} of ${seed} jumps by ${jump}`);
      });
    }
  }
});

Deno.test("a turning joint 6 is continued beyond 180 degrees", () => {
  let near = inverseKinematics(forwardKinematics([0, 0, 0, 0, 60, 170]));
  for (let turn = 171; turn < 400; turn += 10) {
    near = inverseKinematics(forwardKinematics([0, 0, 0, 0, 60, turn]), near);
    assertClose([near[5]!], [turn], 1e-6);
  }
});

Deno.test("poses beyond the arm's reach are refused", () => {
  for (const pose of [[500, 0, 300, 180, 0, 0], [150, NaN, 225, 180, 0, 0]]) {
    assert.throws(() => inverseKinematics(pose), { name: "RangeError", message: /mm from the sh/ });
  }
});
