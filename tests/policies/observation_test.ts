import assert from "node:assert/strict";
import { tf } from "trocar/engine";
import { evaluation, initialise, type Parameters, trocar } from "../../lib/policies/mod.ts";
import { onEngines } from "./_engines.ts";
import { difference, normal, still, trocarPolicy } from "./_networks.ts";

const config = still(trocarPolicy("regression", "concat"));
const encoder = config.sensorEncoder!;

function encode(p: Parameters, window: tf.Tensor, mask: tf.Tensor | null, pooling = 4): tf.Tensor {
  return trocar.encodeSensor(p, { ...encoder, pooling }, window, mask, evaluation());
}

onEngines("pooling sees the mean of neighbouring rows, counted from the newest", async () => {
  const p = initialise(config, { seed: 1 });
  // 65 rows are 16 groups of 4 and the oldest row by itself.
  const rows = normal([1, 17, 9], 2);
  const group = Array.from({ length: 65 }, (_, row) => Math.floor((row + 3) / 4));
  const window = tf.gather(rows, tf.tensor1d(group, "int32"), 1);
  const noise = tf.pad(tf.tile(tf.tensor3d([1, -1], [1, 2, 1]), [1, 32, 9]) as tf.Tensor3D, [
    ...[[0, 0], [1, 0], [0, 0]] as [number, number][],
  ]);
  assert.ok(await difference(encode(p, window, null), encode(p, window.add(noise), null)) < 1e-4);
  const shifted = tf.pad(noise.slice([0, 2, 0], [1, 63, 9]) as tf.Tensor3D, [[0, 0], [2, 0], [
    0,
    0,
  ]]);
  const late = shifted.mul(tf.tensor3d(group.map((g) => g === 16 ? 3 : 0), [1, 65, 1]).abs()).abs();
  assert.ok(await difference(encode(p, window, null), encode(p, window.add(late), null)) > 1e-3);
});

for (const pooling of [1, 4]) {
  onEngines(`a missing row counts as the mean with pooling ${pooling}`, async () => {
    const p = {
      ...initialise(config, { seed: 1 }),
      "sensor_encoder.input_mean": tf.tensor1d([3, 50]),
      "sensor_encoder.input_std": tf.tensor1d([0.5, 40]),
    };
    const mean = tf.concat([tf.fill([1, 65, 1], 3), tf.fill([1, 65, 8], 50)], 2);
    const window = normal([1, 65, 9], 2).mul(20).add(mean);
    const mask = tf.tensor2d(Array.from({ length: 65 }, (_, row) => row % 7 === 2 ? 0 : 1), [
      1,
      65,
    ]);
    const there = mask.expandDims(2);
    const filled = window.mul(there).add(mean.mul(tf.sub(1, there)));
    const garbage = window.mul(there).add(tf.sub(1, there).mul(1e4));
    const seen = encode(p, garbage, mask, pooling);
    assert.ok(await difference(seen, encode(p, filled, null, pooling)) < 1e-3);
    assert.ok(await difference(seen, encode(p, window, null, pooling)) > 1e-3);
  });
}

onEngines("tokens of a missing sensor are as many as of one that is there", () => {
  const p = initialise(config, { seed: 1 });
  for (const [rows, pooling, convLayers] of [[65, 4, 2], [65, 1, 2], [650, 4, 2], [16, 4, 1]]) {
    const sizes = { temporalLength: rows!, pooling: pooling!, convLayers: convLayers! };
    const tokens = convLayers === 2
      ? trocar.encodeSensor(
        p,
        { ...encoder, ...sizes },
        normal([1, rows!, 9], 1),
        null,
        evaluation(),
      )
        .shape[1]
      : Math.ceil(rows! / (pooling! * 2 ** convLayers!));
    assert.equal(trocar.missingSensor(p, { ...encoder, ...sizes }, 2).shape[1], tokens, `${rows}`);
  }
});

onEngines("visual features are standardised by the training data's statistics", async () => {
  const p = initialise(config, { seed: 1 });
  const vision = normal([2, 1, 16], 1);
  const mean = normal([16], 2).mul(10), std = normal([16], 3).abs().add(0.1);
  const measured = { ...p, "action_expert.vision_mean": mean, "action_expert.vision_std": std };
  const memory = (q: Parameters, x: tf.Tensor) =>
    trocar.encodeObservation(q, config, { vision: x }, evaluation()).tokens;
  const raw = vision.mul(std).add(mean);
  assert.ok(await difference(memory(measured, raw), memory(p, vision)) < 1e-4);
  assert.ok(await difference(memory(p, raw), memory(p, vision)) > 1e-2);
});
