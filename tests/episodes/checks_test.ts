import assert from "node:assert/strict";
import fc from "fast-check";
import {
  actionDimensions,
  actionIntegrals,
  angleWraps,
  checkArray,
  checkEpisode,
  detectPuncture,
  examineRecording,
  imageSizes,
  imageUse,
  inputAges,
  motionReproducibility,
  motionSummary,
  openEpisode,
  preprocess,
  readSensorStretch,
  sampleIntervals,
  speedProfile,
  streamDelays,
  timestampFaults,
  unwrapDegrees,
} from "../../lib/episodes/mod.ts";
import { parseFaults, recordPhantom } from "../../lib/phantom/mod.ts";
import { checkBatch, EpisodeDataset } from "../../lib/datasets/mod.ts";
import { temporaryFolder } from "../_temporary.ts";

fc.configureGlobal({ seed: 1 }); // the same cases each time

/** A simulated recording with three gaps, two duplicates, one turn over ±180° and 40 ms of offset. */
const golden = await (async () => {
  const output = temporaryFolder();
  const made = recordPhantom({
    output,
    layouts: ["new-dataset2"],
    faults: parseFaults("golden"),
    raster: 40,
  });
  const { path, injected } = (await made.next()).value!;
  const [outcome] = await preprocess([path], { output: `${output}/episodes` });
  return { path, injected, episode: outcome!.output! };
})();

Deno.test("the golden recording's faults are found exactly, at their rows", () => {
  using examined = examineRecording(golden.path);
  const { recording, report } = examined;
  const { time, state } = recording.robot;
  const faults = timestampFaults(time);
  const places = (name: "gap" | "duplicates") => golden.injected[name]!.places!;
  assert.deepEqual(faults.duplicates, places("duplicates").map(({ row }) => row));
  assert.deepEqual([faults.backward, faults.withoutTime], [[], []]);
  assert.deepEqual([report.robot.gaps.length, report.robot.lost], [3, golden.injected.gap!.lost!]);
  report.robot.gaps.forEach((gap, i) => {
    const { seconds, time } = places("gap")[i]!;
    assert(
      Math.abs(gap.seconds - seconds!) < 0.0055, // the log counts in steps of 5 ms
      `gap ${i}: ${gap.seconds} s`,
    );
    assert(Math.abs(gap.start + gap.seconds - time!) < 0.4, `gap ${i} at ${gap.start}`);
  });
  assert.equal(angleWraps(state).length, 1);
  assert.equal(angleWraps(state)[0]!.angle, "a");
  assert(Math.abs(report.clockOffsets.sensor.seconds - 0.04) < 1e-9, "40 ms");
  const intervals = sampleIntervals(time);
  assert.equal(intervals.filter((interval) => interval === 0).length, 2);
  assert.equal(intervals.filter((interval) => interval > 100).length, 3);
});

Deno.test("an episode's inputs are never from the future, and its actions add up", () => {
  using episode = openEpisode(golden.episode);
  const ages = inputAges(episode);
  for (const each of [ages.robotMs, ages.sensorMs!, ...ages.views.map(({ ageMs }) => ageMs)]) {
    assert(each.every((age) => !(age < 0)), "an input from the future");
  }
  assert(ages.views.every(({ ageMs }) => ageMs.filter(Number.isFinite).length > 30), "images");
  for (const { errorMm, segment } of actionIntegrals(episode)) {
    assert(errorMm < 1e-3, `segment ${segment}: ${errorMm} mm`);
  }
  for (const { view, used, usedByRow, images } of imageUse(episode)) {
    assert(
      used > usedByRow && used <= images,
      `${view}: ${used} of ${images}, ${usedByRow} by row`,
    );
  }
  const [dx, , , , , , gripper] = actionDimensions(episode.action);
  assert(!dx!.constant && gripper!.constant && gripper!.min === 1, "dimensions");
});

