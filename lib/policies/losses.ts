import { tf } from "../engine/mod.ts";

/** What each sample of a batch counts. */
export interface SampleWeights {
  /** Confidence in each sample, `(B)`. */
  readonly confidence: tf.Tensor;
  /** Whether each sample has a sensor, `(B)` bool; left out, no sample counts more for it. */
  readonly hasSensor?: tf.Tensor;
  /** How much more a sample with a sensor counts. @default {2} */
  readonly sensorWeight?: number;
}

/** Settings of {@link weightedSquaredError}. */
export interface SquaredErrorOptions {
  /**
   * Whether the weights are divided by their mean. The Python reference does for actions and does not
   * for noise.
   * @default {true}
   */
  readonly normalise?: boolean;
  /** 1 for values that count, of a shape that broadcasts to `(B, H, A)`. @default {all count} */
  readonly mask?: tf.Tensor;
}

/**
 * Mean squared error of chunks, weighted by sample.
 *
 * @param prediction `(B, H, A)`.
 * @param target `(B, H, A)`.
 * @param weights Confidence, and more for samples with a sensor.
 * @param options Normalisation of the weights, and which values count.
 * @returns Float32 scalar.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { startEngine, tf } from "../engine/mod.ts";
 * import { weightedSquaredError } from "./losses.ts";
 *
 * await startEngine({ engine: "wasm", quiet: true });
 * const target = tf.stack([tf.ones([8, 7]), tf.fill([8, 7], 2)]);
 * const weights = {
 *   confidence: tf.tensor1d([1, 0.5]),
 *   hasSensor: tf.tensor1d([true, false], "bool"),
 * };
 * const loss = weightedSquaredError(tf.zerosLike(target), target, weights);
 * assert(Math.abs((await loss.data())[0]! - 1.6) < 1e-6); // weights [2, 0.5] become [1.6, 0.4]
 * ```
 */
export function weightedSquaredError(
  prediction: tf.Tensor,
  target: tf.Tensor,
  { confidence, hasSensor, sensorWeight = 2 }: SampleWeights,
  { normalise = true, mask }: SquaredErrorOptions = {},
): tf.Scalar {
  const raw = hasSensor === undefined
    ? confidence
    : confidence.mul(tf.where(hasSensor, sensorWeight, tf.onesLike(confidence)));
  const weight = normalise ? raw.div(raw.mean()) : raw; // (B)
  return meanPerSample(prediction.sub(target).square(), mask).mul(weight).mean();
}

/** Mean over steps and dimensions, `(B)`; 0 where nothing counts. */
function meanPerSample(errors: tf.Tensor, mask: tf.Tensor | undefined): tf.Tensor {
  if (mask === undefined) return errors.mean([1, 2]);
  const counts = tf.onesLike(errors).mul(mask); // (B, H, A)
  return errors.mul(counts).sum([1, 2]).div(tf.maximum(counts.sum([1, 2]), 1));
}
