import assert from "node:assert/strict";
import {
  EpisodeDataset,
  newestImage,
  reference,
  sampleTable,
  timeWindow,
  windowRange,
} from "../../lib/datasets/mod.ts";
import { memoryEpisode, tenths, ticks } from "./_episode.ts";

const tenHz = Float64Array.of(10, 10.1, 10.2, 10.3, 10.4, 10.5, 10.6, 10.7, 10.8, 10.9, 11, 11.1);
/** Forces are 1, 2, …: row + 1, and 0 for a zero row. */
const forces = (rows: Int32Array) =>
  [...rows].map((row) => row === reference.ZERO_ROW ? 0 : row + 1);

Deno.test("intervalWindow: both ends included, zeros in front, newest rows kept", () => {
  const window = (start: number, end: number, size: number | null) =>
    forces(reference.intervalWindow(tenHz, start, end, size));
  assert.deepEqual(window(10.25, 10.75, 6), [0, 4, 5, 6, 7, 8]);
  assert.deepEqual(window(10.25, 10.95, 4), [7, 8, 9, 10]);
  assert.deepEqual(window(9, 9.5, 3), [0, 0, 0]);
  assert.deepEqual(window(10.25, 10.75, null), [4, 5, 6, 7, 8]);
  const whole = Float64Array.of(0, 1, 2, 3, 4);
  assert.deepEqual(forces(reference.intervalWindow(whole, 1, 3, 5)), [0, 0, 2, 3, 4]);
});

Deno.test("endingWindow: ends with the first row at or after the time", () => {
  const window = (t: number, size = 4) => forces(reference.endingWindow(tenHz, t, size));
  assert.deepEqual(window(10.55), [4, 5, 6, 7]);
  assert.deepEqual(window(10.15), [0, 1, 2, 3]);
  assert.deepEqual(window(9), [0, 0, 0, 1]);
  assert.deepEqual(window(99), [9, 10, 11, 12]);
  const whole = Float64Array.of(0, 1, 2, 3, 4);
  assert.deepEqual(forces(reference.endingWindow(whole, 2, 3)), [1, 2, 3]);
  // ours never sees the row at 10.6 from 10.55
  assert.deepEqual(windowRange(tenHz, 10.55, timeWindow(400, 10)), { start: 2, end: 6 });
});

Deno.test("intervalWindow: one second at 650 Hz has 651 rows, ours has 650", () => {
  const times = ticks(3000, 650, 1000);
  const rows = (
    start: number,
    end: number,
    size: number | null,
  ) => [...reference.intervalWindow(times, start, end, size)];
  const all = rows(1002, 1003, null);
  assert.equal(all.length, 651);
  const kept = rows(1002, 1003, 650);
  assert.deepEqual([kept[0], kept.at(-1)], [1301, 1950]);
  const short = rows(1002, 1003, 65);
  assert.deepEqual([short[0], short.at(-1), short.length], [1886, 1950, 65]);
  const half = rows(1002, 1002.5, 650);
  assert.equal(half.lastIndexOf(reference.ZERO_ROW), 323);
  assert.equal(rows(1002, 1002.5, null).length, 326);
  assert.equal(rows(1002, 1003.035, null).length, 673);
  // ours: (start, end]
  assert.deepEqual(windowRange(times, 1003, timeWindow(1000, 650)), { start: 1301, end: 1951 });
  assert.deepEqual(windowRange(times, 1003, timeWindow(100, 650)), { start: 1886, end: 1951 });
});

Deno.test("stretchedRows: as NumPy's trunc(linspace(0, rows − 1, N))", () => {
  const rows = (count: number, actions: number) => [...reference.stretchedRows(count, actions)];
  assert.deepEqual(rows(1000, 7), [0, 166, 333, 499, 666, 832, 999]);
  assert.deepEqual(rows(6500, 10), [0, 722, 1444, 2166, 2888, 3610, 4332, 5054, 5776, 6499]);
  assert.deepEqual(rows(5, 8), [0, 0, 1, 1, 2, 2, 3, 4]);
  assert.deepEqual(rows(1000, 1), [0]);
  assert.deepEqual(rows(2000, 30).slice(0, 3), [0, 68, 137]);
  assert.equal(rows(2000, 30).at(-1), 1999);
});

