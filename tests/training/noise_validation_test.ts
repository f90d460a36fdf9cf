import assert from "node:assert/strict";
import { join } from "node:path";
import { divideEpisodes } from "../../lib/datasets/mod.ts";
import { Random, startEngine, tf, variables } from "../../lib/engine/mod.ts";
import { findEpisodes, pixel2048 } from "../../lib/features/mod.ts";
import {
  evaluation,
  initialise,
  type PolicyBatch,
  policyLossTerms,
  preset,
} from "../../lib/policies/mod.ts";
import { openTrainingData } from "../../lib/training/mod.ts";
import { createValidation } from "../../lib/training/validation.ts";
import { prepare } from "./_small_run.ts";
import { VALIDATION_STEPS, validationBatches } from "../../lib/training/noise_validation.ts";
import { temporaryFolder } from "../_temporary.ts";

await startEngine({ engine: "wasm", quiet: true });

const SIZES = { family: "diffusion", inputChannels: 9, visionDim: 16, fusion: "concat" } as const;
const SAMPLES = 11;

function policyOf(architecture: "trocar" | "reference") {
  const config = preset("tiny", { ...SIZES, architecture });
  return {
    ...config,
    sensorEncoder: { ...config.sensorEncoder!, hiddenDim: 16, outputDim: 24 },
    actionExpert: { ...config.actionExpert, hiddenDim: 32, sensorDim: 24, layers: 1 },
  } as typeof config;
}

/** Samples by their numbers; −1 fills a batch. */
function batchOf(samples: readonly number[]): PolicyBatch {
  const draw = (shape: number[], stream: string) =>
    tf.stack(
      samples.map((sample) =>
        sample < 0
          ? tf.zeros(shape)
          : new Random({ seed: 5, counter: sample }).normal(shape, stream)
      ),
    );
  return {
    vision: draw([1, 16], "vision"),
    sensor: draw([65, 9], "sensor"),
    actions: draw([8, 7], "actions"),
    actionMask: tf.tensor2d(samples.map((sample) => Array(8).fill(+(sample >= 0)))),
    weights: { confidence: tf.tensor1d(samples.map((sample) => sample < 0 ? 0 : 1 + sample % 3)) },
  };
}

/** Loss over batches of numbers. */
async function lossOf(architecture: "trocar" | "reference", batches: readonly number[][]) {
  const config = policyOf(architecture), p = initialise(config, { seed: 1 });
  let sum = 0, weight = 0;
  for (const samples of batches) {
    for (const fixed of validationBatches(batchOf(samples), samples, config)) {
      const context = evaluation();
      const terms = policyLossTerms(p, config, fixed, context, { normalisation: "global" });
      sum += (await terms.sum.data())[0]!;
      weight += (await terms.weight.data())[0]!;
      assert.deepEqual(context.updates, {}, "running statistics stay");
    }
  }
  return sum / weight;
}

const ALL = Array.from({ length: SAMPLES }, (_, i) => i);

Deno.test("T-13: the validation loss does not depend on batch size, order, or the split on processes", async () => {
  for (const architecture of ["trocar", "reference"] as const) {
    const whole = await lossOf(architecture, [ALL]);
    assert.ok(Number.isFinite(whole) && whole > 0.5);
    const ways: Record<string, number[][]> = {
      "again": [ALL],
      "one by one": ALL.map((i) => [i]),
      "with rows that fill": [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, -1]],
      "backwards": [ALL.toReversed()],
      "two processes": [ALL.filter((i) => i % 2 === 0), ALL.filter((i) => i % 2 === 1)],
    };
    for (const [way, batches] of Object.entries(ways)) {
      const loss = await lossOf(architecture, batches);
      assert.ok(Math.abs(loss - whole) < 2e-6 * whole, `${architecture}, ${way}: ${loss} ${whole}`);
    }
    assert.notEqual(await lossOf(architecture, [ALL.slice(1)]), whole);
  }
});

