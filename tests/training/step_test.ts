import assert from "node:assert/strict";
import { startEngine, tf } from "trocar/engine";
import { initialise, type PolicyBatch, type PolicyConfig } from "../../lib/policies/mod.ts";
import { parameterGroups } from "../../lib/training/groups.ts";
import { createTrainingStep, type TrainingStepOptions } from "../../lib/training/step.ts";
import { onEngines } from "../policies/_engines.ts";
import {
  normal,
  randomBatch,
  referencePolicy,
  still,
  trocarPolicy,
} from "../policies/_networks.ts";

/** Compiling takes seconds: what no engine can do otherwise is tested on one. */
function onWasm(name: string, test: () => Promise<void>): void {
  Deno.test(name, async () => {
    await startEngine({ engine: "wasm", quiet: true });
    await test();
  });
}

const RATES = {
  "expert.decay": 1e-3,
  "expert.no_decay": 1e-3,
  "sensor.decay": 2e-3,
  "sensor.no_decay": 2e-3,
};

function stepOf(config: PolicyConfig, options: Partial<TrainingStepOptions> = {}) {
  const parameters = initialise(config, { seed: 1 });
  const groups = parameterGroups(config);
  const step = createTrainingStep({ config, parameters, groups, seed: 5, ...options });
  tf.dispose(parameters);
  return step;
}

/** Samples that weigh differently, one of which has no action that counts. */
function batchOf(config: PolicyConfig, size = 6): PolicyBatch {
  const actionMask = Array.from({ length: size * 8 }, (_, i) => i >= 40 || i % 8 < 5 ? 1 : 0);
  return {
    ...randomBatch(config, size),
    actionMask: tf.tensor2d(actionMask, [size, 8]),
    weights: {
      confidence: tf.tensor1d(Array.from({ length: size }, (_, i) => 1 / (1 + i))),
      hasSensor: tf.tensor1d(Array.from({ length: size }, (_, i) => i % 2 === 0), "bool"),
    },
  };
}

function part(batch: PolicyBatch, start: number, size: number): PolicyBatch {
  const { confidence, hasSensor } = batch.weights!;
  const cut = (x: tf.Tensor) => x.slice([start], [size]);
  return {
    vision: cut(batch.vision),
    sensor: cut(batch.sensor!),
    actions: cut(batch.actions),
    actionMask: cut(batch.actionMask!),
    weights: { confidence: cut(confidence), hasSensor: cut(hasSensor!) },
  };
}

/** Largest difference of the first moments, which are a tenth of the clipped gradient after one step. */
async function momentDifference(
  a: ReturnType<typeof stepOf>,
  b: ReturnType<typeof stepOf>,
): Promise<number> {
  const [x, y] = [(await a.snapshot()).training, (await b.snapshot()).training];
  let most = 0;
  for (const name of Object.keys(x).filter((name) => name.startsWith("exp_avg."))) {
    const other = y[name]!.data as Float32Array;
    (x[name]!.data as Float32Array).forEach((value, i) =>
      most = Math.max(most, Math.abs(value - other[i]!))
    );
  }
  return most;
}

onEngines(
  "gradients of k batches of b are those of one batch of k·b, and of a shorter rest",
  async () => {
    const config = still(trocarPolicy("regression", "concat"));
    const batch = batchOf(config);
    const loss = {
      kind: "smooth-l1",
      beta: 0.5,
      dimensionWeights: [1, 1, 1, 0.3, 0.3, 0.3, 0.3],
    } as const;
    const whole = stepOf(config, { loss });
    const parts = stepOf(config, { loss, accumulation: 3 });
    const at = (index: number) => ({ index, learningRates: RATES });
    for (const [index, count] of [3, 2, 3].entries()) {
      parts.restore(await whole.snapshot());
      const pieces = Array.from({ length: count }, (_, i) => part(batch, 2 * i, 2));
      const one = await whole.update([part(batch, 0, 2 * count)], at(index));
      const many = await parts.update(pieces, at(index));
      assert.ok(Math.abs(one.loss - many.loss) < 1e-5 * one.loss, `${one.loss} ${many.loss}`);
      assert.ok(Math.abs(one.gradientNorm - many.gradientNorm) < 1e-4 * one.gradientNorm);
      assert.ok(Math.abs(one.weight - many.weight) < 1e-5);
      assert.ok(await momentDifference(whole, parts) < 2e-6, "gradients");
    }
    await assert.rejects(
      parts.update(Array.from({ length: 4 }, () => part(batch, 0, 2)), at(9)),
      /1 to 3 .* more than 3/,
    );
    await assert.rejects(parts.update([], at(9)), /current value is none/);
    const last = [part(batch, 0, 2), part(batch, 2, 2)];
    const one = await whole.update([part(batch, 0, 4)], at(4));
    const many = await parts.update(last, at(4));
    assert.ok(Math.abs(one.gradientNorm - many.gradientNorm) < 1e-3 * one.gradientNorm, "no rests");
    [whole, parts].forEach((step) => step.dispose());
  },
);

