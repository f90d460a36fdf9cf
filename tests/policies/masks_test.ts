import assert from "node:assert/strict";
import { Random, tf, valueAndGradients } from "trocar/engine";
import {
  evaluation,
  type Fusion,
  FUSIONS,
  initialise,
  type PolicyBatch,
  type PolicyConfig,
  policyLoss,
  predictActions,
  preset,
  trainedKeys,
  training,
} from "../../lib/policies/mod.ts";
import { onEngines } from "./_engines.ts";
import { normal, SIZES, still } from "./_networks.ts";

function configs(): PolicyConfig[] {
  return (["trocar", "reference"] as const).flatMap((architecture) =>
    (["regression", "diffusion"] as const).flatMap((family) =>
      FUSIONS.map((fusion: Fusion) =>
        still(preset("tiny", { architecture, family, fusion, ...SIZES })) as PolicyConfig
      )
    )
  );
}

/** The last three actions of the second sample, and its oldest ten sensor rows, were not recorded. */
function batchWith(hidden: number): PolicyBatch {
  const isHidden = (shape: number[], place: (index: number[]) => boolean) => {
    const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
    const size = shape[0]! * strides[0]!;
    return Uint8Array.from(
      { length: size },
      (_, i) => +place(strides.map((stride, axis) => Math.floor(i / stride) % shape[axis]!)),
    );
  };
  const actions = isHidden([2, 8, 7], ([b, h]) => b === 1 && h! > 4);
  const rows = isHidden([2, 65, 9], ([b, t]) => b === 1 && t! < 10);
  const put = (x: tf.Tensor, where: Uint8Array) =>
    tf.where(tf.tensor(where, x.shape, "bool"), tf.fill(x.shape, hidden), x);
  return {
    vision: normal([2, 3, 16], 1),
    actions: put(normal([2, 8, 7], 2), actions),
    actionMask: tf.tensor2d(isHidden([2, 8], ([b, h]) => !(b === 1 && h! > 4)), [2, 8], "bool"),
    sensor: put(normal([2, 65, 9], 3), rows),
    sensorMask: tf.tensor2d(isHidden([2, 65], ([b, t]) => !(b === 1 && t! < 10)), [2, 65], "bool"),
  };
}

onEngines("what was not recorded may be anything, NaN too", async () => {
  for (const config of configs()) {
    const name = `${config.architecture} ${config.family} ${config.fusion}`;
    const p = initialise(config, { seed: 1 });
    const trained = Object.fromEntries(trainedKeys(config).map((key) => [key, p[key]!]));
    const results = async (hidden: number) => {
      // The reference looks at every sensor row: it has no masks.
      const batch = config.architecture === "trocar"
        ? batchWith(hidden)
        : { ...batchWith(hidden), sensor: batchWith(0).sensor! };
      const { value, gradients } = valueAndGradients(
        (q) =>
          policyLoss({ ...p, ...q }, config, batch, training(new Random({ seed: 1, counter: 0 }))),
        trained,
      );
      const norm = tf.stack(Object.values(gradients).map((g) => g.square().sum())).sum();
      return [(await value.data())[0], (await norm.data())[0]];
    };
    const [loss, norm] = await results(0);
    assert.ok(Number.isFinite(loss) && norm! > 0, name);
    assert.deepEqual(await results(NaN), [loss, norm], name);
    assert.deepEqual(await results(1e30), [loss, norm], name);
  }
});

onEngines("constant dimensions may hold anything", async () => {
  const config = still(preset("tiny", { fusion: "none", ...SIZES }));
  const p = {
    ...initialise(config, { seed: 1 }),
    "action_expert.action_mask": tf.tensor1d([1, 1, 1, 1, 1, 1, 0]),
  };
  const actions = tf.concat([normal([2, 8, 6], 1), tf.fill([2, 8, 1], NaN)], 2);
  const loss = policyLoss(p, config, { vision: normal([2, 1, 16], 2), actions }, training());
  assert.ok(Number.isFinite((await loss.data())[0]));
});

onEngines("a batch in which nothing counts has loss 0", async () => {
  const config = still(preset("tiny", { fusion: "none", ...SIZES }));
  const batch = {
    ...{ vision: normal([2, 1, 16], 1), actions: normal([2, 8, 7], 2) },
    weights: { confidence: tf.zeros([2]) },
  };
  for (const normalisation of ["global", "batch", "none"] as const) {
    const p = initialise(config, { seed: 1 });
    const loss = policyLoss(p, config, batch, training(), { normalisation });
    assert.equal((await loss.data())[0], 0, normalisation);
  }
});

onEngines("masks of other shapes are refused instead of broadcast", () => {
  const config = still(preset("tiny", { ...SIZES }));
  const p = initialise(config, { seed: 1 });
  const batch = batchWith(0);
  const bad = { sensorMask: [2, 1], visionMask: [2, 1], actionMask: [2, 7] };
  for (const [name, shape] of Object.entries(bad)) {
    const wrong = { ...batch, [name]: tf.ones(shape) };
    assert.throws(() => policyLoss(p, config, wrong, training()), new RegExp(`${name} must be`));
    if (name === "actionMask") continue;
    const { actions: _, actionMask: __, ...observation } = wrong;
    assert.throws(
      () => predictActions(p, config, observation, evaluation()),
      new RegExp(`${name} must be`),
    );
  }
});
