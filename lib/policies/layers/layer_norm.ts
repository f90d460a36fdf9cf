import type { tf } from "../../engine/mod.ts";
import { type Parameters, tensorOf } from "./context.ts";
import { constant, parameterSpec, type TensorSpec } from "./tensor_spec.ts";

/** What normalisations add to the variance. */
export const NORM_EPSILON = 1e-5;

/** `NAME.weight` and `NAME.bias` of a normalisation. */
export function normSpecs(name: string, width: number): TensorSpec[] {
  return [
    parameterSpec(`${name}.weight`, [width], constant(1)),
    parameterSpec(`${name}.bias`, [width], constant(0)),
  ];
}

/** Layer normalisation over the last axis: Ba et al., arXiv:1607.06450. */
export function layerNorm(p: Parameters, name: string, x: tf.Tensor): tf.Tensor {
  return scaleAndShift(p, name, standardise(x, [-1]));
}

/** (x − mean) / √(variance + ε) over axes, with the biased variance. */
export function standardise(x: tf.Tensor, axes: number[]): tf.Tensor {
  const centred = x.sub(x.mean(axes, true));
  return centred.mul(centred.square().mean(axes, true).add(NORM_EPSILON).rsqrt());
}

/** x·weight + bias. */
export function scaleAndShift(p: Parameters, name: string, x: tf.Tensor): tf.Tensor {
  return x.mul(tensorOf(p, `${name}.weight`)).add(tensorOf(p, `${name}.bias`));
}
