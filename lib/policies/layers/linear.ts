import { tf } from "../../engine/mod.ts";
import { type Parameters, tensorOf } from "./context.ts";
import { fanIn, parameterSpec, type TensorSpec } from "./tensor_spec.ts";

/** `NAME.weight` and `NAME.bias` of a linear layer. */
export function linearSpecs(name: string, inputs: number, outputs: number): TensorSpec[] {
  return [
    parameterSpec(`${name}.weight`, [outputs, inputs], fanIn(inputs)),
    parameterSpec(`${name}.bias`, [outputs], fanIn(inputs)),
  ];
}

/** x·Wᵀ + b over the last axis. */
export function linear(p: Parameters, name: string, x: tf.Tensor): tf.Tensor {
  return affine(x, tensorOf(p, `${name}.weight`), tensorOf(p, `${name}.bias`));
}

/** x·Wᵀ + b over the last axis, W `[out, in]`. */
export function affine(x: tf.Tensor, weight: tf.Tensor, bias: tf.Tensor): tf.Tensor {
  const [outputs, inputs] = weight.shape as [number, number];
  const rows = x.reshape<tf.Tensor2D>([-1, inputs]);
  return tf.matMul(rows, weight as tf.Tensor2D, false, true).add(bias)
    .reshape([...x.shape.slice(0, -1), outputs]);
}
