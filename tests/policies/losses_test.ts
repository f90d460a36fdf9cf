import assert from "node:assert/strict";
import { Random, tf } from "trocar/engine";
import {
  type ErrorOptions,
  evaluation,
  initialise,
  type LossNormalisation,
  policyLoss,
  predictActions,
  type SampleWeights,
  training,
  trocar,
  weightedError,
} from "../../lib/policies/mod.ts";
import { onEngines } from "./_engines.ts";
import { normal, randomBatch, referencePolicy, still, trocarPolicy } from "./_networks.ts";

async function valueOf(x: tf.Tensor): Promise<number> {
  return (await x.data())[0]!;
}

async function lossOf(
  prediction: tf.Tensor,
  target: tf.Tensor,
  weights: SampleWeights,
  options: ErrorOptions & { readonly mask?: tf.Tensor } = {},
): Promise<number> {
  const { sum, weight } = weightedError(prediction, target, weights, options);
  return await valueOf(sum) / await valueOf(weight);
}

const close = (a: number, b: number, what = "") =>
  assert.ok(Math.abs(a - b) < 1e-5, `${what} ${a} ${b}`);

onEngines(
  "weightedError() gives 1.6 of the reference's vector, and 2.0 without weights",
  async () => {
    const target = tf.stack([tf.ones([8, 7]), tf.fill([8, 7], 2)]);
    const zeros = tf.zerosLike(target);
    const weights = {
      confidence: tf.tensor1d([1, 0.5]),
      hasSensor: tf.tensor1d([true, false], "bool"),
    };
    const of = (normalisation: LossNormalisation) =>
      lossOf(zeros, target, weights, { normalisation });
    close(await of("global"), 1.6);
    close(await of("batch"), 1.6);
    close(await of("none"), 2);
  },
);

onEngines("smooth L1 is PyTorch's", async () => {
  // torch.nn.functional.smooth_l1_loss(torch.tensor(d), torch.tensor(0.), beta=beta)
  const cases = [
    ...[[0.05, 0.1, 0.0125], [0.1, 0.1, 0.05], [-0.3, 0.1, 0.25], [2, 1, 1.5], [-0.5, 1, 0.125]],
  ] as const;
  const weights = { confidence: tf.ones([1]) };
  for (const [difference, beta, expected] of cases) {
    const prediction = tf.fill([1, 8, 7], difference!);
    const options = { kind: "smooth-l1", beta: beta! } as const;
    close(await lossOf(prediction, tf.zeros([1, 8, 7]), weights, options), expected!);
  }
  const wrong = { kind: "smooth-l1", beta: 0 } as const;
  const zeros = tf.zeros([1, 8, 7]);
  assert.throws(() => weightedError(zeros, zeros, weights, wrong), /beta .* current value is 0/);
});

onEngines("only with global do the parts of a batch add up to it", async () => {
  const prediction = normal([6, 8, 7], 1), target = normal([6, 8, 7], 2);
  const confidence = tf.tensor1d([1, 0.5, 0.25, 1, 1, 0.1]);
  const hasSensor = tf.tensor1d([true, false, true, false, false, true], "bool");
  const mask = tf.cast(normal([6, 8, 1], 3).greater(0), "float32");
  const parts = async (normalisation: LossNormalisation, sizes: readonly number[]) => {
    let sum = 0, weight = 0, start = 0;
    for (const size of sizes) {
      const part = <T extends tf.Tensor>(x: T) => x.slice([start], [size]);
      const terms = weightedError(
        part(prediction),
        part(target),
        { confidence: part(confidence), hasSensor: part(hasSensor) },
        { normalisation, mask: part(mask) },
      );
      sum += await valueOf(terms.sum);
      weight += await valueOf(terms.weight);
      start += size;
    }
    return sum / weight;
  };
  const whole = await parts("global", [6]);
  close(await parts("global", [1, 1, 1, 1, 1, 1]), whole);
  close(await parts("global", [4, 2]), whole);
  close(await parts("none", [4, 2]), await parts("none", [6]));
  assert.ok(Math.abs(await parts("batch", [1, 1, 1, 1, 1, 1]) - whole) > 1e-3, "T-4");
});

onEngines(
  "rows that only fill a batch, padding and dimensions of weight 0 do not count",
  async () => {
    const prediction = normal([3, 8, 7], 1), target = normal([3, 8, 7], 2);
    const options = { dimensionWeights: [1, 1, 1, 0.3, 0.3, 0.3, 0] };
    const mask = tf.tensor3d([...Array(16).fill(1), ...Array(8).fill(0)], [3, 8, 1]);
    const garbage = tf.concat([tf.zeros([3, 8, 6]), normal([3, 8, 1], 3).mul(100)], 2)
      .add(tf.sub(1, mask).mul(1000));
    for (const normalisation of ["global", "batch", "none"] as const) {
      const all = { ...options, normalisation };
      const two = await lossOf(
        prediction.slice([0], [2]),
        target.slice([0], [2]),
        { confidence: tf.ones([2]) },
        all,
      );
      const filled = { confidence: tf.tensor1d([1, 1, 0]) };
      close(await lossOf(prediction.add(garbage), target, filled, all), two, normalisation);
      // A sample without any action that counts is none.
      const three = { confidence: tf.ones([3]) };
      close(
        await lossOf(prediction.add(garbage), target, three, { ...all, mask }),
        two,
        normalisation,
      );
    }
    assert.throws(
      () =>
        weightedError(prediction, target, { confidence: tf.ones([3]) }, { dimensionWeights: [1] }),
      /one weight, not negative, for each of the 7 dimensions .* current value is \[1\]/,
    );
  },
);

onEngines("with the true chunk as input a policy learns to leave it as it is", async () => {
  const statistics = {
    action: { mean: [1, -2, 3, 0.5, 0, 0, 1], std: [2, 3, 4, 1, 1, 1, 0], constant: [6] },
    force: { mean: [0], std: [1] },
    aline: { mean: 0, std: 1 },
  };
  const config = still(trocarPolicy("regression", "concat"));
  const p = { ...initialise(config, { seed: 1 }), ...trocar.normalisation(config, statistics) };
  const head = "action_expert.output_head.1";
  const unmoved = statistics.action.mean.map((mean, i) =>
    i === 6 ? 0 : -mean / statistics.action.std[i]!
  );
  const idle = {
    ...p,
    [`${head}.weight`]: tf.zerosLike(p[`${head}.weight`]!),
    [`${head}.bias`]: tf.tensor1d(unmoved),
  };
  const batch = randomBatch(config);
  const context = training(new Random({ seed: 1, counter: 0 }));
  const loss = (chunk: "truth" | "zeros") =>
    valueOf(policyLoss(idle, config, batch, context, { chunk }));
  assert.ok(await loss("truth") < 1e-10, "the true chunk alone is enough");
  assert.ok(await loss("zeros") > 0.1);
  const moved = predictActions(idle, config, batch, evaluation()).slice([0, 0, 0], [3, 8, 6]);
  assert.ok(await valueOf(moved.abs().max()) < 1e-5, "and without it nothing moves");

  const old = still(referencePolicy("regression", "concat"));
  const q = initialise(old, { seed: 1 });
  const still0 = {
    ...q,
    [`${head}.weight`]: tf.zerosLike(q[`${head}.weight`]!),
    [`${head}.bias`]: tf.zerosLike(q[`${head}.bias`]!),
  };
  assert.equal(
    await valueOf(policyLoss(still0, old, randomBatch(old), context, { chunk: "truth" })),
    0,
  );
});