Deno.test("actions that are wrong do not add up", () => {
  using episode = openEpisode(golden.episode);
  const action = new Float32Array(episode.action);
  action[7] = action[7]! + 0.5;
  const errors = actionIntegrals({ ...episode, action });
  assert(Math.abs(errors[0]!.errorMm - 0.5) < 1e-3, String(errors[0]!.errorMm));
});

Deno.test("force and A-lines are read apart, in one piece or thinned", () => {
  using episode = openEpisode(golden.episode);
  const row = new Float32Array(1026), { time } = episode.sensor!;
  const [from, to] = [time[100]!, time[299]!];
  const all = readSensorStretch(episode, { from, to });
  assert.equal(all.time.length, 200);
  for (const k of [0, 63, 64, 199]) {
    episode.sensor!.readRowsInto(100 + k, row);
    assert.equal(all.force[k], row[0]);
    assert.deepEqual(all.aline.slice(k * 1025, (k + 1) * 1025), row.slice(1));
  }
  const thin = readSensorStretch(episode, { from, to, rows: 50 });
  assert.deepEqual([...thin.force], [...all.force].filter((_, k) => k % 4 === 0));
  assert.throws(() => readSensorStretch({ path: "x", sensor: null }), /has none/);
});

Deno.test("a straight motion has the length, speed and rest that it was given", () => {
  fc.assert(fc.property(
    fc.double({ min: 1, max: 20, noNaN: true }),
    fc.integer({ min: 2, max: 50 }),
    fc.integer({ min: 0, max: 30 }),
    (speed, moving, resting) => {
      const n = moving + resting + 1, time = Float64Array.from({ length: n }, (_, i) => i / 100);
      const state = new Float64Array(n * 12);
      for (let row = 0; row < n; row++) {
        state[row * 12 + 8] = -speed * Math.min(row, moving) / 100;
      }
      const motion = motionSummary(time, state);
      assert(Math.abs(motion.pathMm - speed * moving / 100) < 1e-9, "path");
      assert(Math.abs(motion.displacementMm - motion.pathMm) < 1e-9, "displacement");
      assert(Math.abs(motion.speed.max - speed) < 1e-6, "speed");
      assert(Math.abs(motion.idleTailSeconds - resting / 100) < 1e-9, "rest");
    },
  ));
});

Deno.test("turns are measured on the short way, also over ±180°", () => {
  const state = new Float64Array(2 * 12);
  [state[11], state[23]] = [179, -179];
  assert(Math.abs(motionSummary([0, 1], state).turnDeg - 2) < 1e-6, "2°");
  assert(Math.abs(speedProfile([0, 0.5], state).deg[0]! - 4) < 1e-6, "4 °/s");
});

Deno.test("unwrapping gives back what wrapping took", () => {
  fc.assert(fc.property(fc.array(fc.double({ min: -179, max: 179, noNaN: true })), (steps) => {
    let at = 0;
    const line = steps.map((step) => at += step), first = line[0] ?? 0;
    const wrapped = line.map((angle) => ((angle + 180) % 360 + 360) % 360 - 180);
    unwrapDegrees(wrapped).forEach((angle, i) =>
      assert(Math.abs(angle - (line[i]! - first + (wrapped[0] ?? 0))) < 1e-6, `${i}`)
    );
  }));
});

Deno.test("the change of a noisy force is found where it is, and none where none is", () => {
  const time = Float64Array.from({ length: 2000 }, (_, i) => i / 650);
  const noise = time.map((_, i) => Math.sin(i * 12.9898) * 43758.5453 % 1 * 0.05);
  const found = detectPuncture(time, time.map((t, i) => 2.4 + noise[i]! + (t >= 2 ? 0.6 : 0)));
  assert(Math.abs(found.byChangePoint! - 2) < 2 / 650, String(found.byChangePoint));
  assert(Math.abs(found.byThreshold! - 2) < 5 / 650, String(found.byThreshold));
  assert(Math.abs(found.step - 0.6) < 0.01 && found.explained > 0.9, "a step");
  const none = detectPuncture(time, noise);
  assert(none.explained < 0.05, `explained ${none.explained}`);
  assert.equal(detectPuncture([], []).byThreshold, null);
});

