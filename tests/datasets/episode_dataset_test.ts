import assert from "node:assert/strict";
import fc from "fast-check";
import {
  assertCausal,
  causalityReport,
  createBatch,
  type EpisodeData,
  EpisodeDataset,
} from "../../lib/datasets/mod.ts";
import { memoryEpisode, runs, tenths, ticks } from "./_episode.ts";

fc.configureGlobal({ seed: 1 }); // the same cases each time

/** Ten seconds of everything, with cameras that start at different times. */
function richEpisode(parts: Parameters<typeof memoryEpisode>[0] = {}): EpisodeData {
  return memoryEpisode({
    robotTime: ticks(1001, 100),
    actionTime: tenths(100),
    sensorTime: ticks(6500, 650, 0.0007),
    images: { View1: ticks(50, 5, 0.05), View5: ticks(50, 5, -0.1) },
    ...parts,
  });
}

Deno.test("EpisodeDataset: serves chunk, windows, images and instruction of the same moment", () => {
  const dataset = new EpisodeDataset([richEpisode(), richEpisode({ task: "blue" })]);
  assert.equal(dataset.length, 200);
  const batch = dataset.readBatch([123, 97]);
  assert.deepEqual([...batch.episode], [1, 0]);
  assert.deepEqual([...batch.action], [23, 97]);
  assert.deepEqual([...batch.time], [2.3, 9.7]);
  assert.deepEqual(batch.instruction, ["Perform the blue task", "Perform the red task"]);
  const steps = (row: number) =>
    Array.from({ length: 8 }, (_, step) => batch.actions[(row * 8 + step) * 7]);
  assert.deepEqual(steps(0), [23, 24, 25, 26, 27, 28, 29, 30]);
  assert.deepEqual(steps(1), [97, 98, 99, 99, 99, 99, 99, 99]);
  assert.deepEqual([...batch.actionMask.subarray(8)], [1, 1, 1, 0, 0, 0, 0, 0]);
  // newest sensor row: floor((2.3 − 0.0007) · 650) = 1494, newest robot row: 230
  assert.equal(batch.sensor[64 * 1026], 1494);
  assert.equal(batch.sensor[65 * 1026 - 1], 1494);
  assert.equal(batch.sensor[0], 1494 - 64);
  assert.equal(batch.proprioception[99 * 12], 230);
  assert.deepEqual([...batch.sensorRows], [65, 65]);
  assert(Math.abs(batch.sensorAge[0]! - (2.3 - (0.0007 + 1494 / 650))) < 1e-12);
  assert.equal(batch.image[0], "/data/blue/one/View1/11.jpg"); // 2.25 s
  assert.equal(batch.image[1], "/data/blue/one/View5/12.jpg"); // 2.3 s
  assert(Math.abs(batch.imageAge[0]! - 0.05) < 1e-12);
});

Deno.test("EpisodeDataset: at the start of a recording what is not there yet is masked", () => {
  const dataset = new EpisodeDataset([richEpisode()]);
  const batch = dataset.readBatch([0]);
  assert.equal(batch.sensorRows[0], 0);
  assert(Number.isNaN(batch.sensorAge[0]));
  assert.deepEqual(batch.image, [null, "/data/red/one/View5/0.jpg"]);
  assert.deepEqual([...batch.imageIndex], [-1, 0]);
  assert(Number.isNaN(batch.imageAge[0]));
  assert.equal(batch.proprioceptionRows[0], 1);
  assert.equal(batch.proprioceptionMask.indexOf(1), 99);
});

Deno.test("EpisodeDataset: a reused batch keeps nothing of what it held before", () => {
  const episodes = [richEpisode(), richEpisode({ name: "two", sensorTime: null, images: {} })];
  const dataset = new EpisodeDataset(episodes);
  const used = createBatch(2, dataset);
  dataset.readBatch([50, 60], used);
  assert.deepEqual(dataset.readBatch([150, 0], used), dataset.readBatch([150, 0]));
});

