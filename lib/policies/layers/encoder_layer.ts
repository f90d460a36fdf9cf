import type { tf } from "../../engine/mod.ts";
import type { Activation } from "./activations.ts";
import { attention, type AttentionOptions, attentionSpecs } from "./attention.ts";
import { dropout, type ForwardContext, type Parameters } from "./context.ts";
import { feedForward, feedForwardSpecs } from "./feed_forward.ts";
import { layerNorm, normSpecs } from "./layer_norm.ts";
import { stackSpecs, type TensorSpec } from "./tensor_spec.ts";

/** Settings of a transformer stack. */
export interface StackOptions extends AttentionOptions {
  /** Layers. */
  readonly layers: number;
  /** Between the linear layers of the feed-forward part. */
  readonly activation: Activation;
}

/** The tensors of {@link encoderStack}. */
export function encoderStackSpecs(
  name: string,
  width: number,
  layers: number,
  copies: boolean,
): TensorSpec[] {
  return stackSpecs(name, layers, copies, (layer) => [
    ...attentionSpecs(`${layer}.self_attn`, width),
    ...feedForwardSpecs(layer, width),
    ...normSpecs(`${layer}.norm1`, width),
    ...normSpecs(`${layer}.norm2`, width),
  ]);
}

/** Layers of self-attention and feed-forward that normalise their inputs, `(B, T, W)` to `(B, T, W)`. */
export function encoderStack(
  p: Parameters,
  name: string,
  x: tf.Tensor,
  options: StackOptions,
  context: ForwardContext,
): tf.Tensor {
  for (let i = 0; i < options.layers; i++) {
    x = encoderLayer(p, `${name}.layers.${i}`, x, options, context);
  }
  return x;
}

function encoderLayer(
  p: Parameters,
  name: string,
  x: tf.Tensor,
  options: StackOptions,
  context: ForwardContext,
): tf.Tensor {
  const add = (y: tf.Tensor, place: string) =>
    x.add(dropout(y, options.dropout, `${name}.${place}`, context));
  const y = layerNorm(p, `${name}.norm1`, x);
  x = add(attention(p, `${name}.self_attn`, y, y, options, context), "dropout1");
  const z = layerNorm(p, `${name}.norm2`, x);
  return add(feedForward(p, name, z, options, context), "dropout2");
}
