/** Gradients with respect to named tensors. */
import * as tf from "@tensorflow/tfjs";
import type { NamedTensors } from "./variable.ts";

/** A loss, its gradients, and what the loss function reported besides. */
export interface ValueAndGradients<K extends string> {
  /** The loss, a scalar. */
  readonly value: tf.Scalar;
  /** Its gradient with respect to each named tensor, of that tensor's shape. */
  readonly gradients: Record<K, tf.Tensor>;
  /** What the loss function returned as `metrics`. */
  readonly metrics: Record<string, tf.Tensor>;
}

/**
 * Computes a loss and its gradients.
 *
 * @param loss A function of the named tensors that returns the loss, a float32 scalar, or the loss with
 * further tensors to report.
 * @param parameters The tensors to differentiate by, float32 of any shape.
 * @returns Loss, gradients by the same names, and metrics; all the caller's.
 * @throws {TypeError} If the loss is not a float32 scalar.
 * @throws {Error} If the loss does not depend on one of the tensors; the error names it.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { startEngine, tf, valueAndGradients } from "trocar/engine";
 *
 * await startEngine({ quiet: true });
 * const { value, gradients } = valueAndGradients(
 *   ({ w }) => w.square().sum(),
 *   { w: tf.tensor1d([1, 2]) },
 * );
 * assert((await value.data())[0] === 5);
 * assert((await gradients.w.data())[1] === 4);
 * ```
 */
export function valueAndGradients<K extends string>(
  loss: (
    parameters: Record<K, tf.Tensor>,
  ) => tf.Tensor | { readonly loss: tf.Tensor; readonly metrics: NamedTensors },
  parameters: Readonly<Record<K, tf.Tensor>>,
): ValueAndGradients<K> {
  const names = Object.keys(parameters) as K[];
  const kept: Record<string, tf.Tensor> = {};
  let computed: { value: tf.Tensor; grads: (tf.Tensor | null)[] };
  try {
    const tensors = names.map((name) => parameters[name]);
    computed = tf.engine().gradients(
      () => {
        const result = loss(
          Object.fromEntries(names.map((name, i) => [name, tensors[i]])) as never,
        );
        if (result instanceof tf.Tensor) return scalarLoss(result);
        for (const [name, metric] of Object.entries(result.metrics)) {
          kept[name] = tf.keep(metric.clone());
        }
        return scalarLoss(result.loss);
      },
      tensors,
      undefined as never,
      true, // a tensor that the loss does not depend on has no gradient
    );
  } catch (error) {
    tf.dispose(kept);
    throw error;
  }
  const { value, grads } = computed;
  const unused = names.filter((_, i) => !grads[i]);
  if (unused.length > 0) {
    tf.dispose([kept, value, grads.filter((gradient) => gradient !== null)]);
    throw new Error(
      `Cannot differentiate the loss: it does not depend on every parameter, current value is ${
        unused.map((name) => `"${name}"`).join(", ")
      }`,
    );
  }
  const gradients = {} as Record<K, tf.Tensor>;
  names.forEach((name, i) => gradients[name] = grads[i]!);
  const metrics: Record<string, tf.Tensor> = {};
  for (const [name, metric] of Object.entries(kept)) {
    metrics[name] = metric.clone();
    metric.dispose();
  }
  return { value: value as tf.Scalar, gradients, metrics };
}

function scalarLoss(loss: tf.Tensor): tf.Scalar {
  if (loss.size !== 1 || loss.dtype !== "float32") {
    throw new TypeError(
      `Cannot differentiate the loss: it must be a float32 scalar, current value is ${loss.dtype}[${loss.shape}]`,
    );
  }
  return loss.asScalar();
}
