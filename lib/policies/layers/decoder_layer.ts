import type { tf } from "../../engine/mod.ts";
import { attention, attentionSpecs } from "./attention.ts";
import { dropout, type ForwardContext, type Parameters } from "./context.ts";
import type { StackOptions } from "./encoder_layer.ts";
import { feedForward, feedForwardSpecs } from "./feed_forward.ts";
import { layerNorm, normSpecs } from "./layer_norm.ts";
import { stackSpecs, type TensorSpec } from "./tensor_spec.ts";

/** The tensors of {@link decoderStack}. */
export function decoderStackSpecs(
  name: string,
  width: number,
  layers: number,
  copies: boolean,
): TensorSpec[] {
  return stackSpecs(name, layers, copies, (layer) => [
    ...attentionSpecs(`${layer}.self_attn`, width),
    ...attentionSpecs(`${layer}.multihead_attn`, width),
    ...feedForwardSpecs(layer, width),
    ...[1, 2, 3].flatMap((i) => normSpecs(`${layer}.norm${i}`, width)),
  ]);
}

/**
 * Layers of self-attention, attention to a memory, and feed-forward that normalise their outputs.
 *
 * @param x `(B, H, W)`.
 * @param memory `(B, M, W)`.
 * @returns `(B, H, W)`.
 */
export function decoderStack(
  p: Parameters,
  name: string,
  x: tf.Tensor,
  memory: tf.Tensor,
  options: StackOptions,
  context: ForwardContext,
  mask: tf.Tensor | null = null,
): tf.Tensor {
  for (let i = 0; i < options.layers; i++) {
    x = decoderLayer(p, `${name}.layers.${i}`, x, memory, options, context, mask);
  }
  return x;
}

function decoderLayer(
  p: Parameters,
  name: string,
  x: tf.Tensor,
  memory: tf.Tensor,
  options: StackOptions,
  context: ForwardContext,
  mask: tf.Tensor | null,
): tf.Tensor {
  const addAndNorm = (y: tf.Tensor, i: number) =>
    layerNorm(
      p,
      `${name}.norm${i}`,
      x.add(dropout(y, options.dropout, `${name}.dropout${i}`, context)),
    );
  x = addAndNorm(attention(p, `${name}.self_attn`, x, x, options, context), 1);
  x = addAndNorm(attention(p, `${name}.multihead_attn`, x, memory, options, context, mask), 2);
  return addAndNorm(feedForward(p, name, x, options, context), 3);
}
