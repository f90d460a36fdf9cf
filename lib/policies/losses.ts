import { tf } from "../engine/mod.ts";

/** What each sample of a batch counts. */
export interface SampleWeights {
  /** Confidence in each sample, `(B)`; 0 for rows that only fill the batch. */
  readonly confidence: tf.Tensor;
  /** Whether each sample has a sensor, `(B)` bool; left out, no sample counts more for it. */
  readonly hasSensor?: tf.Tensor;
  /** How much more a sample with a sensor counts, λ. @default {2} */
  readonly sensorWeight?: number;
}

/** How far a prediction is from its target: the square, or `smooth-l1`, which outliers pull less. */
export type LossKind = "mse" | "smooth-l1";

/** The kinds of losses. */
export const LOSS_KINDS: readonly LossKind[] = ["mse", "smooth-l1"];

/**
 * What weighted losses are divided by: `global` by the weights of the whole effective batch, however
 * many parts it is computed in; `batch` by those of each part, in which a part of one sample has lost its
 * weight; `none` by the number of samples.
 */
export type LossNormalisation = "global" | "batch" | "none";

/** The normalisations of losses. */
export const LOSS_NORMALISATIONS: readonly LossNormalisation[] = ["global", "batch", "none"];

/** How errors of chunks become a loss. */
export interface ErrorOptions {
  /** Error of a single value. @default {"mse"} */
  readonly kind?: LossKind;
  /** Where `smooth-l1` turns from a parabola into a line, above 0. @default {1} */
  readonly beta?: number;
  /** What each dimension of an action counts, `(A)`. @default {all the same} */
  readonly dimensionWeights?: readonly number[];
  /** What weighted losses are divided by. @default {"global"} */
  readonly normalisation?: LossNormalisation;
}

/** A loss before its division, so that the parts of a batch can be added. */
export interface LossTerms {
  /** Float32 scalar. */
  readonly sum: tf.Scalar;
  /** What to divide the sum by, float32 scalar. */
  readonly weight: tf.Scalar;
  /** Sums over samples for people to look at, see `lossMetricShapes`; they add up as well. @default {none} */
  readonly metrics?: Readonly<Record<string, tf.Tensor>>;
}

/**
 * Weighted errors of chunks. Of a sample with weight w, which is its confidence times λ where it has a
 * sensor, ℓ is the mean error of the values that count; the loss is Σw·ℓ / Σw with `global`. A sample
 * without any value that counts is none.
 *
 * Smooth L1 is Girshick's, arXiv:1504.08083, as PyTorch's `smooth_l1_loss` with its β.
 *
 * @param prediction `(B, H, A)`.
 * @param target `(B, H, A)`.
 * @param weights Confidence, and more for samples with a sensor.
 * @param options Error, weights of dimensions, normalisation; `mask`: 1 for values that count, of a shape
 * that broadcasts to `(B, H, A)`.
 * @returns Sum and divisor; parts of a batch add up in each.
 * @throws {RangeError} If beta or a weight of a dimension is out of range.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { startEngine, tf } from "../engine/mod.ts";
 * import { weightedError } from "./losses.ts";
 *
 * await startEngine({ engine: "wasm", quiet: true });
 * const target = tf.stack([tf.ones([8, 7]), tf.fill([8, 7], 2)]);
 * const weights = {
 *   confidence: tf.tensor1d([1, 0.5]),
 *   hasSensor: tf.tensor1d([true, false], "bool"),
 * };
 * const { sum, weight } = weightedError(tf.zerosLike(target), target, weights);
 * const loss = (await sum.div(weight).data())[0]!;
 * assert(Math.abs(loss - 1.6) < 1e-6); // (2·1 + 0.5·4) / (2 + 0.5)
 * ```
 */
export function weightedError(
  prediction: tf.Tensor,
  target: tf.Tensor,
  weights: SampleWeights,
  options: ErrorOptions & { readonly mask?: tf.Tensor } = {},
): LossTerms {
  const { mask, normalisation = "global" } = options;
  const errors = elementErrors(prediction, target, options); // (B, H, A)
  const counts = countsOf(errors, mask, options.dimensionWeights);
  const losses = counts === null ? errors.mean([1, 2]) : meanOf(errors, counts); // (B)
  let raw = rawWeights(weights);
  if (mask !== undefined) raw = raw.mul(counts!.sum([1, 2]).greater(0).cast("float32"));
  const sum = losses.mul(raw).sum() as tf.Scalar;
  if (normalisation === "none") {
    return { sum, weight: raw.greater(0).cast("float32").sum() as tf.Scalar };
  }
  const weight = raw.sum() as tf.Scalar;
  if (normalisation === "global") return { sum, weight };
  const divisor = tf.where(weight.greater(0), weight, tf.onesLike(weight));
  return { sum: sum.div(divisor) as tf.Scalar, weight: tf.onesLike(weight) as tf.Scalar };
}

function elementErrors(
  prediction: tf.Tensor,
  target: tf.Tensor,
  { kind = "mse", beta = 1 }: ErrorOptions,
): tf.Tensor {
  const difference = prediction.sub(target);
  if (kind === "mse") return difference.square();
  if (!(beta > 0 && beta < Infinity)) {
    throw new RangeError(`Cannot compute loss: beta must be above 0, current value is ${beta}`);
  }
  const distance = difference.abs();
  return tf.where(
    distance.less(beta),
    distance.square().mul(0.5 / beta),
    distance.sub(0.5 * beta),
  );
}

/** What each value counts, `(B, H, A)`; null if all count the same. */
function countsOf(
  errors: tf.Tensor,
  mask: tf.Tensor | undefined,
  dimensionWeights: readonly number[] | undefined,
): tf.Tensor | null {
  if (mask === undefined && dimensionWeights === undefined) return null;
  const counts = mask === undefined ? tf.onesLike(errors) : tf.onesLike(errors).mul(mask);
  return dimensionWeights === undefined
    ? counts
    : counts.mul(dimensionTensor(dimensionWeights, errors.shape[2]!));
}

function dimensionTensor(weights: readonly number[], dimensions: number): tf.Tensor {
  if (weights.length === dimensions && weights.every((weight) => weight >= 0)) {
    return tf.tensor1d([...weights]);
  }
  throw new RangeError(
    `Cannot compute loss: there must be one weight, not negative, for each of the ${dimensions} ` +
      `dimensions of an action, current value is ${JSON.stringify(weights)}`,
  );
}

/** Confidence times λ, `(B)`. */
function rawWeights({ confidence, hasSensor, sensorWeight = 2 }: SampleWeights): tf.Tensor {
  return hasSensor === undefined
    ? confidence
    : confidence.mul(tf.where(hasSensor, sensorWeight, tf.onesLike(confidence)));
}

/** Weighted mean over steps and dimensions, `(B)`; 0 where nothing counts. */
function meanOf(errors: tf.Tensor, counts: tf.Tensor): tf.Tensor {
  const total = counts.sum([1, 2]);
  const divisor = tf.where(total.greater(0), total, tf.onesLike(total));
  return errors.mul(counts).sum([1, 2]).div(divisor);
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
 * Mean squared error of chunks, weighted by sample, in the Python reference's order of operations.
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
  weights: SampleWeights,
  { normalise = true, mask }: SquaredErrorOptions = {},
): tf.Scalar {
  const raw = rawWeights(weights);
  const weight = normalise ? raw.div(raw.mean()) : raw; // (B)
  const errors = prediction.sub(target).square();
  const counts = countsOf(errors, mask, undefined);
  const losses = counts === null ? errors.mean([1, 2]) : meanOf(errors, counts);
  return losses.mul(weight).mean();
}
