import assert from "node:assert/strict";
import { compile, Random, tf, valueAndGradients } from "trocar/engine";
import {
  evaluation,
  type Fusion,
  initialise,
  type Parameters,
  policyLoss,
  policyShapes,
  predictActions,
  trainedKeys,
  training,
  trocar,
  weightedSquaredError,
} from "../../lib/policies/mod.ts";
import { onEngines } from "./_engines.ts";
import {
  difference,
  gradientsOf,
  normal,
  randomBatch,
  referencePolicy,
  still,
  trocarPolicy,
} from "./_networks.ts";

const WITH_SENSOR: readonly Fusion[] = ["concat", "cross_attention", "gated"];
const FAMILIES = ["regression", "diffusion"] as const;

onEngines("padding and constant dimensions do not count in trocar's loss", async () => {
  for (const family of FAMILIES) {
    const config = still(trocarPolicy(family, "none"));
    const statistics = {
      action: { mean: Array(7).fill(0), std: [1, 1, 1, 1, 1, 1, 0], constant: [6] },
      force: null,
      aline: null,
    };
    const p = { ...initialise(config, { seed: 1 }), ...trocar.normalisation(config, statistics) };
    const actions = normal([2, 8, 7], 3);
    const actionMask = tf.tensor2d([...Array(12).fill(1), ...Array(4).fill(0)], [2, 8]);
    const other = actions
      .add(tf.sub(1, actionMask).expandDims(2).mul(9))
      .add(tf.tensor1d([0, 0, 0, 0, 0, 0, 5]));
    const loss = async (x: tf.Tensor) => {
      const context = { ...evaluation(new Random({ seed: 3, counter: 0 })) };
      const batch = { vision: normal([2, 1, 16], 1), actions: x, actionMask };
      return (await policyLoss(p, config, batch, context).data())[0]!;
    };
    if (family === "regression") assert.equal(await loss(actions), await loss(other));
    assert.ok(Number.isFinite(await loss(other)));
  }
});

onEngines("every parameter of every policy gets a finite gradient, with dropout", async () => {
  for (const family of FAMILIES) {
    for (const fusion of [...WITH_SENSOR, "none"] as const) {
      for (const config of [trocarPolicy(family, fusion), referencePolicy(family, fusion)]) {
        const { value, gradients } = gradientsOf(config, randomBatch(config, 3));
        assert.deepEqual(Object.keys(gradients), trainedKeys(config));
        const norm = Math.sqrt(
          (await tf.addN(Object.values(gradients).map((g) => g.square().sum())).data())[0]!,
        );
        assert.ok(Number.isFinite(norm) && norm > 0 && Number.isFinite((await value.data())[0]!));
        tf.dispose(gradients);
      }
    }
  }
});

onEngines(
  "weightedSquaredError() is the Python reference's, with and without normalised weights",
  async () => {
    const target = tf.stack([tf.ones([8, 7]), tf.fill([8, 7], 2)]);
    const weights = {
      confidence: tf.tensor1d([1, 0.5]),
      hasSensor: tf.tensor1d([true, false], "bool"),
    };
    const loss = async (normalise: boolean) =>
      (await weightedSquaredError(tf.zerosLike(target), target, weights, { normalise }).data())[0]!;
    assert.ok(Math.abs(await loss(true) - 1.6) < 1e-6);
    assert.ok(Math.abs(await loss(false) - 2) < 1e-6);
  },
);

onEngines("a compiled training step computes what the same does op by op", async () => {
  for (const family of FAMILIES) {
    const config = trocarPolicy(family, "cross_attention");
    const batch = randomBatch(config);
    const parameters = initialise(config, { seed: 1 });
    const step = (p: Record<string, tf.Tensor>, counter: tf.Tensor) => {
      const trained = Object.fromEntries(trainedKeys(config).map((key) => [key, p[key]!]));
      const context = training(new Random({ seed: 2, counter }));
      const loss = (q: Parameters) => policyLoss({ ...p, ...q }, config, batch, context);
      return { ...valueAndGradients(loss, trained).gradients };
    };
    const compiled = compile(step, { name: `${family} step` });
    const at = (counter: number) => tf.scalar(counter, "int32");
    const [own, once, later] = [
      step(parameters, at(4)),
      compiled(parameters, at(4)),
      compiled(
        parameters,
        at(5),
      ),
    ];
    const key = "sensor_encoder.aline_stem.weight";
    assert.ok(await difference(own[key]!, once[key]!) < 2e-6);
    assert.ok(await difference(once[key]!, later[key]!) > 1e-5, "dropout draws anew");
    compiled.dispose();
  }
});

onEngines("training gives new running statistics, evaluation none", async () => {
  const config = still(referencePolicy("regression", "concat"));
  const p = initialise(config, { seed: 1 });
  const batch = randomBatch(config);
  const [learning, watching] = [training(), evaluation()];
  policyLoss(p, config, batch, learning);
  policyLoss(p, config, batch, watching);
  const statistics = policyShapes(config).filter(({ trainable }) => !trainable).map(({ key }) =>
    key
  );
  assert.deepEqual(Object.keys(learning.updates), statistics);
  assert.deepEqual(Object.keys(watching.updates), []);
  const batches = learning.updates["sensor_encoder.conv_backbone.1.num_batches_tracked"]!;
  assert.deepEqual([...await batches.data()], [1]);
});

onEngines("a policy says which tensor is missing, and that training needs random numbers", () => {
  const config = trocarPolicy("regression", "concat");
  const { "action_expert.vl_proj.0.bias": _, ...p } = initialise(config, { seed: 1 });
  const batch = randomBatch(config);
  assert.throws(
    () => predictActions(p, config, batch, evaluation()),
    /tensor "action_expert.vl_proj.0.bias" is missing/,
  );
  assert.throws(
    () => policyLoss(initialise(config, { seed: 1 }), config, batch, training()),
    /Cannot draw ".*": the context needs random numbers/,
  );
});
