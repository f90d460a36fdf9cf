/** What the Python reference does wrong with visual-language features; and that `trocar` does it right. */
import assert from "node:assert/strict";
import { Random, tf } from "trocar/engine";
import {
  evaluation,
  expectFeatureWidth,
  fromCheckpointLayout,
  type Fusion,
  initialise,
  type Observation,
  policyLoss,
  predictActions,
  preset,
  training,
  trocar,
} from "../../lib/policies/mod.ts";
import { DatasetFeatures, pixel2048 } from "../../lib/features/mod.ts";
import { EpisodeDataset } from "../../lib/datasets/mod.ts";
import { onEngines } from "./_engines.ts";
import {
  difference,
  largest,
  normal,
  randomBatch,
  referencePolicy,
  SIZES,
  still,
  trocarPolicy,
} from "./_networks.ts";
import { temporaryFolder } from "../_temporary.ts";

const FAMILIES = ["regression", "diffusion"] as const;
const FUSIONS: readonly Fusion[] = ["concat", "cross_attention", "gated", "none"];

/** Ten steps of sampling make more of what batches of other sizes round otherwise. */
const ROUNDING = 1e-4;

/** What each policy of trocar's predicts, called with its predictor. */
async function forEachPolicy(
  check: (
    predict: (observation: Omit<Observation, "sensor">) => tf.Tensor,
    what: string,
  ) => Promise<void>,
): Promise<void> {
  for (const family of FAMILIES) {
    for (const fusion of FUSIONS) {
      const config = still(trocarPolicy(family, fusion));
      const p = initialise(config, { seed: 1 });
      const { sensor } = randomBatch(config, 2);
      const noise = normal([2, 8, 7], 6);
      await check(
        (observation) =>
          predictActions(p, config, { ...observation, sensor }, evaluation(), { noise }),
        `${family} ${fusion}`,
      );
    }
  }
}

onEngines("M-12: each sample of a batch has the actions that it has alone", async () => {
  for (const family of FAMILIES) {
    const config = still(trocarPolicy(family, "concat"));
    const p = initialise(config, { seed: 1 });
    const { vision, sensor } = randomBatch(config, 3);
    const noise = normal([3, 8, 7], 6);
    const predict = (from: number, count: number) => {
      const [v, s, n] = [vision, sensor, noise].map((x) =>
        x.slice([from, 0, 0], [count, -1, -1])
      ) as [tf.Tensor, tf.Tensor, tf.Tensor];
      return predictActions(p, config, { vision: v, sensor: s }, evaluation(), { noise: n });
    };
    const together = predict(0, 3);
    for (const i of [0, 1, 2]) {
      const alone = predict(i, 1);
      assert.ok(await difference(together.slice([i], [1]), alone) < ROUNDING, `${family} ${i}`);
    }
    assert.ok(await difference(predict(0, 1), predict(1, 1)) > 1e-4);
  }
});

onEngines("M-12: one feature for a batch of samples is an error, and none is spread", () => {
  for (
    const config of [referencePolicy("regression", "none"), trocarPolicy("regression", "none")]
  ) {
    const p = initialise(config, { seed: 1 });
    const vision = normal([1, 1, 16], 1), actions = normal([3, 8, 7], 3);
    const context = training(new Random({ seed: 1, counter: 0 }));
    assert.throws(
      () => policyLoss(p, config, { vision, actions }, context),
      /same number of samples, current value is vision 1, actions 3/,
    );
    assert.throws(
      () => predictActions(p, config, { vision, sensor: normal([3, 65, 9], 2) }, evaluation()),
      /current value is vision 1, sensor 3/,
    );
  }
});

onEngines(
  "M-13: a width of 3072 is refused by features of 2048, by tokens and by weights",
  async () => {
    const wide = preset("tiny", { ...SIZES, visionDim: 3072, fusion: "none" });
    assert.throws(
      () => expectFeatureWidth(wide, pixel2048()),
      /visionDim must be the 2048 of pixel-2048, current value is 3072; make the policy with visionDim 2048/,
    );
    using features = await DatasetFeatures.open(
      new EpisodeDataset([]),
      pixel2048(),
      temporaryFolder(),
    );
    assert.throws(() => expectFeatureWidth(wide, features), /2048 of pixel-2048/);
    expectFeatureWidth(
      { ...wide, actionExpert: { ...wide.actionExpert, visionDim: 2048 } },
      features,
    );

    const p = initialise(wide, { seed: 1 });
    assert.throws(
      () => predictActions(p, wide, { vision: tf.zeros([1, 1, 2048]) }, evaluation()),
      /must be \(B, S, 3072\), current value is \(1, 1, 2048\)/,
    );
    const narrow = preset("tiny", { ...SIZES, visionDim: 2048, fusion: "none" });
    assert.throws(
      () => fromCheckpointLayout(narrow, p),
      /"action_expert.vl_proj.0.weight" is float32\[512,3072\] instead of float32\[512,2048\]/,
    );
    tf.dispose(p);
  },
);

