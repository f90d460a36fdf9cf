import { type Random, tf } from "../engine/mod.ts";
import type { PolicyBatch } from "../policies/mod.ts";

/** The feature `pixel-2048`: five views of 8 × 16 cells of three channels, the task, five flags, one more. */
const VIEWS = 5, CELLS = 128, CHANNELS = 3, MISSING = 2042;
const PIXELS = VIEWS * CELLS * CHANNELS;
/** Spread of the light of a view and of its channels, and noise of a cell, whose range is −1 to 1. */
const VIEW_GAIN = 0.12, CHANNEL_GAIN = 0.04, NOISE = 0.004;

/**
 * How much each feature of `pixel-2048` counts beside the others: fixed cameras half as much as the one
 * that moves with the needle, whose picture tells finer where the needle is.
 *
 * @returns `(2048)`, for `VisionStatistics.weights`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { pixelWeights } from "./augment_pixels.ts";
 *
 * const weights = pixelWeights();
 * assert.deepEqual([weights[0], weights[4 * 384], weights[1920]], [0.5, 1, 1]);
 * ```
 */
export function pixelWeights(): number[] {
  const fixed = (VIEWS - 1) * CELLS * CHANNELS;
  return Array.from({ length: 2048 }, (_, i) => i < fixed ? 0.5 : 1);
}

/**
 * Changes the light in features `pixel-2048` as cameras do: each view and each of its channels becomes
 * brighter or darker, and every cell gets noise. Views without an image stay as they are.
 *
 * @param batch Samples whose visual tokens are `pixel-2048`, `(B, S, 2048)`.
 * @param random Random numbers of the step.
 * @returns The samples with other visual tokens.
 * @throws {RangeError} If the tokens have another width.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { Random, startEngine, tf } from "../engine/mod.ts";
 * import { augmentPixels } from "./augment_pixels.ts";
 *
 * await startEngine({ engine: "wasm", quiet: true });
 * const batch = { vision: tf.zeros([2, 1, 2048]), actions: tf.zeros([2, 8, 7]) };
 * const { vision } = augmentPixels(batch, new Random({ seed: 1, counter: 0 }));
 * const most = (await vision.abs().max().data())[0]!;
 * assert(most > 0.02 && most < 0.25); // grey by a fifth brighter or darker at most
 * ```
 */
export function augmentPixels(batch: PolicyBatch, random: Random): PolicyBatch {
  const [samples, tokens, width] = batch.vision.shape as [number, number, number];
  if (width !== 2048) {
    throw new RangeError(
      `Cannot augment pixels: features must be pixel-2048, 2048 wide, current value is ${width}`,
    );
  }
  const [pixels, task, missing, rest] = tf.split(
    batch.vision,
    [PIXELS, MISSING - PIXELS, VIEWS, width - MISSING - VIEWS],
    2,
  ) as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
  const gain = (channels: number, spread: number, name: string) =>
    random.uniform([samples, tokens, VIEWS, 1, channels], `augment.${name}`)
      .mul(2 * spread).add(1 - spread);
  const light = gain(1, VIEW_GAIN, "view").mul(gain(CHANNELS, CHANNEL_GAIN, "channel"));
  const shape = [samples, tokens, VIEWS, CELLS, CHANNELS];
  const noise = random.normal(shape, "augment.noise").mul(NOISE);
  const seen = tf.sub(1, missing).reshape([samples, tokens, VIEWS, 1, 1]);
  const cells = pixels.reshape(shape);
  // v ↦ (v + 1)·g − 1 + noise, as a change
  const change = cells.add(1).mul(light.sub(1)).add(noise).mul(seen);
  const changed = cells.add(change).reshape([samples, tokens, PIXELS]);
  return { ...batch, vision: tf.concat([changed, task, missing, rest], 2) };
}
