import assert from "node:assert/strict";
import { noiseTable, streamWords } from "../../lib/phantom/_stream.ts";
import { renderFrame } from "../../lib/phantom/_render.ts";
import {
  type ClosedLoop,
  createClosedLoop,
  expertVelocity,
  INSERTION_AXIS,
  sampleScene,
  tipGeometry,
} from "../../lib/phantom/mod.ts";
import { wrapDegrees } from "../../lib/robot/mod.ts";
import { assertClose, canonicalScene } from "./_canonical.ts";

const still = new Float64Array(56);

/** The expert's velocity of this moment, as a chunk of one action. */
function expertChunk(run: ClosedLoop): Float64Array {
  const chunk = new Float64Array(7);
  const velocity = expertVelocity(run.scene, run.pose, run.isPunctured);
  for (let i = 0; i < 6; i++) chunk[i] = velocity[i]! * 0.1;
  return chunk;
}

/** Steers along the axis only, with a speed of its own. */
function plunge(speed: (run: ClosedLoop) => number, lateral = 0) {
  const scene = {
    ...canonicalScene,
    start: [
      ...canonicalScene.target.map((x, i) => x - 5 * INSERTION_AXIS[i]!),
      ...canonicalScene.start.slice(3),
    ],
  };
  scene.start[1]! += lateral;
  const run = createClosedLoop(scene, { processNoise: false });
  while (!run.isDone) {
    const v = speed(run);
    run.step([...INSERTION_AXIS.map((x) => v * x), 0, 0, 0]);
  }
  return run.result();
}

const distance = (run: ClosedLoop) => tipGeometry(run.scene, run.pose).tipDistance;
const careful = (run: ClosedLoop) =>
  run.isPunctured ? Math.max(-2, Math.min(2, 3 * (2 + distance(run)))) : 1.5;

Deno.test("the expert succeeds with one query every 0.1 s", () => {
  for (let seed = 9000; seed < 9010; seed++) {
    const run = createClosedLoop(sampleScene(seed));
    while (!run.isDone) run.apply(expertChunk(run));
    const { isSuccess, criteria } = run.result();
    assert.ok(isSuccess, `${seed}: ${JSON.stringify(criteria)}`);
    assertClose([run.time], [10], 1e-12);
  }
});

Deno.test("a robot that does not move fails for want of contact", () => {
  const run = createClosedLoop(sampleScene(9000));
  while (!run.isDone) run.apply(still);
  const { isSuccess, criteria, lateralError, contactSpeed, maxDepth } = run.result();
  assert.equal(isSuccess, false);
  assert.deepEqual(criteria, {
    lateral: false,
    puncture: false,
    depth: false,
    speed: false,
    overshoot: true,
  });
  assert.deepEqual([lateralError, contactSpeed, maxDepth], [NaN, NaN, NaN]);
});

Deno.test("each criterion fails for its own reason", () => {
  const failed = (result: ReturnType<typeof plunge>) =>
    Object.entries(result.criteria).filter(([, holds]) => !holds).map(([name]) => name);
  assert.deepEqual(failed(plunge(careful)), []);
  assert.deepEqual(failed(plunge(careful, 0.6)), ["lateral"]);
  assert.deepEqual(failed(plunge((run) => distance(run) > 0 ? 3.5 : careful(run))), ["speed"]);
  const shallow = (run: ClosedLoop) => run.isPunctured ? 3 * (1.5 + distance(run)) : 1.5;
  assert.deepEqual(failed(plunge(shallow)), ["depth"]);
  let deepest = 0;
  const overshoots = (run: ClosedLoop) => {
    deepest = Math.max(deepest, -distance(run));
    return run.isPunctured && deepest < 2.4 ? 2 : careful(run);
  };
  assert.deepEqual(failed(plunge(overshoots)), ["overshoot"]);
  const presses = (run: ClosedLoop) => 3 * (0.3 + distance(run));
  assert.deepEqual(failed(plunge((run) => Math.min(1.5, presses(run)))), ["puncture", "depth"]);
});

