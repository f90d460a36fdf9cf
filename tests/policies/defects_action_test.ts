/** What the Python reference's networks do wrong with actions, shown on `reference`; and that `trocar` does it right. */
import assert from "node:assert/strict";
import { adamw, read, tf, valueAndGradients, variables } from "trocar/engine";
import {
  evaluation,
  evenLadder,
  initialise,
  legacyLadder,
  noiseSchedule,
  type Parameters,
  policyLoss,
  predictActions,
  reference,
  sampleDdpm,
  trocar,
} from "../../lib/policies/mod.ts";
import { onEngines } from "./_engines.ts";
import {
  difference,
  gradientsOf,
  largest,
  normal,
  randomBatch,
  referencePolicy,
  still,
  trocarPolicy,
} from "./_networks.ts";

onEngines(
  "M-1: a policy that corrects the true chunk learns to add nothing, from zeros it learns",
  async () => {
    const tiny = still(referencePolicy("regression", "none"));
    const sizes = { hiddenDim: 16, heads: 2, layers: 1 };
    const config = { ...tiny, actionExpert: { ...tiny.actionExpert, ...sizes } };
    const vision = normal([8, 1, 16], 1);
    const target = tf.tile(vision.slice([0, 0, 0], [8, 1, 7]), [1, 8, 1]).mul(0.5);
    const error = async (chunkOf: (target: tf.Tensor) => tf.Tensor) => {
      const state = variables(initialise(config, { seed: 1 }));
      const optimizer = adamw({ learningRate: 1e-2, weightDecay: 0 });
      const moments = optimizer.init(state);
      const predict = (p: Parameters, chunk: tf.Tensor) =>
        reference.regressActions(p, config, { vision, sensor: null, chunk }, evaluation())
          .prediction;
      for (let i = 0; i < 80; i++) {
        tf.tidy(() => {
          const { gradients } = valueAndGradients(
            (p) => predict(p, chunkOf(target)).sub(target).square().mean(),
            read(state),
          );
          optimizer.update(gradients, moments, state);
        });
      }
      const values = tf.tidy(() =>
        predict(read(state), tf.zerosLike(target)).sub(target).square().mean()
      );
      return (await values.data())[0]!;
    };
    const nothing = (await target.square().mean().data())[0]!;
    const leaked = await error((truth) => truth);
    const honest = await error(tf.zerosLike);
    assert.ok(leaked > 0.8 * nothing, `trained on the truth: ${leaked} of ${nothing}`);
    assert.ok(honest < 0.2 * nothing, `trained from zeros: ${honest} of ${nothing}`);
  },
);

onEngines("M-1: trocar predicts without seeing the true chunk", async () => {
  const config = still(trocarPolicy("regression", "concat"));
  const batch = randomBatch(config);
  const parameters = initialise(config, { seed: 1 });
  const loss = async (actions: tf.Tensor) =>
    (await policyLoss(parameters, config, { ...batch, actions }, evaluation()).data())[0]!;
  const predicted = predictActions(parameters, config, batch, evaluation());
  // The loss is the squared distance from one prediction, whatever the truth is.
  for (const actions of [batch.actions, batch.actions.mul(-2)]) {
    const expected = (await predicted.sub(actions).square().mean().data())[0]!;
    assert.ok(Math.abs(await loss(actions) - expected) < 1e-4 * expected);
  }
});

onEngines("M-4: trocar's denoiser can order a chunk", async () => {
  const order = tf.tensor1d([3, 0, 7, 1, 6, 2, 5, 4], "int32");
  const x = normal([2, 8, 7], 5);
  const steps = tf.tensor1d([3, 17], "int32");
  const apart = (predict: (x: tf.Tensor) => tf.Tensor) =>
    difference(predict(tf.gather(x, order, 1)), tf.gather(predict(x), order, 1));

  const old = still(referencePolicy("diffusion", "none"));
  const p = initialise(old, { seed: 1 });
  const vision = normal([2, 1, 16], 1);
  const condition = reference.conditionOf(p, old, vision, null, evaluation());
  const equivariant = await apart((noisy) =>
    reference.predictNoise(p, old, noisy, steps, condition, evaluation())
  );
  assert.ok(equivariant < 2e-6, `reference: ${equivariant}`);

  const config = still(trocarPolicy("diffusion", "none"));
  const q = initialise(config, { seed: 1 });
  const memory = trocar.encodeObservation(q, config, { vision }, evaluation());
  const ordered = await apart((noisy) =>
    trocar.predictNoise(q, config, noisy, steps, memory, evaluation())
  );
  assert.ok(ordered > 1e-3, `trocar: ${ordered}`);
});

