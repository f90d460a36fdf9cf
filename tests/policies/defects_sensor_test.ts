/** What the Python reference's networks do wrong with sensors, shown on `reference`; and that `trocar` does it right. */
import assert from "node:assert/strict";
import { tf } from "trocar/engine";
import {
  evaluation,
  type Fusion,
  initialise,
  type Parameters,
  predictActions,
  reference,
  training,
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

const WITH_SENSOR: readonly Fusion[] = ["concat", "cross_attention", "gated"];
const FAMILIES = ["regression", "diffusion"] as const;

async function sensorGradient(gradients: Parameters): Promise<number> {
  let most = 0;
  for (const [key, gradient] of Object.entries(gradients)) {
    if (key.startsWith("sensor_encoder.")) most = Math.max(most, await largest(gradient));
  }
  return most;
}

for (const family of FAMILIES) {
  onEngines(`M-2: the sensor gets a gradient for every fusion of ${family}`, async () => {
    const old = still(referencePolicy(family, "cross_attention"));
    const none = gradientsOf(old, randomBatch(old)).gradients;
    assert.equal(await sensorGradient(none), 0, "one visual-language token hides the sensor");
    for (const fusion of WITH_SENSOR) {
      const config = still(trocarPolicy(family, fusion));
      const { gradients } = gradientsOf(config, randomBatch(config));
      assert.ok(await sensorGradient(gradients) > 1e-6, fusion);
    }
  });

  onEngines(`M-3: queries and keys of the attention to the memory learn in ${family}`, async () => {
    const key = "action_expert.temporal_decoder.layers.1.multihead_attn.in_proj_weight";
    const ofQueriesAndKeys = (gradients: Parameters) => {
      const gradient = gradients[key]!;
      const [rows, width] = gradient.shape as [number, number];
      return largest(gradient.slice([0, 0], [2 * rows / 3, width]));
    };
    if (family === "regression") {
      const old = still(referencePolicy("regression", "concat"));
      assert.equal(await ofQueriesAndKeys(gradientsOf(old, randomBatch(old)).gradients), 0);
    }
    for (const fusion of [...WITH_SENSOR, "none"] as const) {
      const config = still(trocarPolicy(family, fusion));
      const { gradients } = gradientsOf(config, randomBatch(config));
      assert.ok(await ofQueriesAndKeys(gradients) > 1e-8, fusion);
    }
  });
}

onEngines("M-6: a missing sensor has a token of its own instead of a wrong shape", () => {
  const vision = normal([2, 1, 16], 1);
  for (const fusion of WITH_SENSOR) {
    const old = referencePolicy("regression", fusion);
    assert.throws(
      () => predictActions(initialise(old, { seed: 1 }), old, { vision }, evaluation()),
      /needs a sensor feature \(B, 24\), current value is null/,
    );
    const config = trocarPolicy("regression", fusion);
    const chunk = predictActions(initialise(config, { seed: 1 }), config, { vision }, evaluation());
    assert.deepEqual(chunk.shape, [2, 8, 7]);
  }
});

onEngines(
  "M-7: a missing sensor does not change when its zeros are replaced by noise",
  async () => {
    for (const family of FAMILIES) {
      for (const fusion of WITH_SENSOR) {
        const config = still(trocarPolicy(family, fusion));
        const p = initialise(config, { seed: 1 });
        const { vision, sensor } = randomBatch(config, 2);
        const mask = tf.tensor2d([...Array(65).fill(0), ...Array(65).fill(1)], [2, 65]);
        const noise = normal([2, 8, 7], 6);
        const predict = (window: tf.Tensor) =>
          predictActions(p, config, { vision, sensor: window, sensorMask: mask }, evaluation(), {
            noise,
          });
        const present = mask.expandDims(2);
        const zeros = predict(sensor.mul(present));
        const noisy = predict(sensor.mul(100).mul(tf.sub(1, present)).add(sensor.mul(present)));
        assert.equal(await difference(zeros, noisy), 0, `${family} ${fusion}`);
        const without = predictActions(p, config, { vision }, evaluation(), { noise });
        assert.ok(await difference(zeros.slice([0], [1]), without.slice([0], [1])) < 1e-5);
        assert.ok(await difference(zeros.slice([1], [1]), without.slice([1], [1])) > 1e-6);
      }
    }
    const old = still(referencePolicy("regression", "concat"));
    const p = initialise(old, { seed: 1 });
    const { vision, sensor } = randomBatch(old);
    const [zeros, noisy] = [tf.zerosLike(sensor), sensor].map((window) =>
      predictActions(p, old, { vision, sensor: window }, evaluation())
    );
    assert.ok(await difference(zeros!, noisy!) > 1e-4, "the reference encodes the zeros");
  },
);

onEngines(
  "M-7: learned tokens for missing sensors and views are trained by random dropping",
  async () => {
    for (const family of FAMILIES) {
      const config = trocarPolicy(family, "concat");
      const { gradients } = gradientsOf(config, randomBatch(config, 32));
      assert.ok(await largest(gradients["sensor_encoder.missing"]!) > 0);
      assert.ok(await largest(gradients["action_expert.missing_view"]!) > 0);
      const kept = gradientsOf(still(config), randomBatch(config, 32)).gradients;
      assert.equal(await largest(kept["sensor_encoder.missing"]!), 0);
    }
  },
);

onEngines(
  "M-8: a sample does not depend on the others of its batch, nor on their number",
  async () => {
    const sensor = normal([3, 65, 9], 2);
    const firstOf = (encode: (window: tf.Tensor) => tf.Tensor, size: number) =>
      encode(sensor.slice([0], [size])).slice([0], [1]);
    const old = still(referencePolicy("regression", "concat"));
    const p = initialise(old, { seed: 1 });
    const features = (window: tf.Tensor) =>
      reference.encodeSensor(p, old.sensorEncoder!, window, training());
    const config = still(trocarPolicy("regression", "concat"));
    const q = initialise(config, { seed: 1 });
    const tokens = (window: tf.Tensor) =>
      trocar.encodeSensor(q, config.sensorEncoder!, window, null, training());
    assert.ok(await difference(firstOf(features, 1), firstOf(features, 2)) > 1e-3);
    assert.ok(await difference(firstOf(tokens, 1), firstOf(tokens, 3)) < 1e-5);

    const short = sensor.slice([0, 0, 0], [1, 16, 9]);
    assert.throws(
      () =>
        reference.encodeSensor(p, { ...old.sensorEncoder!, temporalLength: 16 }, short, training()),
      /more than 1 value per channel, current value is \(B, T, C\) = \(1,1,32\)/,
    );
    const encoder = { ...config.sensorEncoder!, temporalLength: 16 };
    assert.deepEqual(trocar.encodeSensor(q, encoder, short, null, training()).shape, [1, 1, 24]);
  },
);

onEngines("M-9: when something happened in the window is not lost", async () => {
  // An event in the middle of a quiet window, and the same a whole number of tokens later.
  const event = (at: number) =>
    normal([1, 40, 9], 7).pad([[0, 0], [at, 640 - 40 - at], [0, 0]]) as tf.Tensor;
  const shifted = async (encode: (window: tf.Tensor) => tf.Tensor) => {
    const [early, late] = [encode(event(160)), encode(event(160 + 16 * 12))];
    return await difference(early, late) / await largest(early);
  };
  const old = still(referencePolicy("regression", "concat"));
  const oldEncoder = { ...old.sensorEncoder!, temporalLength: 640 };
  const p = initialise(old, { seed: 1 });
  const lost = await shifted((window) =>
    reference.encodeSensor(p, oldEncoder, window, evaluation())
  );
  assert.ok(lost < 1e-5, `reference: ${lost}`);
  const config = still(trocarPolicy("regression", "concat"));
  const encoder = { ...config.sensorEncoder!, temporalLength: 640 };
  const q = initialise(config, { seed: 1 });
  const kept = await shifted((window) =>
    trocar.encodeSensor(q, encoder, window, null, evaluation()).mean(1)
  );
  assert.ok(kept > 1e-3, `trocar: ${kept}`);
});

onEngines("M-10: force and A-line are normalised apart, by the training data", async () => {
  const config = still(trocarPolicy("regression", "concat"));
  const window = normal([2, 65, 9], 2);
  const statistics = {
    action: { mean: Array(7).fill(0), std: Array(7).fill(1), constant: [] },
    force: { mean: [300], std: [50] },
    aline: { mean: 12000, std: 900 },
  };
  const [force, aline] = tf.split(window, [1, 8], 2) as [tf.Tensor, tf.Tensor];
  const raw = tf.concat([force.mul(50).add(300), aline.mul(900).add(12000)], 2);
  const p = initialise(config, { seed: 1 });
  const encode = (parameters: Parameters, x: tf.Tensor) =>
    trocar.encodeSensor(parameters, config.sensorEncoder!, x, null, evaluation());
  const measured = { ...p, ...trocar.normalisation(config, statistics) };
  assert.ok(await difference(encode(measured, raw), encode(p, window)) < 1e-3);
  // Force is heard however large the A-line is; the reference drowns it.
  const flipped = (encodeWindow: (x: tf.Tensor) => tf.Tensor) => {
    const [plain, other] = [1, -1].map((sign) =>
      encodeWindow(tf.concat([force.mul(sign), aline.mul(1000)], 2))
    );
    return difference(plain!, other!);
  };
  const old = still(referencePolicy("regression", "concat"));
  const q = initialise(old, { seed: 1 });
  const drowned = await flipped((x) =>
    reference.encodeSensor(q, old.sensorEncoder!, x, evaluation())
  );
  const heard = await flipped((x) => encode(p, x));
  assert.ok(heard > 1e-2 && drowned < 1e-2 * heard, `trocar ${heard}, reference ${drowned}`);
});

onEngines("M-15: a window of another length is an error instead of another time base", () => {
  const [old, config] = [
    referencePolicy("regression", "concat"),
    trocarPolicy("regression", "concat"),
  ];
  const long = { vision: normal([1, 1, 16], 1), sensor: normal([1, 650, 9], 2) };
  assert.equal(
    predictActions(initialise(old, { seed: 1 }), old, long, evaluation()).shape[1],
    8,
    "the reference squeezes 1 s into the points of 0.1 s",
  );
  assert.throws(
    () => predictActions(initialise(config, { seed: 1 }), config, long, evaluation()),
    /must be \(B, 65, 9\), current value is \(1, 650, 9\)/,
  );
});
