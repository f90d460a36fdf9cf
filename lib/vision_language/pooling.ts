import type { tf } from "../engine/mod.ts";

/** What of a prompt's tokens is returned. */
export const TAPS = ["mean", "image-mean", "last-token"] as const;

/** One of {@linkcode TAPS}. */
export type Tap = typeof TAPS[number];

/** What pooling takes beside hidden states. */
export interface PoolInputs {
  /** `(B, S)` float32, 1 for tokens and 0 for padding. */
  readonly mask: tf.Tensor;
  /** `(B, S)` float32, 1 for visual tokens. */
  readonly imageMask: tf.Tensor;
  /** `(B, S)` float32, 1 for the last token of each prompt. */
  readonly lastMask: tf.Tensor;
}

/**
 * One vector per prompt: the mean of all its tokens, the mean of its visual tokens (zeros if it has
 * none), or its last token.
 *
 * @param tap what is returned
 * @param hidden `(B, S, D)`
 * @param inputs which tokens count
 * @returns `(B, D)`
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { startEngine, tf } from "../engine/mod.ts";
 * import { pool } from "./mod.ts";
 *
 * await startEngine({ quiet: true });
 * const hidden = tf.tensor3d([1, 2, 4], [1, 3, 1]), mask = tf.tensor2d([[1, 1, 0]]);
 * const lastMask = tf.tensor2d([[0, 1, 0]]), inputs = { mask, imageMask: mask, lastMask };
 * assert.equal((await pool("mean", hidden, inputs).data())[0], 1.5);
 * assert.equal((await pool("last-token", hidden, inputs).data())[0], 2);
 * ```
 */
export function pool(tap: Tap, hidden: tf.Tensor, inputs: PoolInputs): tf.Tensor {
  const mask = tap === "mean"
    ? inputs.mask
    : tap === "image-mean"
    ? inputs.imageMask
    : inputs.lastMask;
  const weights = mask.expandDims(-1);
  // Rows of padding hold no meaning but are finite, so that zero times them is zero.
  return hidden.mul(weights).sum(1).div(weights.sum(1).maximum(1));
}