onEngines(
  "M-5: actions are normalised by statistics, and a constant dimension is masked",
  async () => {
    const config = still(trocarPolicy("diffusion", "none"));
    const statistics = {
      action: { mean: [1, 2, 3, 0, 0, 0, 1], std: [40, 5, 1, 1, 1, 9, 0], constant: [6] },
      force: null,
      aline: null,
    };
    const p = { ...initialise(config, { seed: 1 }), ...trocar.normalisation(config, statistics) };
    const actions = normal([3, 8, 7], 3).mul(20);
    const normalised = trocar.normaliseActions(p, actions);
    assert.ok(
      await difference(
        trocar.denormaliseActions(p, normalised).slice([0, 0, 0], [3, 8, 6]),
        actions.slice([0, 0, 0], [3, 8, 6]),
      ) < 1e-4,
    );
    const noise = normal([2, 8, 7], 4);
    const chunk = predictActions(p, config, { vision: normal([2, 1, 16], 1) }, evaluation(), {
      noise,
    });
    const gripper = chunk.slice([0, 0, 6], [2, 8, 1]);
    assert.equal(await difference(gripper, tf.onesLike(gripper)), 0);
    assert.ok(await largest(chunk) > 1, "actions beyond ±1 are possible");
    const deviations = await largest(trocar.normaliseActions(p, chunk));
    assert.ok(deviations > 1 && deviations < 5.001, `${deviations} standard deviations`);
    const old = still(referencePolicy("diffusion", "none"));
    const clamped = predictActions(
      initialise(old, { seed: 1 }),
      old,
      { vision: normal([2, 1, 16], 1) },
      evaluation(),
      { noise },
    );
    assert.ok(await largest(clamped) <= 1, "the reference cannot predict them");
  },
);

onEngines("M-16: a chunk of another horizon is an error", () => {
  for (const config of [referencePolicy("diffusion", "none"), trocarPolicy("diffusion", "none")]) {
    const batch = { vision: normal([2, 1, 16], 1), actions: normal([2, 1, 7], 3) };
    assert.throws(
      () => gradientsOf(config, batch),
      /must be \(B, 8, 7\), current value is \(2, 1, 7\)/,
    );
  }
});

onEngines("M-18: DDPM with clipped chunks stays in range", async () => {
  const start = normal([2, 8, 7], 1);
  const noiseOf = (t: number) => normal([2, 8, 7], 100 + t);
  const untrained = (x: tf.Tensor) => x.mul(0).add(normal([2, 8, 7], 9).mul(0.1));
  const old = noiseSchedule(100, { largestBeta: 0.9999 });
  const wild = await largest(sampleDdpm(old, untrained, start, noiseOf, { clip: null }));
  assert.ok(wild > 1000, `reference: ${wild}`);
  const tame = await largest(sampleDdpm(noiseSchedule(100), untrained, start, noiseOf));
  assert.ok(tame <= 1.00001, `trocar: ${tame}`);
});

Deno.test("M-19: the ladder begins with the noisiest step, and its length is checked", () => {
  assert.equal(legacyLadder(100, 10)[0], 90);
  assert.equal(evenLadder(100, 10)[0], 99);
  assert.equal(evenLadder(100, 40)[0], 99);
  assert.throws(() => evenLadder(50, 100), /from 1 to 50, .*current value is 100/);
});

onEngines("M-17: the number of noise steps is part of the configuration", async () => {
  const config = still(trocarPolicy("diffusion", "none"));
  const p = initialise(config, { seed: 1 });
  const observation = { vision: normal([1, 1, 16], 1) };
  const noise = normal([1, 8, 7], 2);
  const predict = (samplingSteps: number, timesteps = 20) =>
    predictActions(
      p,
      { ...config, actionExpert: { ...config.actionExpert, timesteps } },
      observation,
      evaluation(),
      { samplingSteps, noise },
    );
  assert.throws(() => predict(21), /from 1 to 20/);
  assert.ok(await difference(predict(5), predict(5, 50)) > 1e-4);
});
