import assert from "node:assert/strict";
import { createBatch, EpisodeDataset } from "../../lib/datasets/mod.ts";
import {
  evaluateChunks,
  formatEvaluation,
  predictDataset,
  type PredictDatasetOptions,
} from "../../lib/evaluation/mod.ts";

const HORIZON = 4;

/** Actions 0.1 s long; dx counts up from 1; a hole after `hole` actions. */
function episode(name: string, actions: number, { hole = actions, hasSensor = true } = {}) {
  const start = (i: number) => 100 + 0.1 * i + (i >= hole ? 5 : 0);
  const action = new Float32Array(actions * 7);
  for (let i = 0; i < actions; i++) action.set([i + 1, -1, 0.5, 3, 0, 0, 1], 7 * i);
  const times = Float64Array.from({ length: 800 }, (_, i) => 100 + 0.01 * i);
  return {
    path: `/data/${name}`,
    manifest: { name, task: name, instruction: "Insert the needle" },
    robotTime: times,
    robotState: Float32Array.from({ length: 12 * times.length }, (_, i) => i % 12 < 9 ? 0 : i / 12),
    action,
    actionTime: Float64Array.from({ length: 2 * actions }, (_, i) => start(i >> 1) + 0.1 * (i % 2)),
    segment: Int32Array.from({ length: actions }, (_, i) => +(i >= hole)),
    images: [],
    sensor: hasSensor
      ? { time: times, rows: times.length, readRowsInto: (_: number, t: Float32Array) => t.fill(1) }
      : null,
  };
}

const still = ({ size }: { size: number }) => new Float32Array(size * HORIZON * 7);
const meanAction = new Float32Array(7);

Deno.test("windows come in order, with what the baselines need", async () => {
  const episodes = [episode("red", 9, { hole: 5 }), episode("blue", 6, { hasSensor: false })];
  const dataset = new EpisodeDataset(episodes, { horizon: HORIZON });
  const progress: number[][] = [];
  const { chunks, flags } = await predictDataset(dataset, still, {
    meanAction,
    batchSize: 4,
    onProgress: (...of) => progress.push(of),
  });
  assert.equal(chunks.windows, 15);
  assert.deepEqual(progress, [[4, 15], [8, 15], [12, 15], [15, 15]]);
  assert.deepEqual([...chunks.episode], [...Array(9).fill(0), ...Array(6).fill(1)]);
  const lastX = Array.from({ length: 15 }, (_, w) => chunks.lastAction[7 * w]);
  // At rest before an episode; before a hole nobody knows.
  assert.deepEqual(lastX, [0, 1, 2, 3, 4, NaN, 6, 7, 8, 0, 1, 2, 3, 4, 5]);
  assert.equal(chunks.lastAction[6], 1);
  const firstX = Array.from({ length: 15 }, (_, w) => chunks.truth[w * HORIZON * 7]);
  assert.deepEqual(firstX, [1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4, 5, 6]);
  assert.deepEqual([...chunks.mask.subarray(3 * HORIZON, 4 * HORIZON)], [1, 1, 0, 0]);
  assert.deepEqual([...flags.hasSensor!], [...Array(9).fill(1), ...Array(6).fill(0)]);
  assert.deepEqual([...new Set(flags.group)], ["red", "blue"]);
  assert.equal(flags.isDecision, null);
  // The robot's row at or before 0.2 s is number 20 (or 19, where 0.2 is not met exactly).
  assert(Math.abs(chunks.startAngles![3 * 2]! - (20 + 9 / 12)) <= 1, "orientation of row 20");
  assert(Math.abs(chunks.time![2]! - 0.2) < 1e-9, "0.2 s after the first action");
  assert.equal(evaluateChunks(chunks, flags).baselines.holdLast.windows, 14);
});

