import assert from "node:assert/strict";
import {
  averageDraws,
  calibration,
  type ChunkPredictions,
  contactLabels,
  groupedProbe,
  logisticRegression,
  pairedBootstrap,
  paretoFront,
  policyPredictions,
  sensorSummary,
  worstWindows,
} from "../../lib/evaluation/mod.ts";
import { EpisodeDataset } from "../../lib/datasets/mod.ts";
import { FOLDER, formula } from "./_fixture.ts";

/** What scikit-learn and NumPy say: make_probes.py. */
const recorded = JSON.parse(Deno.readTextFileSync(new URL("probes.json", FOLDER)));
const N = 60, D = 3;
const inputs = formula(N * D, 11).map((value, i) => 4 * value + [1, -2, 0.5][i % D]!);
const { labels } = recorded.probes as { labels: number[] };
const groups = Array.from({ length: N }, (_, i) => i % 6);

function assertClose(found: ArrayLike<number>, expected: ArrayLike<number>, most: number) {
  assert.equal(found.length, expected.length);
  Array.from(found).forEach((value, i) =>
    assert(Math.abs(value - expected[i]!) <= most, `${i}: ${value} and ${expected[i]}`)
  );
}

Deno.test("logistic regression finds what scikit-learn finds", () => {
  for (const { penalty, weights, bias, probability } of recorded.probes.fits) {
    const model = logisticRegression(inputs, D, labels, { penalty });
    assertClose(model.weights, weights, 1e-6);
    assertClose([model.bias], [bias], 1e-6);
    assertClose(model.probability(inputs), probability, 1e-6);
  }
});

Deno.test("classes that a plane divides, and constant inputs, still give a finite rule", () => {
  const apart = logisticRegression([-1, 7, -2, 7, 1, 7, 2, 7], 2, [0, 0, 1, 1], { penalty: 1e-6 });
  assert(apart.weights.every(Number.isFinite) && apart.weights[0]! > 1);
  assert.deepEqual([...apart.probability([-9, 7, 9, 7])].map(Math.round), [0, 1]);
});

Deno.test("probes refuse labels of one class, other labels, and inputs that do not fit", () => {
  assert.throws(() => logisticRegression([1, 2], 1, [1, 1]), /both occur/);
  assert.throws(() => logisticRegression([1, 2], 1, [0, 2]), /labels must be 0 and 1/);
  assert.throws(() => logisticRegression([1, 2, 3], 1, [0, 1]), /2 rows of 1 values/);
  assert.throws(() => logisticRegression([1, 2], 1, [0, 1], { penalty: 0 }), /penalty/);
  assert.throws(() => groupedProbe([1, 2], 1, [0, 1], [0, 0]), /folds/);
});

Deno.test("probes refuse inputs that are not finite, and name them", () => {
  for (const bad of [NaN, Infinity]) {
    const broken = Array.from(inputs);
    broken[7 * D + 2] = bad;
    const expected = { name: "RangeError", message: /row 7, column 2 must be finite/ };
    assert.throws(() => logisticRegression(broken, D, labels), expected);
    assert.throws(() => groupedProbe(broken, D, labels, groups), expected);
    const without = labels.map((label, i) => i === 7 ? -1 : label);
    assert.equal(groupedProbe(broken, D, without, groups).points, N - 1);
  }
});

Deno.test("a grouped probe judges each group by a rule that did not see it, as scikit-learn does", () => {
  const { probability, confusion, balancedAccuracy, auc } = recorded.probes.grouped;
  const found = groupedProbe(inputs, D, labels, groups, { folds: 5 });
  assertClose(found.probability, probability, 1e-6);
  assert.deepEqual(found.confusion, confusion);
  assertClose([found.balancedAccuracy, found.auc], [balancedAccuracy, auc], 1e-12);
});

Deno.test("what is told apart by the episode alone is not found in other episodes", () => {
  // One input names the episode; labels follow from it without any rule.
  const values = groups.flatMap((group) => Array.from({ length: 6 }, (_, d) => +(d === group)));
  const byGroup = groups.map((group) => [0, 1, 1, 0, 1, 0][group]!);
  const { balancedAccuracy } = groupedProbe(values, 6, byGroup, groups, { folds: 6 });
  assert(balancedAccuracy <= 0.5, `${balancedAccuracy}`);
});

Deno.test("points without a label are left out of fit and judgement", () => {
  const some = labels.map((label, i) => i % 7 === 3 ? -1 : label);
  const found = groupedProbe(inputs, D, some, groups);
  assert.equal(found.points, some.filter((label) => label >= 0).length);
  assert(found.probability.every((value, i) => Number.isNaN(value) === (some[i] === -1)));
});

const W = 40, H = 2, A = 3, K = 6;

