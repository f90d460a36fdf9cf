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
 * Convolution over time that halves its length: kernel 3, stride 2, one zero on both sides. As one matrix
 * product of windows, which a CPU does faster than a convolution whose kernel is wide and whose time is short.
 *
 * @param x `(B, T, C)`.
 * @returns `(B, ⌊(T + 1) / 2⌋, outputs)`.
 */
export function convolution(p: Parameters, name: string, x: tf.Tensor): tf.Tensor {
  const [batch, steps, inputs] = x.shape as [number, number, number];
  const kernel = tensorOf(p, `${name}.weight`);
  const length = Math.floor((steps + 1) / 2);
  const pairs = tf.pad(x as tf.Tensor3D, [[0, 0], [1, 2 * length + 1 - steps], [0, 0]])
    .reshape<tf.Tensor3D>([batch, length + 1, 2 * inputs]);
  const windows = tf.concat([
    pairs.slice([0, 0, 0], [batch, length, 2 * inputs]),
    pairs.slice([0, 1, 0], [batch, length, inputs]),
  ], 2);
  const outputs = kernel.shape.at(-1)!;
  return tf.matMul(
    windows.reshape<tf.Tensor2D>([batch * length, WIDTH * inputs]),
    kernel.reshape<tf.Tensor2D>([WIDTH * inputs, outputs]),
  ).add(tensorOf(p, `${name}.bias`)).reshape([batch, length, outputs]);
}
