import { tf } from "../../engine/mod.ts";
import { type ForwardContext, type Parameters, randomOf, tensorOf } from "./context.ts";

/**
 * Which tokens stay: in training random ones do not, so that a policy learns to do without.
 *
 * @param present `(B, N)`, 1 where tokens are.
 * @param rate Share of `present` that training removes.
 * @param stream Name of the place in the network.
 * @returns `(B, N)` float32, 1 for tokens that stay, else 0.
 */
export function dropAtRandom(
  present: tf.Tensor,
  rate: number,
  stream: string,
  context: ForwardContext,
): tf.Tensor {
  const kept = present.cast("float32");
  if (!context.training || rate === 0) return kept;
  const drawn = randomOf(context, stream).dropoutMask(kept.shape, rate, stream);
  return kept.mul(drawn.greater(0).cast("float32"));
}

/**
 * Puts a learned token in the place of missing ones.
 *
 * @param key Of the learned token, `(1, 1, W)`.
 * @param tokens `(B, N, W)`.
 * @param kept `(B, N)` or `(B, 1)` for all of a sample, 1 where tokens stay.
 * @returns `(B, N, W)`.
 */
export function replaceMissing(
  p: Parameters,
  key: string,
  tokens: tf.Tensor,
  kept: tf.Tensor,
): tf.Tensor {
  return tf.where(kept.greater(0).expandDims(2), tokens, tensorOf(p, key));
}