onEngines("a batch that is not finite changes nothing and says so", async (engine) => {
  const trocar = trocarPolicy("regression", "gated");
  const reference = referencePolicy("regression", "concat"); // has running statistics
  const cases = [[reference, 1], [trocar, 2]] as const;
  for (const [config, accumulation] of engine === "wasm" ? cases : cases.slice(0, 1)) {
    const step = stepOf(config, { accumulation, ema: 0.9 });
    const good = randomBatch(config, 4);
    const bad = { ...good, actions: good.actions.add(tf.scalar(NaN)) };
    const at = (index: number) => ({ index, learningRates: RATES });
    await step.update([good], at(0));
    const before = await step.snapshot();
    assert.ok((await step.update([good, bad].slice(-accumulation), at(1))).isSkipped);
    assert.deepEqual(await step.snapshot(), before);
    const report = await step.update([good], at(2));
    assert.ok(!report.isSkipped && Number.isFinite(report.loss));
    assert.notDeepEqual(await step.snapshot(), before);
    step.dispose();
  }
});

onEngines(
  "a restored step goes on bit for bit, with dropout, averages and statistics",
  async (engine) => {
    const trocar = trocarPolicy("regression", "concat");
    const reference = referencePolicy("regression", "concat"); // has running statistics
    const cases = [[reference, 2], [trocar, 1]] as const;
    for (const [config, accumulation] of engine === "wasm" ? cases : cases.slice(0, 1)) {
      const options = { ema: 0.99, accumulation };
      const batches = Array.from(
        { length: accumulation },
        (_, seed) => ({ ...randomBatch(config, 4), actions: normal([4, 8, 7], seed) }),
      );
      const run = async (step: ReturnType<typeof stepOf>, indices: readonly number[]) => {
        const reports = [];
        for (const index of indices) {
          reports.push(await step.update(batches, { index, learningRates: RATES }));
        }
        return reports;
      };
      const straight = stepOf(config, options);
      await run(straight, [0, 1]);
      const snapshot = structuredClone(await straight.snapshot());
      const rest = await run(straight, [2, 3]);
      const resumed = stepOf(config, options);
      await run(resumed, [7]); // goes another way first
      resumed.restore(snapshot);
      assert.deepEqual(await resumed.snapshot(), snapshot);
      assert.deepEqual(await run(resumed, [2, 3]), rest);
      assert.deepEqual(await resumed.snapshot(), await straight.snapshot());
      [straight, resumed].forEach((step) => step.dispose());
    }
  },
);

onWasm("the seed and the number of the update decide on dropout", async () => {
  const config = trocarPolicy("regression", "concat");
  const batch = randomBatch(config, 4);
  const lossAt = async (seed: number, index: number) => {
    const step = stepOf(config, { seed });
    const { loss } = await step.update([batch], { index, learningRates: RATES });
    step.dispose();
    return loss;
  };
  assert.equal(await lossAt(5, 3), await lossAt(5, 3));
  assert.notEqual(await lossAt(5, 3), await lossAt(5, 4));
  assert.notEqual(await lossAt(5, 3), await lossAt(6, 3), "other seeds draw otherwise");
});

