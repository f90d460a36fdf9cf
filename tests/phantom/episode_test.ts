import assert from "node:assert/strict";
import { cleanForce } from "../../lib/phantom/_sensor.ts";
import { renderFrame } from "../../lib/phantom/_render.ts";
import { streamWords } from "../../lib/phantom/_stream.ts";
import {
  type PhantomEpisode,
  type PhantomOptions,
  sampleScene,
  simulateEpisode,
  thumbnail,
  truthRecord,
} from "../../lib/phantom/mod.ts";
import { assertClose } from "./_canonical.ts";

/** All numbers of an episode, with some frames and rows. */
function content(options: PhantomOptions) {
  const { robot, cameras, sensor, truth, trueStates } = simulateEpisode({ raster: 20, ...options });
  return {
    robot,
    truth,
    trueStates,
    cameras: cameras.map(({ frame, thumbnail: _, ...rest }) => ({ ...rest, frame: frame(9) })),
    sensor: { time: sensor.time, index: sensor.index, rows: sensor.rows(500, 505) },
  };
}

Deno.test("the same options give the same episode, another seed another", () => {
  const options = { seed: 5000, task: "Red_point", clock: "full" } as const;
  assert.deepEqual(content(options), content(options));
  assert.notDeepEqual(content(options), content({ ...options, seed: 5001 }));
});

Deno.test("what is asked first changes nothing", () => {
  const [a, b] = [simulateEpisode({ seed: 8 }), simulateEpisode({ seed: 8 })];
  const late = a.cameras[4]!.frame(20), early = a.cameras[0]!.frame(3);
  assert.deepEqual(b.cameras[0]!.frame(3), early);
  b.sensor.rows(0, 10);
  assert.deepEqual(b.cameras[4]!.frame(20), late);
});

Deno.test("frames are rendered at their true times with their own words", () => {
  const { cameras, scene } = simulateEpisode({ seed: 9001, raster: 5 });
  const words = streamWords(9001, 7, 100);
  cameras.forEach((camera, view) => {
    assert.deepEqual(
      [...camera.words.subarray(0, 20)],
      [...words].filter((_, i) => i % 5 === view),
    );
    const pixels = renderFrame(scene, view, scene.start, words[view]!, 5); // frame 0: at rest
    assertClose(camera.thumbnail(0), thumbnail(pixels), 1e-6);
    const rounded = pixels.map(Math.round);
    renderFrame(scene, 0, scene.start, 0, 5);
    assert.deepEqual([...camera.frame(0)], [...rounded]);
  });
});

Deno.test("a frame is the caller's own", () => {
  const { frame } = simulateEpisode({ seed: 8, raster: 5 }).cameras[0]!;
  const first = frame(0), copy = first.slice();
  frame(10);
  assert.deepEqual(first, copy);
});

Deno.test("each switch changes its own streams only", () => {
  const base = content({ seed: 12, clock: "offset" });
  const quantised = content({ seed: 12, clock: "offset", robotQuantise: true });
  assert.notDeepEqual(quantised.robot.origin, base.robot.origin);
  assert.deepEqual({ ...quantised.robot, origin: 0 }, { ...base.robot, origin: 0 });
  assert.deepEqual(quantised.cameras, base.cameras);

  const agreed = content({ seed: 12, clock: "true" });
  assert.deepEqual(agreed.robot, base.robot);
  assert.deepEqual(agreed.cameras.map((c) => c.frame), base.cameras.map((c) => c.frame));
  assert.deepEqual(agreed.sensor.rows, base.sensor.rows);
  const shifts = agreed.cameras[2]!.time.map((time, k) => base.cameras[2]!.time[k]! - time);
  assertClose(shifts, shifts.map(() => base.truth.clockOffset.camera), 1e-6);

  const undisturbed = content({ seed: 12, disturbances: false });
  assert.deepEqual(undisturbed.truth.disturbances, []);
  const before = Math.floor(base.truth.disturbances[0]![0] * 100) * 6;
  assert.deepEqual(
    undisturbed.trueStates.subarray(0, before),
    base.trueStates.subarray(0, before), // the robot's noise is the same
  );
  assert.notDeepEqual(
    undisturbed.trueStates.subarray(before, before + 60),
    base.trueStates.subarray(before, before + 60),
  );
});

Deno.test("the clocks of seed 9000 are the prototype's", () => {
  const { truth, startTime } = simulateEpisode({ seed: 9000, clock: "full" });
  assert.equal(startTime, 1762300000);
  const { clockOffset, clockDrift } = truth;
  assertClose([clockOffset.camera, clockOffset.sensor], [-0.174661, -0.015755], 1e-6);
  assertClose([clockDrift.camera, clockDrift.sensor], [-8.959e-6, 1.2038e-5], 1e-9);
  assert.deepEqual([clockOffset.robot, clockDrift.robot], [0, 0]);
});