Deno.test("EpisodeDataset: each view has its column, also where an episode lacks it", () => {
  const episodes = [
    memoryEpisode({ images: { View5: ticks(50, 5), View1: ticks(50, 5) } }),
    memoryEpisode({ name: "two", images: { View3: ticks(50, 5) } }),
  ];
  const dataset = new EpisodeDataset(episodes);
  assert.deepEqual(dataset.views, ["View1", "View3", "View5"]);
  const { imageIndex } = dataset.readBatch([10, 30]);
  assert.deepEqual([...imageIndex], [5, -1, 5, -1, 5, -1]);
  const chosen = new EpisodeDataset(episodes, { views: ["View5"] });
  assert.deepEqual([...chosen.readBatch([10, 30]).imageIndex], [5, -1]);
  assert.throws(() => new EpisodeDataset(episodes, { views: ["View9"] }), /View9/);
});

Deno.test("EpisodeDataset: with vision reuse R starts show the frames of the first of them", () => {
  const times = Float64Array.from({ length: 99 }, (_, j) => 1000 + 0.2 * j);
  const episode = memoryEpisode({
    robotTime: ticks(205, 100, 1000),
    actionTime: tenths(20, 1000),
    images: { View1: times },
  });
  const dataset = new EpisodeDataset([episode], { visionReuse: 3 });
  const { imageIndex, imageAge, time } = dataset.readBatch([0, 1, 2, 3, 6, 9, 12]);
  const shown = Array.from(imageIndex, (frame) => Number(times[frame]!.toFixed(3)));
  assert.deepEqual(shown, [1000, 1000, 1000, 1000.2, 1000.6, 1000.8, 1001.2]);
  imageAge.forEach((age, i) => assert.equal(age, time[i]! - times[imageIndex[i]!]!));
  assert.throws(() => new EpisodeDataset([episode], { visionReuse: 0 }), RangeError);
});

Deno.test("EpisodeDataset: a reuse step counts the starts since an observation became known", () => {
  const segment = runs([7, 5]);
  const steps = (visionReuse: number, visionDelay: number) => {
    const episode = memoryEpisode({ actionTime: tenths(12), segment });
    const dataset = new EpisodeDataset([episode], { visionReuse, visionDelay });
    return Array.from({ length: 12 }, (_, i) => dataset.reuseStep(i)).join(" ");
  };
  assert.equal(steps(1, 0), "0 0 0 0 0 0 0 0 0 0 0 0");
  assert.equal(steps(3, 0), "0 1 2 0 1 2 0 0 1 2 0 1");
  assert.equal(steps(3, 2), "0 0 0 1 2 0 1 0 0 0 1 2");
  assert.equal(steps(1, 2), "0 0 0 0 0 0 0 0 0 0 0 0");
  assert.throws(() => steps(1, -1), /delay .* current value is -1/);
});

Deno.test("EpisodeDataset: streams can be left out", () => {
  const dataset = new EpisodeDataset([richEpisode()], {
    sensorMilliseconds: null,
    proprioceptionMilliseconds: null,
    views: [],
  });
  const batch = dataset.readBatch([50]);
  assert.deepEqual(
    [batch.sensor, batch.proprioception, batch.imageIndex].map(({ length }) => length),
    [0, 0, 0],
  );
  assert.equal(causalityReport(dataset).streams["sensor"]!.delivered, 0);
});

const irregular = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 40 })
  .map((steps) => {
    let t = -0.5;
    return Float64Array.from(steps, (step) => t += step / 100);
  });