onWasm(
  "learning rates are those of the position, group by group, and the norm is bounded",
  async () => {
    const config = still(trocarPolicy("regression", "concat"));
    const batch = randomBatch(config, 4);
    const step = stepOf(config);
    const before = (await step.snapshot()).model;
    const learningRates = { ...RATES, "sensor.decay": 0, "sensor.no_decay": 0 };
    const { gradientNorm } = await step.update([batch], { index: 0, learningRates });
    const { model, training } = await step.snapshot();
    for (const [key, { data }] of Object.entries(model)) {
      const isTrained = `exp_avg.${key}` in training;
      const changes = key.startsWith("action_expert.") && isTrained;
      const same = data.every((value, i) => value === before[key]!.data[i]);
      if (!changes || !key.includes("missing")) assert.equal(same, !changes, key);
    }
    // After one step the first moment is a tenth of the clipped gradient.
    const squares = Object.entries(training).filter(([name]) => name.startsWith("exp_avg."))
      .flatMap(([, { data }]) => Array.from(data as Float32Array, (value) => (10 * value) ** 2));
    const norm = Math.sqrt(squares.reduce((a, b) => a + b, 0));
    assert.ok(Math.abs(norm - Math.min(1, gradientNorm)) < 1e-4, `${norm} of ${gradientNorm}`);
    const { "expert.decay": _, ...rest } = RATES;
    await assert.rejects(
      step.update([batch], { index: 1, learningRates: rest }),
      /group "expert.decay" needs a learning rate/,
    );
    step.dispose();
  },
);

onWasm("averages follow the parameters, at first faster", async () => {
  const config = still(trocarPolicy("regression", "none"));
  const batch = randomBatch(config, 4);
  const step = stepOf(config, { ema: 0.5 });
  const key = "action_expert.output_head.1.bias";
  const values = async (name: "model" | "training", at: string) =>
    (await step.snapshot())[name][at]!.data as Float32Array;
  let expected = Array.from(await values("model", key));
  for (let index = 0; index < 12; index++) {
    await step.update([batch], { index, learningRates: RATES });
    const kept = Math.min(0.5, (2 + index) / (11 + index));
    const now = await values("model", key);
    expected = expected.map((value, i) => kept * value + (1 - kept) * now[i]!);
    const averages = await values("training", `ema.${key}`);
    averages.forEach((value, i) => assert.ok(Math.abs(value - expected[i]!) < 1e-6));
  }
  step.dispose();
});

onWasm("a snapshot that does not fit is refused as a whole", async () => {
  const config = still(trocarPolicy("regression", "none"));
  const step = stepOf(config);
  const snapshot = await step.snapshot();
  const key = "action_expert.output_head.1.bias";
  const { [key]: bias, ...model } = snapshot.model;
  const training = { ...snapshot.training, "ema.extra": bias! };
  const wrong = { ...model, "action_expert.pos_embed": bias! };
  await step.update([randomBatch(config, 2)], { index: 0, learningRates: RATES });
  const before = await step.snapshot();
  assert.throws(() => step.restore({ model: wrong, training }), (error: Error) => {
    assert.match(error.message, /3 arrays do not fit/);
    assert.match(error.message, /"action_expert.output_head.1.bias" is missing/);
    assert.match(error.message, /pos_embed" is float32\[7\] instead of float32\[1,8,32\]/);
    assert.match(error.message, /"ema.extra" is unexpected/);
    return true;
  });
  assert.deepEqual(await step.snapshot(), before);
  step.dispose();
});

onEngines("updates keep no tensors", async (engine) => {
  const config = trocarPolicy("regression", "concat");
  for (const accumulation of engine === "wasm" ? [1, 2] : [2]) {
    const step = stepOf(config, { accumulation, ema: 0.9 });
    const batch = randomBatch(config, 2);
    const update = (index: number) => step.update([batch], { index, learningRates: RATES });
    await update(0);
    const { numTensors } = tf.memory();
    for (let index = 1; index < 4; index++) await update(index);
    assert.equal(tf.memory().numTensors, numTensors);
    step.dispose();
  }
});
