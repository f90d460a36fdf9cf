import assert from "node:assert/strict";
import { Random, tf } from "trocar/engine";
import {
  addNoise,
  evaluation,
  initialise,
  lossMetricShapes,
  noiseSchedule,
  type PolicyBatch,
  type PolicyConfig,
  policyLossTerms,
  reference,
  training,
  trocar,
} from "../../lib/policies/mod.ts";
import { onEngines } from "./_engines.ts";
import { normal, randomBatch, referencePolicy, still, trocarPolicy } from "./_networks.ts";

const POLICIES = [
  trocarPolicy("diffusion", "concat"),
  referencePolicy("diffusion", "gated"),
] as const;
const STEPS = [0, 7, 19, 19, 3];

/** Five samples: the fourth only fills the batch, the last has no recorded action. */
function batchOf(config: PolicyConfig) {
  const recorded = [8, 5, 8, 8, 0];
  const mask = recorded.flatMap((count) => Array.from({ length: 8 }, (_, h) => +(h < count)));
  const batch = randomBatch(config, 5), actionMask = tf.tensor2d(mask, [5, 8]);
  return {
    ...{ ...batch, actionMask, actions: batch.actions.mul(actionMask.expandDims(2)) },
    steps: tf.tensor1d(STEPS, "int32"),
    noise: normal([5, 8, 7], 4),
    weights: {
      confidence: tf.tensor1d([1, 0.5, 0.25, 0, 1]),
      hasSensor: tf.tensor1d([true, false, true, true, true], "bool"),
    },
  };
}

async function metricsOf(config: PolicyConfig, batch: PolicyBatch, options = {}) {
  const p = initialise(config, { seed: 1 });
  const { metrics, sum, weight } = policyLossTerms(p, config, batch, evaluation(), options);
  const values = async (x: tf.Tensor) => Array.from(await x.data());
  const entries = Object.entries(metrics ?? {}).map(async ([name, x]) =>
    [name, await values(x)] as const
  );
  const loss = (await values(sum))[0]! / (await values(weight))[0]!;
  return { loss, ...Object.fromEntries(await Promise.all(entries)) } as
    & { loss: number }
    & Record<"noiseLoss" | "steps" | "samples" | "stepHistogram", number[]>;
}

const close = (found: number, expected: number, what = "") =>
  assert.ok(
    Math.abs(found - expected) < 2e-5 * Math.max(1, Math.abs(expected)),
    `${what} ${found} ${expected}`,
  );

onEngines(
  "the sums beside a diffusion loss are of the samples that count, without weights",
  async () => {
    for (const config of POLICIES) {
      const batch = batchOf(config);
      const { noiseLoss, steps, samples, stepHistogram } = await metricsOf(config, batch);
      assert.deepEqual([...samples, ...steps], [3, 0 + 7 + 19]);
      const expected = Array(20).fill(0);
      for (const t of [0, 7, 19]) expected[t]++;
      assert.deepEqual(stepHistogram, expected);
      const predicted = await predictedNoise(config, batch), noise = await batch.noise.data();
      let sum = 0;
      for (const [row, recorded] of [8, 5, 8].entries()) {
        let squares = 0;
        for (let i = row * 56; i < row * 56 + recorded * 7; i++) {
          squares += (predicted[i]! - noise[i]!) ** 2;
        }
        sum += squares / (recorded * 7);
      }
      close(noiseLoss[0]!, sum, config.architecture);
    }
  },
);

/** The experts themselves; chunks have mean 0 and deviation 1. */
async function predictedNoise(config: PolicyConfig, batch: ReturnType<typeof batchOf>) {
  const p = initialise(config, { seed: 1 }), context = evaluation();
  const { actions, noise, steps, vision, sensor } = batch;
  if (config.architecture === "trocar") {
    const noisy = addNoise(noiseSchedule(20), actions, noise, steps);
    const memory = trocar.encodeObservation(p, config, batch, context);
    return await trocar.predictNoise(p, config, noisy, steps, memory, context).data();
  }
  const noisy = addNoise(reference.referenceSchedule(config), actions, noise, steps);
  const feature = reference.encodeSensor(p, config.sensorEncoder!, sensor, context);
  const condition = reference.conditionOf(p, config, vision, feature, context);
  return await reference.predictNoise(p, config, noisy, steps, condition, context).data();
}