Deno.test("rows without a force are passed over, and the times stay what they are", () => {
  const time = Float64Array.from({ length: 1000 }, (_, i) => i / 500);
  const force = time.map((t, i) => 2.4 + 0.01 * Math.sin(i * i) + (t >= 1.4 ? 0.6 : 0));
  const whole = detectPuncture(time, force);
  for (const bad of [NaN, Infinity, -Infinity]) {
    const broken = force.map((value, i) => [0, 50, 699, 900].includes(i) ? bad : value);
    const { byChangePoint, byThreshold, step, explained } = detectPuncture(time, broken);
    assert.deepEqual([byChangePoint, byThreshold], [1.4, 1.4]);
    assert(Math.abs(step - whole.step) < 1e-3 && explained > 0.9, `${step}, ${explained}`);
  }
  const none = detectPuncture([0, 1], [NaN, NaN]);
  assert.deepEqual([none.byChangePoint, none.byThreshold], [null, null]);
});

Deno.test("a time that repeats leaves way, speed and rest finite", () => {
  const time = [0, 1, 1, 2, 3, 3], x = [0, 2, 3, 5, 5, 5];
  const state = new Float64Array(6 * 12);
  x.forEach((value, row) => state[row * 12 + 6] = value);
  const { pathMm, speed, idleTailSeconds } = motionSummary(time, state);
  assert.deepEqual([pathMm, idleTailSeconds], [5, 1]);
  assert.deepEqual([speed.p50, speed.max], [2, 2]);
  assert(Math.abs(speed.mean - 5 / 3) < 1e-12, String(speed.mean));
  const still = motionSummary([1, 1], new Float64Array(24));
  assert.deepEqual([still.pathMm, still.speed.max, still.speed.mean], [0, 0, 0]);
});

Deno.test("actions come in whole rows, and a view without images uses none by row", () => {
  assert.throws(() => actionDimensions(new Float32Array(13)), {
    name: "RangeError",
    message: /current value is 13 values/,
  });
  assert.equal(actionDimensions([])[0]!.max, 0);
  const [use] = imageUse({
    images: [{ view: "View1", time: new Float64Array(0), file: String }],
    imageIndex: Int32Array.of(-1, -1),
    actionIndex: Int32Array.of(0, 10, 10, 20),
  });
  assert.deepEqual([use!.images, use!.used, use!.usedByRow], [0, 0, 0]);
});

Deno.test("repetitions are compared by the way made: pauses cost nothing, offsets what they are", () => {
  const arc = (rows: number[], offset = 0) => {
    const state = new Float64Array(rows.length * 12);
    rows.forEach((share, row) => {
      state[row * 12 + 6] = 30 * Math.cos(share * Math.PI) + offset;
      state[row * 12 + 7] = 30 * Math.sin(share * Math.PI);
      state[row * 12 + 9] = 20 * share;
    });
    return state;
  };
  const even = Array.from({ length: 201 }, (_, i) => i / 200);
  const paused = [...even.slice(0, 80), ...Array(50).fill(even[80]!), ...even.slice(80)];
  const same = motionReproducibility([arc(even), arc(paused)]);
  assert(same.rmsMm < 1e-3 && same.motions[1]!.rmsDeg < 0.2, JSON.stringify(same.motions));
  const apart = motionReproducibility([arc(even), arc(even, 0.1)]);
  apart.motions.forEach(({ rmsMm, maxMm }) =>
    assert(Math.abs(rmsMm - 0.05) < 1e-6 && Math.abs(maxMm - 0.05) < 1e-6, String(rmsMm))
  );
  assert.throws(() => motionReproducibility([arc(even)]), /at least 2/);
  for (const points of [1, 0, 2.5, NaN]) {
    assert.throws(() => motionReproducibility([arc(even), arc(even)], { points }), {
      name: "RangeError",
      message: /points must be a whole number of at least 2/,
    });
  }
  assert.throws(
    () => motionReproducibility([arc(even), new Float64Array(24)]),
    /number 2 must move/,
  );
});

