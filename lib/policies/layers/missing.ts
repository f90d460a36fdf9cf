import { tf } from "../../engine/mod.ts";
import { type ForwardContext, type Parameters, randomOf, tensorOf } from "./context.ts";

/**
 * Puts a learned token in the place of missing ones, and in training of random ones too, so that it is
 * learned.
 *
 * @param key Of the learned token, `(1, 1, W)`.
 * @param tokens `(B, N, W)`.
 * @param present `(B, N)` or `(B, 1)` for all of a sample, 1 where tokens are; null if all are.
 * @param rate Share of `present` that training removes; for null, of whole samples.
 * @returns `(B, N, W)`.
 */
export function replaceMissing(
  p: Parameters,
  key: string,
  tokens: tf.Tensor,
  present: tf.Tensor | null,
  rate: number,
  context: ForwardContext,
): tf.Tensor {
  const drops = context.training && rate > 0;
  const missing = tensorOf(p, key);
  let kept = present ?? tf.ones([tokens.shape[0]!, 1]);
  if (drops) {
    kept = kept.cast("float32").mul(randomOf(context, key).dropoutMask(kept.shape, rate, key));
  }
  return tf.where(kept.greater(0).expandDims(2), tokens, missing);
}
