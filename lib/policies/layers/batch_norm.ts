import { tf } from "../../engine/mod.ts";
import { type ForwardContext, type Parameters, tensorOf } from "./context.ts";
import { NORM_EPSILON, normSpecs, scaleAndShift } from "./layer_norm.ts";
import { bufferSpec, type TensorSpec } from "./tensor_spec.ts";

/** Weight of the new value in running statistics. */
export const MOMENTUM = 0.1;

/** Weight, bias, running statistics and the number of batches they saw. */
export function batchNormSpecs(name: string, width: number): TensorSpec[] {
  return [
    ...normSpecs(name, width),
    bufferSpec(`${name}.running_mean`, [width], 0),
    bufferSpec(`${name}.running_var`, [width], 1),
    { ...bufferSpec(`${name}.num_batches_tracked`, [], 0), dtype: "int64" },
  ];
}

/**
 * Batch normalisation per channel: Ioffe and Szegedy, arXiv:1502.03167. As in PyTorch the batch is
 * normalised with the biased variance and the running one is updated with the unbiased one.
 *
 * @param x `(B, T, C)`.
 * @throws {RangeError} In training, if there is one value per channel.
 */
export function batchNorm(
  p: Parameters,
  name: string,
  x: tf.Tensor,
  context: ForwardContext,
): tf.Tensor {
  const { mean, variance } = context.training
    ? batchStatistics(p, name, x, context)
    : { mean: tensorOf(p, `${name}.running_mean`), variance: tensorOf(p, `${name}.running_var`) };
  return scaleAndShift(p, name, x.sub(mean).mul(variance.add(NORM_EPSILON).rsqrt()));
}

function batchStatistics(p: Parameters, name: string, x: tf.Tensor, context: ForwardContext) {
  const count = x.shape[0]! * x.shape[1]!;
  if (count < 2) {
    throw new RangeError(
      `Cannot normalise "${name}": training needs more than 1 value per channel, current value is (B, T, C) = (${x.shape}); use a larger batch or a longer window`,
    );
  }
  const mean = x.mean([0, 1]); // (C)
  const variance = x.sub(mean).square().mean([0, 1]); // (C)
  const update = (key: string, value: tf.Tensor) => {
    const old = tensorOf(p, `${name}.${key}`);
    context.updates[`${name}.${key}`] = old.mul(1 - MOMENTUM).add(value.mul(MOMENTUM));
  };
  update("running_mean", mean);
  update("running_var", variance.mul(count / (count - 1)));
  const batches = `${name}.num_batches_tracked`;
  context.updates[batches] = tensorOf(p, batches).add(tf.scalar(1, "int32"));
  return { mean, variance };
}