Deno.test("actions are constant velocities of 0.1 s behind the servo's lag", () => {
  const run = createClosedLoop(canonicalScene, { processNoise: false });
  const chunk = new Float64Array(21);
  chunk.set([0.3, -0.2, 0.1, 0.4, -0.5, 0.6, 1]);
  chunk.set(chunk.subarray(0, 7), 7);
  run.apply(chunk, 2);
  assertClose([run.time], [0.2], 1e-12);
  // dv/dt = (v_c - v)/0.06 in steps of 0.01 s: v_n = v_c (1 - (5/6)^n)
  const share = Array.from({ length: 20 }, (_, n) => 1 - (5 / 6) ** (n + 1))
    .reduce((a, b) => a + b) / 10;
  const moved = run.pose.map((value, i) =>
    i < 3 ? value - canonicalScene.start[i]! : wrapDegrees(value - canonicalScene.start[i]!)
  );
  assertClose(moved, chunk.subarray(0, 6).map((value) => value * share), 1e-9);
  run.apply(new Float64Array(0));
  assertClose([run.time], [0.2], 1e-12);
});

Deno.test("an observation shows the newest frames and rows, with the query's noise", () => {
  const scene = sampleScene(9003);
  const run = createClosedLoop(scene);
  while (run.time < 1.95) run.apply(expertChunk(run));
  const seen = run.observe(1.3);
  const phase = scene.cameraPhases;
  seen.frameTimes.forEach((time, view) => {
    assert.ok(time <= 1.3 + 1e-9 && time > 1.3 - 0.2 - 1e-9);
    const periods = (time - phase[view]!) / 0.2;
    assertClose([periods], [Math.round(periods)], 1e-9);
  });
  assertClose([seen.sensorTimes[0]!, seen.sensorTimes[64]!], [1.3 - 64 / 650, 1.3], 1e-12);
  assert.deepEqual([seen.feature.length, seen.sensor.length], [2048, 65 * 1026]);
  assert.ok(seen.sensor.every(Number.isFinite));

  const table = noiseTable();
  streamWords(9003, 1006 + 13, 65).forEach((word, row) => {
    const noise = 0.006 * table[((word & 0xFFFF) + 12345) % 65536]! +
      0.004 * Math.sin(100 * Math.PI * seen.sensorTimes[row]!);
    assertClose([seen.sensor[1026 * row]!], [scene.baseForce + noise], 1e-6); // not in contact yet
  });

  const again = run.observe(1.3);
  assert.deepEqual(again, seen);
  assert.notDeepEqual(run.observe(1.2).sensor, seen.sensor);
});

Deno.test("the first observation shows the start, noise from stream 107", () => {
  const scene = sampleScene(9004);
  const { frames, sensor, frameTimes } = createClosedLoop(scene).observe();
  assert.ok(frameTimes.every((time) => time < 0));
  streamWords(9004, 107, 5).forEach((word, view) => {
    assert.deepEqual(frames[view], renderFrame(scene, view, scene.start, word, 5));
  });
  const mean = Array.from({ length: 65 }, (_, row) => sensor[1026 * row]!)
    .reduce((a, b) => a + b) / 65;
  assert.ok(Math.abs(mean - scene.baseForce) < 0.004);
});

Deno.test("full frames give nearly the same feature as small ones", () => {
  const scene = sampleScene(9005);
  const [large, small] = ([1, 5] as const).map((raster) =>
    createClosedLoop(scene, { raster }).observe().feature
  );
  assertClose(large!, small!, 0.06);
});

Deno.test("observing does not change the run", () => {
  const watched = createClosedLoop(sampleScene(9006)), blind = createClosedLoop(sampleScene(9006));
  for (let i = 0; i < 20; i++) {
    watched.observe();
    watched.apply(expertChunk(watched));
    blind.apply(expertChunk(blind));
  }
  assert.deepEqual(watched.pose, blind.pose);
});

Deno.test("impossible requests are refused", () => {
  const run = createClosedLoop(sampleScene(1), { seconds: 0.5 });
  assert.throws(() => run.observe(0.1), /current value is 0.1/);
  assert.throws(() => run.observe(-0.1), RangeError);
  assert.throws(() => run.apply(new Float64Array(6)), /current value is 6 values/);
  assert.throws(() => run.apply(new Float64Array(7), 2), RangeError);
  assert.throws(() => run.apply([0, 0, NaN, 0, 0, 0, 1]), /value 2 of action 0 is not finite/);
  assert.throws(() => run.result(), /current value is 0 s/);
  run.apply(still);
  assertClose([run.time], [0.5], 1e-12);
  run.result();
  assert.throws(() => createClosedLoop(sampleScene(1), { seconds: 0 }), RangeError);
  assert.throws(() => createClosedLoop(sampleScene(1), { seconds: 0.005 }), /current value is/);
});