Deno.test("noise and steps of a sample follow from its number", async () => {
  const config = policyOf("trocar");
  const fixed = [];
  for (const { steps, noise } of validationBatches(batchOf([7, 3]), [7, 3], config)) {
    fixed.push({ steps: [...await steps!.data()], noise: [...await noise!.data()] });
  }
  assert.equal(fixed.length, VALIDATION_STEPS);
  for (const [row, sample] of [7, 3].entries()) {
    // The engine's own generator, in one draw.
    const drawn = new Random({ seed: 0, counter: sample })
      .normal([VALIDATION_STEPS, 8 * 7], "validation.noise");
    const expected = await drawn.array() as number[][];
    fixed.forEach(({ steps, noise }, k) => {
      assert.deepEqual(noise.slice(row * 56, row * 56 + 56), expected[k]);
      const place = (sample * 0.6180339887498949) % 1;
      assert.equal(steps[row], Math.floor((k + place) * 100 / VALIDATION_STEPS));
    });
  }
});

Deno.test("all samples together are validated at all steps, evenly", async () => {
  const config = policyOf("trocar");
  const samples = Array.from({ length: 500 }, (_, i) => i);
  const empty = { vision: tf.zeros([500, 1, 16]), actions: tf.zeros([500, 8, 7]) };
  const counts = Array(10).fill(0), expected = 500 * VALIDATION_STEPS / 10;
  for (const { steps } of validationBatches(empty, samples, config)) {
    for (const t of await steps!.data()) counts[Math.floor(t / 10)]++;
  }
  counts.forEach((count) => assert.ok(Math.abs(count - expected) <= 0.05 * expected, `${counts}`));
});

Deno.test("a regression batch is validated once, as it is; nothing is left behind", () => {
  const batch = batchOf([0, 1]);
  const same = [...validationBatches(batch, [0, 1], preset("tiny"))];
  assert.equal(same.length, 1);
  assert.equal(same[0], batch);
  const before = tf.memory().numTensors;
  for (const fixed of validationBatches(batch, [0, 1], policyOf("trocar"))) {
    if (fixed.steps!.dataSync()[0]! > 0) break; // leaving early too
  }
  for (const _ of validationBatches(batch, [0, 1], policyOf("trocar")));
  assert.equal(tf.memory().numTensors, before);
});

Deno.test("a policy is the same after its validation, running statistics included", async () => {
  const folder = temporaryFolder();
  await prepare(folder);
  using data = await openTrainingData(findEpisodes([join(folder, "episodes")]), {
    extractor: pixel2048(),
    cache: join(folder, "cache"),
    split: (episodes) => divideEpisodes(episodes, ({ manifest }) => manifest.task === "Blue_point"),
    dataset: { proprioceptionMilliseconds: null },
  });
  const reference = preset("tiny", { architecture: "reference", family: "diffusion" });
  const config = {
    ...reference,
    sensorEncoder: { ...reference.sensorEncoder!, hiddenDim: 8, outputDim: 16 },
    actionExpert: { ...reference.actionExpert, hiddenDim: 32, sensorDim: 16, layers: 1 },
  };
  const policy = variables(initialise(config, { seed: 1 }));
  const values = async () => {
    const entries = Object.entries(policy).map(async ([key, variable]) =>
      [key, [...await variable.read().data()]] as const
    );
    return new Map(await Promise.all(entries));
  };
  const before = await values();
  assert.ok([...before.keys()].some((key) => key.endsWith("running_mean")));
  const losses: number[] = [];
  for (const batchSize of [3, 16]) {
    using validation = createValidation(config, policy, data.validation!, {
      ...{ batchSize, loss: { normalisation: "none" } },
    });
    const first = await validation.measure();
    losses.push(first.loss!, (await validation.measure()).loss!);
    // The reference predicts noise: its loss is the error of the noise, each sample as confident here.
    assert.ok(Math.abs(first.noiseLoss! / first.loss! - 1) < 1e-5, `${JSON.stringify(first)}`);
    const stopped = AbortSignal.abort("enough");
    await assert.rejects(validation.measure(stopped), (reason) => reason === "enough");
  }
  assert.deepEqual(await values(), before);
  assert.equal(losses[0], losses[1]);
  assert.equal(losses[2], losses[3]);
  assert.ok(Math.abs(losses[0]! - losses[2]!) < 2e-6 * losses[0]!, `${losses}`);
});
