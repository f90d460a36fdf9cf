import assert from "node:assert/strict";
import {
  createClosedLoop,
  expertVelocity,
  INSERTION_AXIS,
  PHANTOM_TASKS,
  PLATE_X,
  PLATE_Y,
  sampleScene,
  simulateEpisode,
} from "../../lib/phantom/mod.ts";
import { assertClose, canonicalScene } from "./_canonical.ts";

const dot = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  a[0]! * b[0]! + a[1]! * b[1]! + a[2]! * b[2]!;

Deno.test("the expert commands the prototype's velocities", () => {
  const right = [178, 20, 144];
  // deno-fmt-ignore
  const cases: [axial: number, lateral: [number, number], isPunctured: boolean, angles: number[],
    velocity: number[], turn: number[]][] = [
    [-15, [3, -2], false, [-179.9, 19, 145], [-3.3282, 2.2188, 6], [-1.8, 2, -2]],
    [-15, [0.5, 0], false, right, [-1.5, 0, 6], [2.4, 0, 0]],
    [-2, [1, 0], false, [-179.5, 20, 144], [-3, 0, 1.8], [-2.6, 0, 0]],
    [3.5, [0, 0.1], false, right, [0, -0.3, 3.75], [2.4, 0, 0]],
    [6.3, [0, 0], false, right, [0, 0, 1.5], [2.4, 0, 0]],
    [7, [0, 0], true, right, [0, 0, 2.5], [2.4, 0, 0]],
    [8.2, [0.1, 0], true, right, [-0.3, 0, -0.6], [2.4, 0, 0]],
  ];
  for (const [axial, lateral, isPunctured, angles, velocity, turn] of cases) {
    const tip = canonicalScene.target.map((x, i) =>
      x + lateral[0] * PLATE_X[i]! + lateral[1] * PLATE_Y[i]! + axial * INSERTION_AXIS[i]!
    );
    const command = expertVelocity(canonicalScene, [...tip, ...angles], isPunctured);
    const local = [PLATE_X, PLATE_Y, INSERTION_AXIS].map((axis) => dot(command, axis));
    assertClose([...local, ...command.subarray(3)], [...velocity, ...turn]);
  }
});

Deno.test("without noise the canonical demonstration is the prototype's", () => {
  const episode = simulateEpisode({
    seed: 0,
    scene: canonicalScene,
    processNoise: false,
    disturbances: false,
  });
  const { truth, trueStates } = episode;
  const times = [truth.tDec, truth.tContact, truth.tPun, truth.tStop, episode.duration];
  assertClose(times, [2.89, 4.40, 4.80, 5.62, 7.82], 1e-9);
  assert.equal(trueStates.length, 783 * 6);
  const at2 = [148.877293, 1.048431, 228.228453, 179.211896, 19.988104, 144.023791];
  assertClose(trueStates.subarray(200 * 6, 201 * 6), at2, 1e-5);
  const end = trueStates.subarray(-6);
  const from = [0, 1, 2].map((i) => end[i]! - canonicalScene.target[i]!);
  assertClose([dot(from, INSERTION_AXIS) - 6], [1.99998], 1e-5);
});

Deno.test("the canonical contact is made at 1.5 mm/s", () => {
  const run = createClosedLoop(canonicalScene, { seconds: 7.82, processNoise: false });
  while (!run.isDone) run.step(expertVelocity(canonicalScene, run.pose, run.isPunctured));
  const result = run.result();
  assertClose([result.contactSpeed, result.depthError], [1.5, 0.00002], 1e-4);
});

Deno.test("without noise scene 9000 has the prototype's events", () => {
  const { truth } = simulateEpisode({ seed: 9000, processNoise: false, disturbances: false });
  const times = [truth.tDec, truth.tContact, truth.tPun, truth.tStop];
  assertClose(times, [3.18, 4.69, 5.11, 5.92], 0.01 + 1e-9);
});

Deno.test("the expert succeeds in all 40 test scenes", () => {
  const results = Array.from({ length: 40 }, (_, i) => {
    const scene = sampleScene(9000 + i);
    const run = createClosedLoop(scene);
    while (!run.isDone) run.step(expertVelocity(scene, run.pose, run.isPunctured));
    return run.result();
  });
  assert.deepEqual(results.flatMap(({ isSuccess }, i) => isSuccess ? [] : [9000 + i]), []);
  const lateral = results.map(({ lateralError }) => lateralError).sort((a, b) => a - b);
  assert.ok(lateral[20]! < 0.02, `median lateral error ${lateral[20]} mm`);
  assert.ok(Math.max(...results.map(({ contactSpeed }) => contactSpeed)) <= 1.65);
});

Deno.test("the expert succeeds at every port", () => {
  for (const task of PHANTOM_TASKS) {
    const scene = sampleScene(20000, task);
    const run = createClosedLoop(scene);
    while (!run.isDone) run.step(expertVelocity(scene, run.pose, run.isPunctured));
    assert.ok(run.result().isSuccess, task);
  }
});