function chunksOf(predicted: Float64Array): ChunkPredictions {
  return {
    ...{ windows: W, horizon: H, dimensions: ["dx", "dy", "dz"], units: ["mm", "mm", "mm"] },
    ...{ counted: [0, 1, 2], rotation: null, predicted, truth: formula(W * H * A, 1) },
    mask: new Uint8Array(W * H).fill(1),
    episode: Int32Array.from({ length: W }, (_, window) => Math.floor(window / 5)),
    lastAction: new Float64Array(W * A),
    meanAction: [0, 0, 0],
  };
}

const draws = Array.from({ length: K }, (_, k) => {
  const noise = formula(W * H * A, 20 + k);
  return chunksOf(
    formula(W * H * A, 1).map((value, i) => value + (1 + Math.floor(i / (H * A)) % 5) * noise[i]!),
  );
});

Deno.test("calibration is what NumPy computes", () => {
  const { bins, ratio, correlation, covered } = recorded.ensemble;
  const found = calibration(draws, { bins: 4 });
  found.bins.forEach((bin, i) => {
    assert.equal(bin.windows, bins[i].windows);
    assertClose(
      [bin.spread, bin.expected, bin.rmse],
      [bins[i].spread, bins[i].expected, bins[i].rmse],
      1e-12,
    );
  });
  assertClose(
    [found.ratio, found.correlation, found.covered],
    [ratio, correlation, covered],
    1e-12,
  );
  assert.throws(() => calibration(draws.slice(1, 2)), /at least 2 draws/);
  assert.throws(() => calibration(draws, { bins: 41 }), /bins/);
});

Deno.test("of draws among which the record is one more, spread and error agree", () => {
  const all = Array.from({ length: 9 }, (_, k) => formula(W * H * A, 100 + 7 * k));
  const truth = all[8]!;
  const found = calibration(
    all.slice(0, 8).map((predicted) => ({ ...chunksOf(predicted), truth })),
  );
  assert(Math.abs(found.ratio - 1) < 0.1, `${found.ratio}`);
  assert(Math.abs(found.covered - found.expectedCovered) < 0.08, `${found.covered}`);
});

Deno.test("padding counts nowhere in calibration, bootstrap and worst windows", () => {
  const broken = draws.map((draw) => {
    const mask = draw.mask.slice(), predicted = Float64Array.from(draw.predicted);
    mask[1] = 0;
    predicted.fill(1e6, A, 2 * A); // step 1 of window 0
    return { ...draw, mask, predicted };
  });
  assert(calibration(broken).all.rmse < 10);
  assert(pairedBootstrap(broken[0]!, broken[1]!).rmse < 10);
  assert(worstWindows(broken[0]!).every(({ rmse }) => rmse < 10));
});

Deno.test("a bootstrap of a policy with itself is 0, of a better one an interval above 0", () => {
  const [first] = draws;
  const same = pairedBootstrap(first!, first!);
  assert.deepEqual([same.difference, same.low, same.high, same.episodes], [0, 0, 0, 8]);
  const better = averageDraws(draws);
  const { difference, low, high } = pairedBootstrap(better, first!);
  assert(0 < low && low < difference && difference < high);
  const turned = pairedBootstrap(first!, better);
  assertClose([turned.difference, turned.low, turned.high], [-difference, -high, -low], 1e-12);
  assert.deepEqual(pairedBootstrap(better, first!), pairedBootstrap(better, first!));
});

Deno.test("the interval is as wide as episodes differ, not as many windows as there are", () => {
  const [chunks] = draws, { truth } = chunks!;
  const noise = formula(W * H * A, 77);
  // Errors of the second policy differ by episode; within an episode all windows have the same.
  const shift = (i: number) => formula(8, 5)[Math.floor(i / (5 * H * A))]!;
  const one = chunksOf(truth.map((value, i) => value + 0.1 * noise[i]!) as Float64Array);
  const other = chunksOf(one.predicted.map((value, i) => value + shift(i)) as Float64Array);
  const { low, high } = pairedBootstrap(one, other);
  const asOne = { ...one, episode: Int32Array.from({ length: W }, (_, window) => window) };
  const loose = pairedBootstrap(asOne, { ...other, episode: asOne.episode });
  assert(high - low > 1.5 * (loose.high - loose.low), `${high - low} ${loose.high - loose.low}`);
});

Deno.test("policies on other windows are not compared", () => {
  const [first] = draws;
  const other = { ...first!, truth: first!.truth.map((value) => value + 1) };
  assert.throws(() => pairedBootstrap(first!, other), /the same windows/);
  assert.throws(() => pairedBootstrap(first!, first!, { resamples: 0 }), /positive integer/);
});

Deno.test("the worst windows are the worst, and no two are neighbours of one episode", () => {
  const [first] = draws;
  const predicted = Float64Array.from(first!.truth);
  for (const [window, error] of [[3, 5], [4, 4], [12, 3], [30, 6]] as const) {
    predicted[window * H * A] = first!.truth[window * H * A]! + error;
  }
  const found = worstWindows({ ...first!, predicted }, { count: 3, apart: 5 });
  assert.deepEqual(found.map(({ window }) => window), [30, 3, 12]);
  assertClose(found.map(({ path }) => path), [6, 5, 3], 1e-9);
  assertClose([found[0]!.rmse], [6 / Math.sqrt(H * A)], 1e-9);
});

