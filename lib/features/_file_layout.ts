/** How files hold the tensors that are trained of a visual-language model. */
import type { tf } from "../engine/mod.ts";
import type { TrainableTensor } from "./trainable.ts";

/**
 * A tensor in the layout of files. A linear layer is trained `(in, out)`; files have `(out, ...in)`.
 *
 * @returns the value itself where both are the same
 */
export function toFileLayout({ shape, transposed }: TrainableTensor, value: tf.Tensor): tf.Tensor {
  return transposed ? value.transpose().reshape([...shape]) : value;
}

/** The other way: a tensor of a file as it is trained. */
export function fromFileLayout(
  { shape, transposed }: TrainableTensor,
  value: tf.Tensor,
): tf.Tensor {
  return transposed ? value.reshape([shape[0]!, -1]).transpose() : value;
}
