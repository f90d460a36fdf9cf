import assert from "node:assert/strict";
import { Random, startEngine, tf } from "trocar/engine";
import { preset, trocar } from "../../lib/policies/mod.ts";
import { augmentPixels } from "../../lib/training/augment_pixels.ts";
import { visionStatistics } from "../../lib/training/vision_statistics.ts";
import { normal } from "../policies/_networks.ts";

Deno.test("visionStatistics() are those of all tokens together, whatever the batches", async () => {
  const values = Float32Array.from(
    { length: 60 * 4 },
    (_, i) => i % 4 === 3 ? 7 : 1000 * (i % 4) + Math.sin(i * i),
  );
  const whole = await visionStatistics([values], 4);
  const parts = await visionStatistics([values.subarray(0, 4), values.subarray(4)], 4);
  const column = (i: number) => Array.from({ length: 60 }, (_, row) => values[4 * row + i]!);
  const variances = [0, 1, 2].map((i) => {
    const mean = column(i).reduce((a, b) => a + b, 0) / 60;
    assert.ok(Math.abs(whole.mean[i]! - mean) < 1e-9);
    return column(i).reduce((sum, value) => sum + (value - mean) ** 2, 0) / 60;
  });
  const std = Math.sqrt(variances.reduce((a, b) => a + b, 0) / 3);
  assert.ok(Math.abs(whole.std - std) < 1e-9, `${whole.std} ${std}`);
  assert.deepEqual(parts, whole);
  assert.equal(whole.mean[3], 7);
});

Deno.test("visionStatistics() refuses what it cannot measure", async () => {
  await assert.rejects(visionStatistics([], 4), /current value is none/);
  await assert.rejects(visionStatistics([new Float32Array(6)], 4), /rows of 4 .* 6 values/);
  await assert.rejects(visionStatistics([Float32Array.of(1, NaN)], 2), /NaN at feature 1/);
});

Deno.test("features that do not vary are not divided by 0", async () => {
  await startEngine({ engine: "wasm", quiet: true });
  const action = { mean: Array(7).fill(0), std: Array(7).fill(1), constant: [] };
  const config = preset("tiny", { fusion: "none", visionDim: 2 });
  const vision = await visionStatistics([Float32Array.of(4, 5)], 2);
  const buffers = trocar.normalisation(config, { action, force: null, aline: null, vision });
  assert.deepEqual([...await buffers["action_expert.vision_mean"]!.data()], [4, 5]);
  assert.deepEqual([...await buffers["action_expert.vision_std"]!.data()], [1, 1]);
  const weighed = { mean: [4, 5], std: 3, weights: [0.5, 1] };
  const scaled = trocar.normalisation(config, {
    action,
    force: null,
    aline: null,
    vision: weighed,
  });
  assert.deepEqual([...await scaled["action_expert.vision_std"]!.data()], [6, 3]);
  const wide = { mean: [1, 2, 3], std: 1 };
  assert.throws(
    () => trocar.normalisation(config, { action, force: null, aline: null, vision: wide }),
    /must have 2 visual features/,
  );
});

Deno.test("augmentPixels() changes the light of each view by itself, and nothing else", async () => {
  await startEngine({ engine: "wasm", quiet: true });
  const black = tf.fill([64, 1, 1920], -1);
  const task = normal([64, 1, 122], 1);
  const flags = tf.tensor3d(Array.from({ length: 64 * 6 }, (_, i) => i % 6 === 1 ? 1 : 0), [
    64,
    1,
    6,
  ]);
  const draw = (pixels: tf.Tensor, counter: number) =>
    augmentPixels(
      { vision: tf.concat([pixels, task, flags], 2), actions: tf.zeros([64, 8, 7]) },
      new Random({ seed: 1, counter }),
    ).vision;
  const dark = draw(black, 0);
  // Black times a gain is black: what is left is the noise.
  const noise = Array.from(await dark.slice([0, 0, 768], [64, 1, 1152]).add(1).data());
  const deviation = Math.sqrt(noise.reduce((sum, value) => sum + value * value, 0) / noise.length);
  assert.ok(Math.abs(deviation - 0.004) < 2e-4, `${deviation}`);
  const untouched = tf.concat([dark.slice([0, 0, 384], [64, 1, 384]), dark.slice([0, 0, 1920])], 2);
  const expected = tf.concat([black.slice([0, 0, 384], [64, 1, 384]), task, flags], 2);
  assert.equal(
    (await untouched.sub(expected).abs().max().data())[0],
    0,
    "missing view, task, flags",
  );

  const light = draw(tf.zeros([64, 1, 1920]), 0); // grey: gain − 1, and noise
  const gains = Array.from(
    await light.slice([0, 0, 768], [64, 1, 1152]).reshape([64, 3, 128, 3]).mean(2)
      .data(),
  );
  assert.ok(gains.every((gain) => gain > 0.88 * 0.96 - 1.002 && gain < 1.12 * 1.04 - 0.998));
  assert.ok(gains.some((gain) => gain < -0.1) && gains.some((gain) => gain > 0.1));
  const channels = gains.reduce(
    (most, gain, i) => i % 3 === 0 ? most : Math.max(most, Math.abs(gain - gains[i - 1]!)),
    0,
  );
  assert.ok(channels > 0.03 && channels < 0.1, `${channels}`);
  assert.ok((await light.sub(draw(tf.zeros([64, 1, 1920]), 1)).abs().max().data())[0]! > 0.05);
  const narrow = { vision: tf.zeros([1, 1, 16]), actions: tf.zeros([1, 8, 7]) };
  assert.throws(
    () => augmentPixels(narrow, new Random({ seed: 1, counter: 0 })),
    /current value is 16/,
  );
});