Deno.test("stamps are true times by a clock with offset and drift, and jitter", () => {
  for (const clock of ["true", "offset", "full"] as const) {
    const { cameras, sensor, truth, startTime } = simulateEpisode({ seed: 21, clock });
    const { clockOffset: offset, clockDrift: drift } = truth;
    const spread = (times: Float64Array, trueTimes: Float64Array, of: "camera" | "sensor") => {
      const errors = times.map((time, i) =>
        time - startTime - offset[of] - (1 + drift[of]) * trueTimes[i]!
      );
      return Math.sqrt(errors.reduce((sum, e) => sum + e * e, 0) / errors.length);
    };
    const rows = spread(sensor.time, sensor.trueTime, "sensor");
    assert.ok(Math.abs(rows / 0.0001 - 1) < 0.05, `sensor jitter ${rows} s`);
    const frames = cameras.map((c) => spread(c.time, c.trueTime, "camera"));
    const jitter = Math.sqrt(frames.reduce((sum, e) => sum + e * e, 0) / 5);
    assert.ok(Math.abs(jitter / 0.002 - 1) < 0.25, `camera jitter ${jitter} s`);
    assert.ok(sensor.time.every((time, i) => i === 0 || time > sensor.time[i - 1]!));
    assert.equal(offset.camera === 0, clock === "true");
    assert.equal(drift.sensor === 0, clock !== "full");
  }
});

Deno.test("lost frames and datagrams are missing, and nothing else", () => {
  let frames = 0, lostFrames = 0, datagrams = 0, lostDatagrams = 0;
  for (let seed = 1000; seed < 1040; seed++) {
    const whole = simulateEpisode({ seed, clock: "offset" });
    const { cameras, sensor, truth } = simulateEpisode({ seed, clock: "full" });
    cameras.forEach(({ index, trueTime, words }, view) => {
      const all = whole.cameras[view]!;
      const expected = [...all.index].filter((k) => !truth.lostFrames[view]!.includes(k));
      assert.deepEqual([...index], expected);
      assert.deepEqual([...trueTime], expected.map((k) => all.trueTime[k]!));
      assert.deepEqual([...words], expected.map((k) => all.words[k]!));
      frames += all.index.length;
      lostFrames += truth.lostFrames[view]!.length;
    });
    const lost = new Set(truth.lostRows);
    assert.deepEqual([...sensor.index], [...whole.sensor.index].filter((row) => !lost.has(row)));
    const numbers = new Set(truth.lostRows.map((row) => Math.floor(row / 15)));
    const last = whole.sensor.index.length - 1;
    for (const row of whole.sensor.index) {
      assert.equal(lost.has(row), numbers.has(Math.floor(row / 15))); // whole datagrams
    }
    const first = truth.lostRows[0];
    if (first !== undefined && sensor.index.length > first) {
      assert.deepEqual(sensor.rows(first, first + 1), whole.sensor.rows(first + 15, first + 16));
    }
    datagrams += Math.ceil((last + 1) / 15);
    lostDatagrams += numbers.size;
  }
  const within = (lost: number, of: number, chance: number) =>
    assert.ok(Math.abs(lost - of * chance) < 2.5 * Math.sqrt(of * chance), `${lost} of ${of}`);
  within(lostFrames, frames, 0.01);
  within(lostDatagrams, datagrams, 0.004);
});

Deno.test("the streams have their rates, phases and lead", () => {
  const { cameras, sensor, robot, duration, scene, startTime } = simulateEpisode({ seed: 30 });
  cameras.forEach(({ trueTime }, view) => {
    assertClose([trueTime[0]!], [scene.cameraPhases[view]! - 0.2], 1e-12);
    assertClose(trueTime, trueTime.map((_, k) => trueTime[0]! + 0.2 * k), 1e-9);
    assert.ok(duration - trueTime.at(-1)! < 0.2 && trueTime.at(-1)! <= duration + 1e-9);
  });
  assertClose([sensor.trueTime[0]!, sensor.trueTime[650]!], [-0.2, 0.8], 1e-12);
  assert.ok(duration - sensor.trueTime.at(-1)! < 1 / 650);
  assert.equal(robot.time.length, Math.round(duration * 100) + 1);
  const late = robot.time.map((time, i) => time - startTime - robot.trueTime[i]!);
  const jitter = Math.sqrt(late.reduce((sum, e) => sum + e * e, 0) / late.length);
  assert.ok(Math.abs(jitter / 0.0005 - 1) < 0.1, `robot jitter ${jitter} s`);
  assert.ok(robot.time.every((time, i) => i === 0 || time >= robot.time[i - 1]!));
});