onEngines("M-21: padding never changes the actions, whatever stands in it", async () => {
  const vision = normal([2, 3, 16], 1);
  const padding = (value: number, tokens: number) =>
    tf.concat([vision, tf.fill([2, tokens, 16], value)], 1);
  const maskOf = (tokens: number) => tf.concat([tf.ones([2, 3]), tf.zeros([2, tokens])], 1);
  await forEachPolicy(async (predict, what) => {
    const plain = predict({ vision });
    for (const [value, tokens] of [[0, 1], [50, 2], [NaN, 9]] as const) {
      const padded = predict({ vision: padding(value, tokens), visionMask: maskOf(tokens) });
      assert.ok(
        await difference(plain, padded) < ROUNDING,
        `${what}, ${tokens} tokens of ${value}`,
      );
    }
    const fewer = predict({ vision: vision.slice([0, 0, 0], [2, 2, 16]) });
    assert.ok(await difference(plain, fewer) > 10 * ROUNDING, `${what} sees its third token`);
  });
  const old = still(referencePolicy("regression", "none"));
  const p = initialise(old, { seed: 1 });
  const counted = predictActions(
    p,
    old,
    { vision: padding(0, 2), visionMask: maskOf(2) },
    evaluation(),
  );
  const plain = predictActions(p, old, { vision }, evaluation());
  assert.ok(await difference(counted, plain) > 1e-4, "the reference counts padding in its mean");
});

onEngines(
  "M-21: samples of unequal length in a batch have the actions that they have alone",
  async () => {
    const vision = normal([2, 4, 16], 1);
    const visionMask = tf.tensor2d([[1, 1, 1, 1], [0, 1, 1, 0]]);
    await forEachPolicy(async (predict, what) => {
      const both = predict({ vision, visionMask });
      const second = predict({ vision: vision.slice([0, 1, 0], [2, 2, 16]) });
      assert.ok(await difference(both.slice([1], [1]), second.slice([1], [1])) < ROUNDING, what);
      const first = predict({ vision });
      assert.ok(await difference(both.slice([0], [1]), first.slice([0], [1])) < ROUNDING, what);
    });
  },
);

onEngines(
  "M-7: a sample that sees nothing has one learned token, however much is missing",
  async () => {
    await forEachPolicy(async (predict, what) => {
      const blind = (tokens: number) =>
        predict({ vision: normal([2, tokens, 16], tokens), visionMask: tf.zeros([2, tokens]) });
      assert.ok(await difference(blind(1), blind(5)) < ROUNDING, what);
    });
    const config = still(trocarPolicy("regression", "none"));
    const p = initialise(config, { seed: 1 });
    const key = "action_expert.missing_view";
    const predict = (token: tf.Tensor, visionMask: tf.Tensor) =>
      predictActions(
        { ...p, [key]: token },
        config,
        { vision: normal([1, 2, 16], 1), visionMask },
        evaluation(),
      );
    const [none, one] = [tf.tensor2d([[0, 0]]), tf.tensor2d([[0, 1]])];
    const other = p[key]!.add(1);
    assert.ok(await difference(predict(p[key]!, none), predict(other, none)) > 1e-5);
    assert.equal(await difference(predict(p[key]!, one), predict(other, one)), 0);
  },
);

onEngines("training removes visual-language tokens at random, and only so many", async () => {
  const config = still(trocarPolicy("regression", "none"));
  const expert = { ...config.actionExpert, missingRate: 0.25 };
  const dropping = { ...config, actionExpert: expert };
  const p = initialise(config, { seed: 1 });
  const context = training(new Random({ seed: 5, counter: 0 }));
  const vision = normal([200, 5, 16], 1);
  const { mask } = trocar.memoryTokens(p, dropping, vision, null, null, context);
  assert.deepEqual(mask!.shape, [200, 6]);
  const kept = (await mask!.slice([0, 1], [200, 5]).mean().data())[0]!;
  assert.ok(kept > 0.7 && kept < 0.8, String(kept));
  assert.equal(await largest(mask!.sub(mask!.round())), 0, "it holds 0 and 1");
  assert.equal(trocar.memoryTokens(p, dropping, vision, null, null, evaluation()).mask, null);
});
