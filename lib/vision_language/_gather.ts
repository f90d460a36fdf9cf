import { tf } from "../engine/mod.ts";

/**
 * Rows in another order.
 *
 * @param x `(rows, ...)`
 * @param order for each place the row, a permutation, int32
 * @param back the permutation that undoes it, by which gradients are gathered instead of summed
 */
export function permuteRows(x: tf.Tensor, order: tf.Tensor, back: tf.Tensor): tf.Tensor {
  return tf.customGrad((input) => ({
    value: tf.gather(input as tf.Tensor, order as tf.Tensor1D),
    gradFunc: (dy: tf.Tensor) => tf.gather(dy, back as tf.Tensor1D),
  }))(x);
}

/**
 * Rows of two matrices, each of the second's once.
 *
 * @param base `(rows, width)`
 * @param placed `(others, width)`
 * @param index for each row of the result, the row of `base` that it is, or rows + the row of `placed`
 * @param places for each row of `placed` where it went
 * @param kept `(rows, 1)`, 1 where the row of `base` stays
 */
export function placeRows(
  base: tf.Tensor,
  placed: tf.Tensor,
  { index, places, kept }: {
    readonly index: tf.Tensor;
    readonly places: tf.Tensor;
    readonly kept: tf.Tensor;
  },
): tf.Tensor {
  return tf.customGrad((first, second) => ({
    value: tf.gather(tf.concat([first as tf.Tensor, second as tf.Tensor]), index as tf.Tensor1D),
    gradFunc: (dy: tf.Tensor) => [dy.mul(kept), tf.gather(dy, places as tf.Tensor1D)],
  }))(base, placed);
}