Deno.test("the front holds nothing that another beats, and everything else is beaten", () => {
  const cost = formula(50, 31), error = formula(50, 32);
  const all = Array.from(cost, (each, i) => ({ cost: each, error: error[i]! }));
  const front = paretoFront(all);
  const beats = (a: typeof all[0], b: typeof all[0]) => a.cost <= b.cost && a.error <= b.error;
  for (const each of front) assert(!all.some((other) => other !== each && beats(other, each)));
  for (const each of all) assert(front.includes(each) || front.some((other) => beats(other, each)));
  assert.deepEqual(paretoFront([]), []);
});

/** An episode of 10 actions whose force steps up at 0.5 s, if it does. */
function episode(name: string, steps = true) {
  const rows = 650;
  return {
    path: `/data/red/${name}`,
    manifest: { name, task: "red", instruction: "" },
    robotTime: Float64Array.from({ length: 11 }, (_, i) => i / 10),
    robotState: new Float32Array(11 * 12),
    action: Float32Array.from({ length: 10 * 7 }, (_, i) => i),
    actionTime: Float64Array.from({ length: 20 }, (_, i) => Math.ceil(i / 2) / 10),
    segment: new Int32Array(10),
    images: [],
    sensor: {
      time: Float64Array.from({ length: rows }, (_, row) => row / rows),
      rows,
      readRowsInto: (start: number, target: Float32Array) => {
        for (let i = 0; i < target.length; i++) {
          const row = start + Math.floor(i / 1026), depth = i % 1026 - 1;
          target[i] = depth < 0 ? (steps && row >= 325 ? 3 : 2) + 0.01 * (row % 2) : depth;
        }
      },
    },
  };
}

Deno.test("samples are labelled by the onset of force, and not where there is none", () => {
  const dataset = new EpisodeDataset([episode("one"), episode("two", false)]);
  const { labels: found, onset } = contactLabels(dataset);
  assert.deepEqual(onset, [0.5, null]);
  assert.deepEqual([...found].join(""), "0000011111" + "-1".repeat(10));
});

Deno.test("a summary of the sensor holds its force, its change, and the bands of the A-line", () => {
  const { values, dimensions } = sensorSummary(new EpisodeDataset([episode("one")]), { bands: 5 });
  assert.equal(dimensions, 7);
  const [force, change, ...bands] = values.subarray(9 * 7);
  assertClose([force!, change!], [3.005, 0], 2e-3);
  assertClose(bands, [102, 307, 512, 717, 922], 1e-3);
  // At 0.55 s half of the window lies before the step.
  const late = sensorSummary(
    new EpisodeDataset([{
      ...episode("one"),
      actionTime: Float64Array.from({ length: 20 }, () => 0.55),
    }]),
  );
  assertClose([late.values[1]!], [1], 0.06);
});

Deno.test("each draw has a number of its own, whatever the batches, and no labels", async () => {
  const dataset = new EpisodeDataset([episode("one")], { horizon: 2, sensorMilliseconds: null });
  const features = {
    readBatch: (indices: ArrayLike<number>) =>
      Promise.resolve({
        ...{
          tokens: 1,
          values: Float32Array.from(indices),
          tokenMask: new Uint8Array(indices.length),
        },
        ...{ viewMask: new Uint8Array(0), imageAge: new Float64Array(0) },
      }),
  };
  const policy = {
    predict: (seen: { size: number; vision: Float32Array; index?: ArrayLike<number> }) => {
      assert(!("actions" in seen), "a policy is shown the answer");
      return Promise.resolve(
        Float32Array.from({ length: seen.size * 14 }, (_, i) => {
          const row = Math.floor(i / 14);
          return seen.index![row]! + 1000 * seen.vision[row]!;
        }),
      );
    },
  };
  const meanAction = new Float32Array(7);
  const ask = (batchSize: number) =>
    policyPredictions(policy, { dataset, features }, { meanAction, draws: 3, batchSize });
  const { draws: found } = await ask(4);
  found.forEach(({ predicted, truth }, draw) => {
    for (let window = 0; window < 10; window++) {
      assert.equal(predicted[window * 14], window + 10 * draw + 1000 * window);
    }
    assert.deepEqual(truth, found[0]!.truth);
  });
  assert.deepEqual(
    (await ask(64)).draws.map(({ predicted }) => predicted),
    found.map((d) => d.predicted),
  );
  await assert.rejects(
    policyPredictions(policy, { dataset, features }, { meanAction, draws: 0 }),
    /positive integer/,
  );
  assert.throws(() => averageDraws([]), RangeError);
});
