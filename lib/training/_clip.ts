import { clipByGlobalNorm, type NamedTensors, tf } from "../engine/mod.ts";

/** What a batch adds to an update. */
export interface Contribution {
  /** Σw·ℓ. */
  readonly sum: tf.Scalar;
  /** Σw. */
  readonly weight: tf.Scalar;
  /** Gradients of the sum by the parameters' keys. */
  readonly gradients: NamedTensors;
  /** New running statistics by their keys. */
  readonly statistics: NamedTensors;
  /** Other sums over samples, by the names of `lossMetricShapes`. */
  readonly metrics: NamedTensors;
}

/** Norm of gradients / weight, what to multiply the gradients by, and whether all is finite. */
export function clipOf(
  gradients: NamedTensors,
  loss: tf.Tensor,
  weight: tf.Tensor,
  maxNorm: number,
): { norm: tf.Scalar; scale: tf.Scalar; isFinite: tf.Scalar } {
  const norm = clipByGlobalNorm(gradients, Infinity).norm.div<tf.Scalar>(weight);
  const clip = maxNorm === Infinity
    ? tf.onesLike(norm)
    : tf.minimum(tf.div(maxNorm, norm.add(1e-6)), 1);
  return {
    norm,
    scale: clip.div(weight),
    isFinite: tf.logicalAnd(tf.isFinite(norm), tf.isFinite(loss)),
  };
}
