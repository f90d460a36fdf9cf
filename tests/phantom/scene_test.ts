import assert from "node:assert/strict";
import {
  createScene,
  INSERTION_AXIS,
  PHANTOM_TASKS,
  PLATE_X,
  PLATE_Y,
  samplePushes,
  sampleScene,
  taskInstruction,
} from "../../lib/phantom/mod.ts";
import { wrapDegrees } from "../../lib/robot/mod.ts";
import { assertClose, canonicalScene } from "./_canonical.ts";

Deno.test("the plate's axes are those of the prototype", () => {
  assertClose(INSERTION_AXIS, [0.342020, -0.013120, -0.939601], 1e-6);
  assertClose(PLATE_X, [0.939693, 0.004775, 0.341987], 1e-6);
  assertClose(PLATE_Y, [0, -0.999903, 0.013962], 1e-6);
});

Deno.test("scene 9000 is that of the prototype", () => {
  const scene = sampleScene(9000, "Blue_point");
  assertClose(scene.offset, [-1.936708, -2.169022], 1e-6);
  assertClose([scene.turn, scene.membraneDistance], [1.574009, 7.046150], 1e-6);
  assertClose(scene.target, [147.947785, 3.162654, 224.348456], 1e-6);
  const start = [140.786343, 3.248423, 238.447855, 178.629262, 21.021770, 142.503372];
  assertClose(scene.start, start, 1e-6);
  const { baseForce, punctureForce, echoGain } = scene;
  assertClose([baseForce, punctureForce, echoGain], [2.380272, 0.629178, 1.069935], 1e-6);
  assertClose(scene.viewGains, [0.972385, 0.929033, 1.082393, 1.036653, 1.074362], 1e-6);
  assertClose(scene.cameraPhases, [0.032668, 0.104192, 0.145861, 0.139558, 0.017157], 1e-6);
});

Deno.test("the pushes of scene 9000 are those of the prototype", () => {
  const pushes = samplePushes(9000);
  assert.equal(pushes.length, 7);
  const flat = pushes.slice(0, 2).map((push) => [
    push.time,
    push.axial,
    ...push.lateral,
    ...push.rotation,
  ]);
  assertClose(flat[0]!, [1.6581, -0.3327, 0.0749, -0.7405, 0.1664, -0.1408, 0.3895]);
  assertClose(flat[1]!, [3.2710, 0.4517, -0.8283, 0.0936, -0.3656, 0.0995, 0.0207]);
});

Deno.test("the canonical scene puts target and start where the prototype has them", () => {
  assertClose(canonicalScene.target, [150, 1.000877, 225.125660], 1e-5);
  const start = [147.688776, 3.211811, 240.217711, 180.2, 19, 146];
  assertClose(canonicalScene.start, start, 1e-5);
});

Deno.test("the task moves target and start together and changes nothing else", () => {
  const blue = sampleScene(7, "Blue_point");
  for (const [port, task] of PHANTOM_TASKS.entries()) {
    const scene = sampleScene(7, task);
    const { target, start, task: _, ...rest } = scene;
    assert.deepEqual(target, scene.ports[port]);
    assertClose(
      start.slice(0, 3).map((x, i) => x - target[i]!),
      blue.start.slice(0, 3).map((x, i) => x - blue.target[i]!),
      1e-12,
    );
    const { target: _target, start: _start, task: _task, ...blueRest } = blue;
    assert.deepEqual(rest, blueRest);
  }
});

Deno.test("every parameter fills its range and never leaves it", () => {
  const scenes = Array.from({ length: 400 }, (_, i) => sampleScene(i));
  const within = (name: string, values: number[], low: number, high: number) => {
    const least = Math.min(...values), most = Math.max(...values), slack = 0.02 * (high - low);
    assert.ok(low <= least && least < low + slack, `${name} from ${least}`);
    assert.ok(high - slack < most && most <= high, `${name} to ${most}`);
  };
  within("offset", scenes.flatMap((s) => s.offset), -4, 4);
  within("turn", scenes.map((s) => s.turn), -4, 4);
  within("membraneDistance", scenes.map((s) => s.membraneDistance), 2.5, 9);
  within("startOffset", scenes.map((s) => s.startOffset[0]), 13, 18);
  within("baseForce", scenes.map((s) => s.baseForce), 2.35, 2.45);
  within("punctureForce", scenes.map((s) => s.punctureForce), 0.55, 0.65);
  within("echoGain", scenes.map((s) => s.echoGain), 0.85, 1.15);
  within("channelGains", scenes.flatMap((s) => s.channelGains), 0.96, 1.04);
});

Deno.test("instructions name the task", () => {
  assert.equal(taskInstruction("Yellow_point"), "Perform yellow point insertion task");
  assert.equal(taskInstruction("Eye_trocar"), "Perform eye trocar insertion task");
});

Deno.test("angles are wrapped into [-180, 180)", () => {
  assertClose([359, -358.8, 181].map(wrapDegrees), [-1, 1.2, -179], 1e-9);
  assert.equal(wrapDegrees(180), -180);
  assert.equal(wrapDegrees(-180), -180);
  assert.equal(wrapDegrees(-180 - 1e-14), -180); // rounds to the turn before
});

Deno.test("unknown tasks and impossible seeds are refused", () => {
  assert.throws(() => sampleScene(1, "Pink_point" as "Red_point"), /current value is Pink_point/);
  for (const seed of [-1, 0.5, 2 ** 32, NaN]) {
    assert.throws(() => sampleScene(seed), { name: "RangeError", message: /seed must be/ });
    assert.throws(() => createScene(seed, "Red_point", canonicalScene), RangeError);
  }
});
