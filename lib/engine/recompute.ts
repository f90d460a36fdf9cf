/** Gradients that compute a part of a network again instead of keeping its intermediate values. */
import * as tf from "@tensorflow/tfjs";
import { activeTracer, nativeBackend } from "./tensorflow/_active.ts";
import { ATTR } from "./tensorflow/_attributes.ts";
import { dtypeOf } from "./tensorflow/_kernels.ts";

/**
 * Computes a function whose intermediate values are not kept for its gradient: it is computed a second
 * time when the gradient is. A network of n such parts keeps the inputs of n parts and the intermediate
 * values of one.
 *
 * Chen et al., Training Deep Nets with Sublinear Memory Cost, https://arxiv.org/abs/1604.06174
 *
 * @param fn The function; computing it twice must give the same. Random numbers of {@linkcode Random}
 * must be drawn anew in each call, from an object of its own.
 * @param inputs Tensors through which gradients flow. To other tensors that the function uses they do
 * not; those must still exist when the gradient is computed, so they cannot be intermediate values.
 * @returns The function's value.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { recompute, startEngine, tf, valueAndGradients } from "trocar/engine";
 *
 * await startEngine({ quiet: true });
 * const { gradients } = valueAndGradients(
 *   ({ w }) => recompute(([x]) => x!.square().sin(), [w]).sum(),
 *   { w: tf.tensor1d([1, 2]) },
 * );
 * assert(Math.abs((await gradients.w.data())[1]! - 4 * Math.cos(4)) < 1e-5);
 * ```
 */
export function recompute(
  fn: (inputs: readonly tf.Tensor[]) => tf.Tensor,
  inputs: readonly tf.Tensor[],
): tf.Tensor {
  return tf.customGrad((...all) => {
    const save = all.pop() as unknown as (tensors: tf.Tensor[]) => void;
    const tensors = all as tf.Tensor[];
    save(tensors);
    return {
      value: fn(tensors),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => gradientsOf(fn, saved, dy),
    };
  })(...inputs);
}

function gradientsOf(
  fn: (inputs: readonly tf.Tensor[]) => tf.Tensor,
  inputs: readonly tf.Tensor[],
  dy: tf.Tensor,
): tf.Tensor[] {
  // tfjs ends the outer record of operations when an inner one ends.
  const { state } = tf.engine() as unknown as { state: { activeTape: unknown } };
  const outer = state.activeTape;
  try {
    const again = after(inputs, dy);
    const { grads } = tf.engine().gradients(() => fn(again), again, dy, true);
    return grads.map((gradient, i) => gradient ?? tf.zerosLike(inputs[i]!));
  } finally {
    state.activeTape = outer;
  }
}

/**
 * The tensors, known only once `dy` is: otherwise TensorFlow would find that the same is computed twice,
 * and compute it once.
 */
function after(tensors: readonly tf.Tensor[], dy: tf.Tensor): tf.Tensor[] {
  const native = nativeBackend(), tracer = activeTracer();
  if (native === undefined || tracer === undefined) {
    return tensors.map((tensor) => tensor.clone());
  }
  const all = [...tensors, dy];
  const outputs = native.binding.executeOp(
    tracer.options.xla ? "XlaOptimizationBarrier" : "IdentityN",
    [{ name: "T", type: ATTR.type, value: all.map(dtypeOf) }],
    native.ids(all),
    all.length,
  );
  return tensors.map((_, i) => native.tensor(outputs[i]!));
}