Deno.test("errors are told by the age of what was seen, where that is not of the moment", async () => {
  const options = { horizon: HORIZON, visionReuse: 3, visionDelay: 1 };
  const dataset = new EpisodeDataset([episode("red", 9, { hole: 6 })], options);
  // A policy that is off in dx by as much as its observation is old.
  const truth = dataset.readBatch(Array.from({ length: 9 }, (_, i) => i)).actions;
  const ages = [0, 1, 2, 3, 1, 2, 0, 1, 2];
  const late = ({ size, action }: { size: number; action: Int32Array }) =>
    Float32Array.from({ length: size * HORIZON * 7 }, (_, i) => {
      const window = action[Math.floor(i / (HORIZON * 7))]!;
      return truth[window * HORIZON * 7 + i % (HORIZON * 7)]! + (i % 7 === 0 ? ages[window]! : 0);
    });
  const { chunks, flags } = await predictDataset(dataset, late, { meanAction });
  assert.deepEqual([...flags.visionAge!], ages);
  const evaluation = evaluateChunks(chunks, flags);
  assert.deepEqual(
    evaluation.visionAges.map(({ age, windows, model }) => [age, windows, model.perDimension[0]]),
    [[0, 2, 0], [1, 3, 1], [2, 3, 2], [3, 1, 3]],
  );
  assert.match(formatEvaluation(evaluation), /\nseen 2 actions before +1\.155 .* 3\n/);

  const each = new EpisodeDataset([episode("red", 9)], { horizon: HORIZON });
  const found = await predictDataset(each, late, { meanAction });
  assert.equal(found.flags.visionAge, undefined);
  assert.deepEqual(evaluateChunks(found.chunks, found.flags).visionAges, []);
  const visionAge = new Int32Array(8);
  assert.throws(() => evaluateChunks(chunks, { visionAge }), /visionAge must hold 9 values/);
});

Deno.test("decision windows have an event after their start and not after their last action", async () => {
  const dataset = new EpisodeDataset([episode("red", 9), episode("blue", 6)], { horizon: HORIZON });
  const { flags } = await predictDataset(dataset, still, {
    meanAction,
    events: ({ manifest }) => manifest.task === "red" ? [100.55] : null,
  });
  assert.deepEqual([...flags.isDecision!], [0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
});

Deno.test("a policy never sees labels", async () => {
  const dataset = new EpisodeDataset([episode("red", 5)], { horizon: HORIZON });
  const names = new Set<string>();
  await predictDataset(dataset, (batch) => {
    Object.keys(batch).forEach((name) => names.add(name));
    return still(batch);
  }, { meanAction });
  assert(names.has("sensor") && names.has("instruction"), [...names].join());
  assert(!names.has("actions") && !names.has("actionMask"), [...names].join());
});

Deno.test("a loader's batches are taken as they are: padded, and with reused memory", async () => {
  const dataset = new EpisodeDataset([episode("red", 9)], { horizon: HORIZON });
  function* padded() {
    const batch = createBatch(6, dataset);
    for (const indices of [[0, 1, 2, 3, 4, 5], [6, 7, 8]]) {
      dataset.readBatch(indices, batch);
      yield { ...batch, count: indices.length };
    }
  }
  const policy = ({ size, action }: { size: number; action: Int32Array }) =>
    Float32Array.from({ length: size * HORIZON * 7 }, (_, i) => action[Math.floor(i / 28)]!);
  const options = { meanAction };
  const expected = await predictDataset(dataset, policy, options);
  assert.deepEqual(
    await predictDataset(dataset, policy, { ...options, batches: padded() }),
    expected,
  );
});

Deno.test("batches out of order, missing or too many, and wrong predictions are refused", async () => {
  const dataset = new EpisodeDataset([episode("red", 5)], { horizon: HORIZON });
  const run = (options: Partial<PredictDatasetOptions>, policy = still) =>
    predictDataset(dataset, policy, { meanAction, ...options });
  const batches = (...lists: number[][]) => lists.map((list) => dataset.readBatch(list));
  await assert.rejects(run({ batches: batches([1, 0, 2, 3, 4]) }), /in order/);
  await assert.rejects(run({ batches: batches([0, 1, 2]) }), /each of 5 windows once/);
  await assert.rejects(run({ batches: batches([0, 1, 2, 3, 4], [4]) }), /current value is 6/);
  await assert.rejects(run({}, () => new Float32Array(3)), /must give 140 values/);
  await assert.rejects(run({ signal: AbortSignal.abort() }), /aborted/);
});