Deno.test("causality: no stream of any sample is newer than its time, whatever the clocks", () => {
  fc.assert(
    fc.property(
      fc.record({ robotTime: irregular, sensorTime: irregular, a: irregular, b: irregular }),
      fc.integer({ min: 1, max: 4 }),
      ({ robotTime, sensorTime, a, b }, visionReuse) => {
        const episode = memoryEpisode({
          robotTime,
          sensorTime,
          images: { a, b },
          segment: runs([7, 13]),
        });
        const dataset = new EpisodeDataset([episode], {
          visionReuse,
          sensorMilliseconds: 300,
          sensorHz: 20,
        });
        const report = causalityReport(dataset);
        assert.equal(report.samples, 20);
        for (const { newest, delivered } of Object.values(report.streams)) {
          assert(newest === null ? delivered === 0 : newest <= 0);
        }
        const batch = createBatch(1, dataset);
        for (let i = 0; i < dataset.length; i++) {
          assertCausal(dataset, i);
          dataset.readBatch([i], batch);
          const t = batch.time[0]!;
          // rows carry their number: what was really delivered
          batch.sensorMask.forEach((m, row) =>
            assert(m === 0 || sensorTime[batch.sensor[row * 1026]!]! <= t)
          );
          batch.proprioceptionMask.forEach((m, row) =>
            assert(m === 0 || robotTime[batch.proprioception[row * 12]!]! <= t)
          );
          batch.imageIndex.forEach((frame, v) =>
            assert(frame < 0 || (v === 0 ? a : b)[frame]! <= t)
          );
        }
      },
    ),
    { numRuns: 60 },
  );
});

Deno.test("causality: an input from the future is found and named", () => {
  const dataset = new EpisodeDataset([richEpisode()]);
  // a data set whose windows end half a second late
  const late = Object.create(dataset, {
    readBatch: {
      value: (...[indices, batch]: Parameters<EpisodeDataset["readBatch"]>) => {
        const read = dataset.readBatch(indices, batch);
        read.sensorAge[0]! -= 0.5;
        return read;
      },
    },
    length: { value: dataset.length },
    views: { value: dataset.views },
  }) as EpisodeDataset;
  assert.throws(() => assertCausal(late, 42), /action 42\): sensor .* newer than .* 4\.2 s/);
  assert(causalityReport(late, { every: 10 }).streams["sensor"]!.newest! > 0.49);
  assertCausal(dataset, 42);
});

Deno.test("EpisodeDataset: refuses bad indices, foreign batches, unsorted times and mixed actions", () => {
  const dataset = new EpisodeDataset([richEpisode()]);
  for (const index of [-1, 100, 1.5]) assert.throws(() => dataset.readBatch([index]), RangeError);
  assert.throws(() => dataset.readBatch([1, 2], createBatch(1, dataset)), /current value is 1/);
  const other = new EpisodeDataset([richEpisode()], { sensorMilliseconds: 1000 });
  assert.throws(() => dataset.readBatch([1], createBatch(1, other)), RangeError);
  const broken = (parts: Parameters<typeof richEpisode>[0]) =>
    new EpisodeDataset([richEpisode(parts)]);
  assert.throws(
    () => broken({ sensorTime: Float64Array.of(0, 2, 1) }),
    /sensor_time .* current value is 1 at row 2 after 2/,
  );
  assert.throws(() => broken({ robotTime: Float64Array.of(0, NaN) }), /robot_time .* NaN at row 1/);
  assert.throws(() => broken({ images: { V: Float64Array.of(Infinity) } }), /image_time_V/);
  const action = {
    kind: "delta" as const,
    hz: 10,
    dimensions: ["dx"],
    units: ["mm"],
    euler: "mobile XYZ" as const,
    tolerance: 0.02,
    compat: false,
  };
  const mixed = ["wrapped", "raw"].map((angles, i) =>
    memoryEpisode({
      name: `${i}`,
      manifest: { action: { ...action, angles: angles as "wrapped" | "raw" } },
    })
  );
  assert.throws(() => new EpisodeDataset(mixed), /"angles":"wrapped".*"angles":"raw"/);
  assert.equal(new EpisodeDataset(mixed.slice(1)).actionRepresentation?.angles, "raw");
});