Deno.test("coarse origin stamps are multiples of 5 ms, at most 5 ms late", () => {
  const { robot, startTime } = simulateEpisode({ seed: 31, robotQuantise: true });
  robot.origin.forEach((origin, i) => {
    const late = robot.time[i]! - origin;
    assert.ok(late > -1e-6 && late < 0.005 + 1e-6, `${late} s`);
    const ticks = (origin - startTime) / 0.005;
    assert.ok(Math.abs(ticks - Math.round(ticks)) < 1e-3, `${ticks}`);
  });
  const { robot: fine } = simulateEpisode({ seed: 31 });
  assert.deepEqual(fine.origin, fine.time);
});

Deno.test("the robot log is the true motion with read-out noise, angles wrapped", () => {
  let wrapped = 0, resting = 0, samples = 0;
  for (let seed = 1000; seed < 1040; seed++) {
    const { robot, trueStates } = simulateEpisode({ seed });
    const isHolding = (i: number) => i > robot.pose.length - 600;
    for (let i = 0; i < robot.pose.length; i++) {
      const turns = i % 6 < 3 ? 0 : Math.round((robot.pose[i]! - trueStates[i]!) / 360);
      const error = robot.pose[i]! - trueStates[i]! - 360 * turns;
      assert.ok(Math.abs(error) < 0.03, `seed ${seed}: ${error}`);
      if (i % 6 >= 3) assert.ok(robot.pose[i]! >= -180 && robot.pose[i]! < 180);
      if (!isHolding(i)) continue;
      resting += error * error;
      samples++;
    }
    const a = robot.pose.filter((_, i) => i % 6 === 3);
    if (a.some((value) => value > 170) && a.some((value) => value < -170)) wrapped++;
  }
  const noise = Math.sqrt(resting / samples);
  assert.ok(Math.abs(noise - 0.003) < 1e-4, `noise ${noise}`);
  assert.equal(wrapped, 12); // episodes that cross 180 degrees, as in the prototype
});

Deno.test("demonstrations last about 8 s and end 2.2 s after the stop", () => {
  const episodes = Array.from({ length: 40 }, (_, i) => simulateEpisode({ seed: 1000 + i }));
  for (const { duration, truth } of episodes) assertClose([duration], [truth.tStop + 2.2], 1e-9);
  const mean = episodes.reduce((sum, { duration }) => sum + duration, 0) / 40;
  assert.ok(mean > 7.7 && mean < 8.3, `mean ${mean} s`);
});

Deno.test("force and puncture of the rows follow the true states", () => {
  const episode: PhantomEpisode = simulateEpisode({ seed: 77 });
  const { sensor, scene, truth } = episode;
  const row = sensor.trueTime.findIndex((time) => time >= truth.tPun);
  const [before, after] = [sensor.rows(row - 1, row)[0]!, sensor.rows(row + 200, row + 201)[0]!];
  const force = cleanForce(scene, {
    tipDistance: -scene.punctureForce,
    cosine: 1,
    sincePuncture: NaN,
  });
  assert.ok(Math.abs(before - force) < 0.05, `${before} N before, expected ${force}`);
  assert.ok(after < force - 0.25, `${after} N after`);
});

Deno.test("the recorded truth has the usual names and survives JSON", () => {
  const episode = simulateEpisode({ seed: 9000, clock: "full" });
  const record = truthRecord(episode);
  assert.deepEqual(JSON.parse(JSON.stringify(record)), record);
  assert.deepEqual(record.clock_offset_s, { ...episode.truth.clockOffset });
  assert.deepEqual(Object.keys(record.lost_frames as object).length, 5);
  assert.equal(record.t_pun, episode.truth.tPun);
  assert.equal(record.scene_seed, 9000);
});

Deno.test("wrong options are refused", () => {
  const clock = "false" as "true";
  assert.throws(() => simulateEpisode({ seed: 1, clock }), /current value is false/);
  const scene = sampleScene(2);
  assert.throws(() => simulateEpisode({ seed: 1, scene }), /must have the seed 1/);
  const task = "Red_point";
  assert.throws(() => simulateEpisode({ seed: 2, scene, task }), /task Red_point/);
  const { frame } = simulateEpisode({ seed: 1 }).cameras[0]!;
  assert.throws(() => frame(1000), { name: "RangeError", message: /current value is 1000/ });
});