Deno.test("pickledSampleCount: the last whole chunk is lost, each step comes R times", () => {
  // deno-fmt-ignore
  const counts = [
    [7, 0], [8, 0], [15, 0], [16, 3], [17, 3], [23, 3], [24, 6], [40, 12], [96, 33], [264, 96],
    [271, 96], [272, 99],
  ] as const;
  for (const [actions, expected] of counts) {
    assert.equal(reference.pickledSampleCount(actions), expected);
    assert.equal(reference.pickledSampleCount(actions, 8, 1), expected / 3);
    // ours: nothing lost, nothing doubled
    const episode = memoryEpisode({ actionTime: tenths(actions) });
    const chunks = sampleTable([episode], { stride: 8, endPadding: "drop" });
    assert.equal(chunks.length, Math.floor(actions / 8));
  }
});

Deno.test("pickledSample: rows of actions and sensor, image by counting", () => {
  const at = (index: number, actions = 40) => reference.pickledSample(index, actions);
  for (const index of [0, 1, 2]) {
    const { visionAction, reuse, actionStart } = at(index);
    assert.deepEqual([visionAction, reuse, actionStart], [0, index, 0]);
    assert.equal(reference.imageByCounting(visionAction, 10), 0);
  }
  assert.deepEqual([at(3).visionAction, at(3).actionStart], [8, 8]);
  assert.equal(reference.imageByCounting(8, 10), 8);
  assert.equal(at(6).visionAction, 16);
  assert.equal(reference.imageByCounting(16, 10), 9);
  assert.deepEqual(at(11), {
    visionAction: 24,
    reuse: 2,
    actionStart: 24,
    sensorStart: 24,
    sensorEnd: 40,
    sensorZeros: 49,
  });
  const long = at(30, 200);
  assert.deepEqual([long.visionAction, long.sensorStart, long.sensorEnd], [80, 80, 145]);
  assert.equal(long.sensorZeros, 0);
});

Deno.test("windowSampleCount: samples, vision slots and rows per action", () => {
  // deno-fmt-ignore
  const counts = [
    [5, 0], [19, 0], [20, 1], [29, 1], [30, 2], [95, 8], [100, 9], [101, 9], [105, 9], [109, 9],
    [110, 10], [1755, 174],
  ] as const;
  for (const [rows, expected] of counts) assert.equal(reference.windowSampleCount(rows), expected);
  const slots = new Set(Array.from({ length: 174 }, (_, i) => reference.visionRow(i)));
  assert.equal(slots.size, 58);
  assert.equal(Math.max(...slots), 1710);
  assert.deepEqual([98, 101, 109, 110].map(reference.rowsPerAction), [9, 10, 10, 11]);
});

Deno.test("windowChunk: deltas of k rows, and standing still at the end", () => {
  const poses = new Float32Array(205 * 6);
  for (let row = 0; row < 205; row++) poses[row * 6] = 0.25 * row;
  const x = (index: number, zeroEnd = true) => {
    const chunk = reference.windowChunk(poses, index, { zeroEnd });
    for (let step = 0; step < 8; step++) assert.equal(chunk[step * 7 + 6], 1);
    return [...chunk].filter((_, i) => i % 7 === 0);
  };
  assert.equal(reference.windowSampleCount(205), 19);
  for (let i = 0; i < 19; i++) assert.deepEqual(x(i, false), new Array(8).fill(2.5));
  assert.deepEqual(x(0), new Array(8).fill(2.5));
  assert.deepEqual(x(7), [2.5, 2.5, 2.5, 2.5, 2.5, 2.5, 2.5, 0]);
  assert.deepEqual(x(12), [2.5, 2.5, 0, 0, 0, 0, 0, 0]);
  for (let i = 14; i < 19; i++) assert.deepEqual(x(i), new Array(8).fill(0));
  assert.deepEqual([...reference.windowChunk(poses.subarray(0, 60), 0)], new Array(56).fill(0));
});