onEngines("the loss of a velocity is that of the noise and that of the chunk", async () => {
  const config = trocarPolicy("diffusion", "concat");
  const { weights: _, actionMask: __, ...batch } = batchOf(config);
  const { loss } = await metricsOf(config, batch);
  const predicted = tf.tensor3d(await predictedNoise(config, batch as ReturnType<typeof batchOf>), [
    5,
    8,
    7,
  ]);
  const schedule = noiseSchedule(20);
  const noisy = addNoise(schedule, batch.actions, batch.noise, batch.steps);
  const left = tf.tensor3d(STEPS.map((t) => [[schedule.alphaBar[t]!]]));
  const chunk = noisy.sub(tf.sub(1, left).sqrt().mul(predicted)).div(left.sqrt());
  const squares = [predicted.sub(batch.noise), chunk.sub(batch.actions)].map((x) => x.square());
  // The noisiest step leaves so little of the chunk that float32 loses it: √ᾱ is 0.0005 there.
  const known = tf.tensor1d([0, 1, 4], "int32");
  const [ofNoise, ofChunk] = squares.map((x) => tf.gather(x, known).mean([1, 2]));
  const each = await ofNoise!.add(ofChunk!).data();
  for (const [i, row] of [0, 1, 4].entries()) {
    const one = Object.fromEntries(
      Object.entries(batch).map(([name, x]) => [name, x.slice([row], [1])]),
    ) as unknown as PolicyBatch;
    const single = await metricsOf(config, one);
    assert.ok(Math.abs(single.loss - each[i]!) < 1e-3 * single.loss, `${single.loss} ${each[i]}`);
  }
  assert.ok(Number.isFinite(loss));
});

onEngines("parts of a batch add up in each sum", async () => {
  for (const config of POLICIES) {
    const batch = batchOf(config), whole = await metricsOf(config, batch);
    const total = new Map<string, number[]>();
    for (const [start, size] of [[0, 2], [2, 3]] as const) {
      const { weights, ...tensors } = batch;
      const cut = (x: tf.Tensor) => x.slice([start], [size]);
      const part = Object.fromEntries(
        Object.entries(tensors).map(([name, x]) => [name, cut(x)]),
      ) as unknown as PolicyBatch;
      const some = {
        confidence: cut(weights.confidence),
        hasSensor: cut(weights.hasSensor),
      };
      const { loss: _, ...metrics } = await metricsOf(config, { ...part, weights: some });
      for (const [name, values] of Object.entries(metrics)) {
        total.set(name, values.map((value, i) => value + (total.get(name)?.[i] ?? 0)));
      }
    }
    for (const [name, values] of total) {
      values.forEach((value, i) => close(value, whole[name as "steps"][i]!, name));
    }
  }
});

onEngines("steps and noise that are given take the place of random ones", async () => {
  for (const config of POLICIES.map((policy) => still<PolicyConfig>(policy))) {
    const { steps, noise, ...batch } = batchOf(config);
    const p = initialise(config, { seed: 1 });
    const lossOf = async (all: PolicyBatch, seed: number) => {
      const context = training(new Random({ seed, counter: 0 }));
      return (await policyLossTerms(p, config, all, context).sum.data())[0]!;
    };
    const fixed = { ...batch, steps, noise };
    assert.equal(await lossOf(fixed, 1), await lossOf(fixed, 2));
    assert.notEqual(await lossOf(batch, 1), await lossOf(batch, 2));
    const short = { ...fixed, steps: steps.slice([0], [2]) };
    assert.throws(() => policyLossTerms(p, config, short, evaluation()), /same number of samples/);
  }
});

onEngines("constant dimensions do not count in the noise loss", async () => {
  const config = POLICIES[0];
  const batch = batchOf(config), p = initialise(config, { seed: 1 });
  const statistics = {
    action: { mean: Array(7).fill(0), std: Array(7).fill(1), constant: [6] },
    force: { mean: [0], std: [1] },
    aline: { mean: 0, std: 1 },
  };
  const buffers = trocar.normalisation(config, statistics);
  const noiseLoss = async (noise: tf.Tensor) => {
    const { metrics } = policyLossTerms(
      { ...p, ...buffers },
      config,
      { ...batch, noise },
      evaluation(),
    );
    return (await metrics!.noiseLoss!.data())[0]!;
  };
  const gripper = tf.tensor1d([0, 0, 0, 0, 0, 0, 9]);
  close(await noiseLoss(batch.noise.add(gripper)), await noiseLoss(batch.noise));
});

Deno.test("lossMetricShapes() gives the shapes of the sums", async () => {
  for (const config of POLICIES) {
    const batch = batchOf(config), p = initialise(config, { seed: 1 });
    const { metrics } = policyLossTerms(p, config, batch, evaluation());
    const shapes = Object.fromEntries(
      Object.entries(metrics!).map(([name, { shape }]) => [name, shape]),
    );
    assert.deepEqual(shapes, lossMetricShapes(config));
  }
  const few = trocarPolicy("diffusion", "none");
  const config = { ...few, actionExpert: { ...few.actionExpert, timesteps: 100 } };
  assert.deepEqual(lossMetricShapes(config).stepHistogram, [20]);
  const batch = { ...batchOf(config), steps: tf.tensor1d([0, 4, 5, 0, 0], "int32") };
  const { stepHistogram } = await metricsOf(config, batch);
  assert.deepEqual(stepHistogram.slice(0, 3), [2, 1, 0]); // 0 to 4, 5 to 9, 10 to 14
  assert.deepEqual(lossMetricShapes(trocarPolicy("regression", "none")), {});
  const regression = trocarPolicy("regression", "none");
  const terms = policyLossTerms(
    initialise(regression, { seed: 1 }),
    regression,
    batch,
    evaluation(),
  );
  assert.equal(terms.metrics, undefined);
});
