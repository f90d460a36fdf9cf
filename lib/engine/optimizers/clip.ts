/** The norm of all gradients together, and the factor that bounds it. */
import * as tf from "@tensorflow/tfjs";
import { factorsOf, squaresOf } from "../_products.ts";
import { nativeBackend } from "../tensorflow/_active.ts";
import { ATTR } from "../tensorflow/_attributes.ts";
import { DT } from "../tensorflow/_dtypes.ts";
import type { NamedTensors } from "../variable.ts";

/** What {@link clipByGlobalNorm} found. */
export interface GlobalNorm {
  /** √Σ‖g‖² over all gradients, float32 scalar. */
  readonly norm: tf.Scalar;
  /** What to multiply every gradient by: maxNorm / (norm + 1e-6), at most 1; float32 scalar. */
  readonly scale: tf.Scalar;
  /** Whether the norm, and so every gradient, is finite; bool scalar. */
  readonly finite: tf.Scalar;
}

/**
 * Finds the global norm of gradients and the scale that clips it, without touching the gradients: hand
 * `scale` and `finite` to an optimiser's update, which multiplies and guards while it reads them anyway.
 *
 * Pascanu et al., https://arxiv.org/abs/1211.5063; the arithmetic is `torch.nn.utils.clip_grad_norm_`'s.
 *
 * @param gradients Float32 tensors by name.
 * @param maxNorm The bound, above 0; `Infinity` only measures.
 * @returns Norm, scale and guard.
 * @throws {RangeError} If maxNorm is not above 0 or there are no gradients.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { clipByGlobalNorm, startEngine, tf } from "trocar/engine";
 *
 * await startEngine({ quiet: true });
 * const { norm, scale } = clipByGlobalNorm({ a: tf.tensor1d([3]), b: tf.tensor1d([4]) }, 1);
 * assert((await norm.data())[0] === 5);
 * assert(Math.abs((await scale.data())[0]! - 0.2) < 1e-6);
 * ```
 */
export function clipByGlobalNorm(gradients: NamedTensors, maxNorm: number): GlobalNorm {
  const list = Object.values(gradients);
  if (!(maxNorm > 0)) {
    throw new RangeError(
      `Cannot clip gradients: the maximum norm must be above 0, current value is ${maxNorm}`,
    );
  }
  if (list.length === 0) throw new RangeError("Cannot clip gradients: there are none");
  return tf.tidy(() => {
    const norm = tf.addN(list.map(halfSumOfSquares)).mul(2).sqrt() as tf.Scalar;
    const scale = maxNorm === Infinity
      ? tf.onesLike(norm)
      : tf.minimum(tf.div(maxNorm, norm.add(1e-6)), 1);
    return { norm, scale: scale as tf.Scalar, finite: tf.isFinite(norm) };
  });
}

/** Σx²/2 in one pass without an intermediate array, where the engine can. */
function halfSumOfSquares(x: tf.Tensor): tf.Tensor {
  const native = nativeBackend();
  const factors = factorsOf(x);
  if (factors !== undefined) return squaresOf(factors).mul(0.5);
  if (native === undefined) return x.square().sum().mul(0.5);
  const type = [{ name: "T", type: ATTR.type, value: DT.float32 }];
  return native.tensor(native.binding.executeOp("L2Loss", type, native.ids([x]), 1)[0]!);
}