Deno.test("window samples: sensor window and robot rows by counting; ours are the past", () => {
  const used = Array.from({ length: 19 }, (_, i) => reference.storedWindow(i, 8));
  assert.deepEqual(used, [0, 1, 2, 3, 4, 5, 6, 7, ...new Array(11).fill(7)]);
  for (let i = 0; i <= 5; i++) {
    assert.deepEqual(reference.centredRobotRows(i, 205), { start: 0, end: 100, zeros: 0 });
  }
  assert.deepEqual(reference.centredRobotRows(6, 205), { start: 10, end: 110, zeros: 0 });
  assert.deepEqual(reference.centredRobotRows(10, 205), { start: 50, end: 150, zeros: 0 });
  assert.deepEqual(reference.centredRobotRows(18, 205), { start: 130, end: 205, zeros: 25 });
  const robot = ticks(205, 100);
  assert.deepEqual(windowRange(robot, 1, timeWindow(1000, 100)), { start: 1, end: 101 });
  assert.deepEqual(windowRange(robot, 1.8, timeWindow(1000, 100)), { start: 81, end: 181 });
});

Deno.test("visionRow: the image by counting runs ahead of time; ours does not", () => {
  const rows = Array.from({ length: 19 }, (_, i) => reference.visionRow(i));
  assert.deepEqual(rows.slice(0, 6), [0, 0, 0, 30, 30, 30]);
  assert.deepEqual(rows.slice(12, 15), [120, 120, 120]);
  const images = Float64Array.from({ length: 99 }, (_, j) => 1000 + 0.2 * j);
  const shown = (i: number) => images[reference.imageByCounting(rows[i]!, 99)]!.toFixed(1);
  assert.deepEqual([0, 3, 6, 9, 12, 18].map(shown), [
    "1000.0",
    "1006.0",
    "1012.0",
    "1018.0",
    "1019.6",
    "1019.6",
  ]);
  const episode = memoryEpisode({
    robotTime: ticks(205, 100, 1000),
    actionTime: tenths(20, 1000),
    images: { View1: images },
  });
  const { imageIndex } = new EpisodeDataset([episode]).readBatch([0, 3, 6, 9, 12]);
  const ours = Array.from(imageIndex, (frame) => images[frame]!.toFixed(1));
  assert.deepEqual(ours, ["1000.0", "1000.2", "1000.6", "1000.8", "1001.2"]);
  assert.equal(newestImage(images, 999.9), -1);
});

Deno.test("storedWindowStarts: windows of 650 rows every 130", () => {
  const ends = (rows: number) =>
    [...reference.storedWindowStarts(rows)].map((first) => first + 649);
  assert.deepEqual(ends(649), []);
  assert.deepEqual(ends(650), [649]);
  assert.equal(ends(779).length, 1);
  assert.equal(ends(780).length, 2);
  assert.deepEqual([ends(2000).length, ...ends(2000).slice(0, 2)], [11, 649, 779]);
  assert.equal(ends(2000).at(-1), 1949);
  assert.equal(ends(11407).length, 83);
});

Deno.test("weightedDraws: shares and the probability to be left out", () => {
  const drawn = reference.weightedDraws([
    { count: 100, weight: 1 },
    { count: 50, weight: 2 },
    { count: 50, weight: 3 },
  ]);
  assert.deepEqual(drawn.map(({ share }) => share.toFixed(4)), ["0.2857", "0.2857", "0.4286"]);
  assert.deepEqual(drawn.map(({ unseen }) => unseen.toFixed(4)), ["0.5643", "0.3179", "0.1788"]);
  const [equal] = reference.weightedDraws([{ count: 10_000, weight: 1 }]);
  assert.equal(equal!.unseen.toFixed(3), "0.368");
});

Deno.test("distributedSamples: as PyTorch's sampler without shuffle", () => {
  assert.deepEqual([0, 1, 2, 3].map((rank) => [...reference.distributedSamples(10, 4, rank)]), [
    [0, 4, 8],
    [1, 5, 9],
    [2, 6, 0],
    [3, 7, 1],
  ]);
});

Deno.test("promptHash and featureHash: the names of old cache files", () => {
  assert.equal(reference.promptHash("Perform Blue point insertion task"), "43910d04");
  assert.equal(reference.promptHash("Perform Blue point insertion task."), "fd00be07");
  assert.equal(reference.promptHash("Perform Eye trocar insertion task"), "0cbed083");
  const hash = reference.featureHash(
    "recv_all_A::recv_all_A_View5_oak_single::t=0",
    "Approach the white square silicone",
    ["file:///d/a.jpg", "file:///d/b.jpg"],
  );
  assert.equal(hash, "7e6bc182875508750da5cb75");
});