Deno.test("delays need as many stamps of each kind", () => {
  assert.throws(
    () => streamDelays({ measured: [1, 2], sent: [1], received: null }),
    RangeError,
  );
});

Deno.test("every array of the golden episode and of its samples is as it should be", () => {
  using episode = openEpisode(golden.episode);
  const checks = checkEpisode(episode);
  const names = Object.keys(episode.manifest.arrays);
  assert.deepEqual(checks.map(({ name }) => name).sort(), names.sort());
  for (const { name, shape, dtype, problem } of checks) {
    const { shape: written, dtype: kind } = episode.manifest.arrays[name]!;
    assert.deepEqual([shape, dtype, problem], [written, kind, null], name);
  }
  const dataset = new EpisodeDataset([episode], { horizon: 8, sensorMilliseconds: 100 });
  const batch = dataset.readBatch([0, 20, dataset.length - 1]);
  const problems = () => checkBatch(batch, dataset).filter(({ problem }) => problem !== null);
  assert.deepEqual(problems(), []);
  batch.sensor[5] = Infinity;
  batch.imageAge[0] = NaN; // although there is an image
  assert.deepEqual(problems().map(({ name }) => name), ["sensor", "imageAge"]);
});

Deno.test("values that are not finite are found wherever they are, missing ones are none", () => {
  using episode = openEpisode(golden.episode);
  const problemsOf = (changed: Partial<typeof episode>) =>
    checkEpisode({ ...episode, ...changed }).flatMap(({ name, problem }) =>
      problem === null ? [] : [`${name}: ${problem}`]
    );
  const action = new Float32Array(episode.action);
  action[8] = NaN;
  assert.deepEqual(problemsOf({ action }), [
    `action: 1 of ${action.length} values is not finite`,
  ]);
  const sensor = {
    ...episode.sensor!,
    readRowsInto: (start: number, target: Float32Array) => {
      episode.sensor!.readRowsInto(start, target);
      if (start > 0) target[0] = Infinity;
    },
  };
  assert.match(problemsOf({ sensor })[0]!, /^sensor: \d+ of \d+ values are not finite$/);
  const shorter = episode.robotState.subarray(12);
  assert.match(problemsOf({ robotState: shorter })[0]!, /^robot_state: .* should be \d+ values/);

  fc.assert(fc.property(
    fc.array(fc.constantFrom(0, -1.5, 7, NaN, Infinity), { maxLength: 30 }),
    (values) => {
      const array = Float64Array.from(values), isOdd = (place: number) => place % 2 === 1;
      const { missing, nonFinite, min, max } = checkArray("x", [values.length], array, isOdd);
      const finite = values.filter(Number.isFinite);
      assert.equal(missing, values.filter((value, i) => Number.isNaN(value) && isOdd(i)).length);
      assert.equal(missing + nonFinite, values.length - finite.length);
      assert.deepEqual(
        [min, max],
        finite.length === 0 ? [null, null] : [Math.min(...finite), Math.max(...finite)],
      );
    },
  ));
});

Deno.test("the sizes of a session's images are told, two sizes of one view as two", () => {
  using examined = examineRecording(golden.path);
  const { views } = examined.recording;
  const sizes = imageSizes(views);
  assert.deepEqual(
    sizes,
    views.map(({ name, files }) => ({ name, height: 9, width: 16, images: files.length })),
  );
  const [first, second] = views;
  const other = new URL("../../data-fixtures/recordings", import.meta.url).pathname;
  using larger = examineRecording(`${other}/Needle_insertion_eye_trocar`);
  const { folder, files } = larger.recording.views[0]!;
  const stranger = { name: first!.name, folder, files: files.slice(0, 1) };
  assert.deepEqual(imageSizes([stranger, second!])[0], {
    ...{ name: first!.name, height: 90, width: 160, images: 1 },
  });
});
