import type { tf } from "../../engine/mod.ts";
import { activate, type Activation } from "./activations.ts";
import { dropout, type ForwardContext, type Parameters } from "./context.ts";
import { linear, linearSpecs } from "./linear.ts";
import type { TensorSpec } from "./tensor_spec.ts";

/** Widening of the hidden layer. */
const WIDENING = 4;

/** `linear1` and `linear2` of a transformer layer. */
export function feedForwardSpecs(name: string, width: number): TensorSpec[] {
  return [
    ...linearSpecs(`${name}.linear1`, width, WIDENING * width),
    ...linearSpecs(`${name}.linear2`, WIDENING * width, width),
  ];
}

/** Two linear layers with an activation between them, `(B, T, W)` to `(B, T, W)`. */
export function feedForward(
  p: Parameters,
  name: string,
  x: tf.Tensor,
  options: { readonly activation: Activation; readonly dropout: number },
  context: ForwardContext,
): tf.Tensor {
  const hidden = activate(linear(p, `${name}.linear1`, x), options.activation); // (B, T, 4W)
  return linear(p, `${name}.linear2`, dropout(hidden, options.dropout, `${name}.hidden`, context));
}
