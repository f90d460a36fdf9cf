import { tf } from "../../engine/mod.ts";
import { type Parameters, tensorOf } from "./context.ts";
import { fanIn, parameterSpec, type TensorSpec } from "./tensor_spec.ts";

const WIDTH = 3;

/** `NAME.weight` and `NAME.bias` of a convolution over three steps of time. */
export function convolutionSpecs(name: string, inputs: number, outputs: number): TensorSpec[] {
  const initial = fanIn(inputs * WIDTH);
  return [
    parameterSpec(`${name}.weight`, [outputs, inputs, WIDTH], initial, true),
    parameterSpec(`${name}.bias`, [outputs], initial),
  ];
}

/**
 * Convolution over time that halves its length: kernel 3, stride 2, one zero on both sides.
 *
 * @param x `(B, T, C)`.
 * @returns `(B, ⌊(T + 1) / 2⌋, outputs)`.
 */
export function convolution(p: Parameters, name: string, x: tf.Tensor): tf.Tensor {
  const padded = tf.pad(x as tf.Tensor3D, [[0, 0], [1, 1], [0, 0]]);
  return tf.conv1d(padded, tensorOf(p, `${name}.weight`) as tf.Tensor3D, 2, "valid")
    .add(tensorOf(p, `${name}.bias`));
}
