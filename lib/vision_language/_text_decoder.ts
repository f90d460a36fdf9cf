import { Bfloat16Tensor, tf } from "../engine/mod.ts";
import type { VisionLanguageForward } from "./forward_context.ts";
import { runLayer } from "./_recompute_layer.ts";
import { gatedMlp, linear, rootMeanSquareNorm, rotate, weight } from "./_layers.ts";

/** Added to the scores of keys that a query must not see. */
const UNSEEN = -1e9;

/** What the text decoder takes beside embeddings. */
export interface DecoderInputs {
  /** `(B, S)` float32, 1 for tokens and 0 for padding. */
  readonly mask: tf.Tensor;
  /** Cosines of the rotary angles, `(B, S, 1, headWidth / 2)`. */
  readonly cosine: tf.Tensor;
  /** Sines of the same. */
  readonly sine: tf.Tensor;
}

/**
 * Embeddings of tokens.
 *
 * @param forward weights
 * @param ids int32 of any shape
 * @returns `(...ids, D)`
 */
export function embedTokens(forward: VisionLanguageForward, ids: tf.Tensor): tf.Tensor {
  const table = weight(forward, "model.embed_tokens.weight");
  return table instanceof Bfloat16Tensor
    ? table.gatherRows(ids)
    : tf.gather(table, ids as tf.Tensor1D);
}

/**
 * The text decoder: each token sees those before it that are no padding.
 *
 * Architecture: Yang et al., Qwen2.5 Technical Report, https://arxiv.org/abs/2412.15115
 *
 * @param forward weights and adapter
 * @param embeddings `(B, S, D)`
 * @param inputs mask and rotary tables
 * @returns `(B, S, D)`, after the final norm; rows of padding hold no meaning
 */
export function textDecoder(
  forward: VisionLanguageForward,
  embeddings: tf.Tensor,
  inputs: DecoderInputs,
): tf.Tensor {
  const { config: { text }, tap } = forward, epsilon = text.normEpsilon;
  const once = forward.recomputes === true ? undefined : attentionBias(inputs.mask);
  let x = embeddings;
  for (let i = 0; i < text.layers; i++) {
    const layer = `model.layers.${i}`;
    x = runLayer(forward, layer, x, (given, input) => {
      const bias = once ?? attentionBias(inputs.mask); // a tensor from outside would be gone by then
      const y = rootMeanSquareNorm(given, input, `${layer}.input_layernorm`, epsilon);
      const seen = input.add(selfAttention(given, y, `${layer}.self_attn`, inputs, bias));
      const z = rootMeanSquareNorm(given, seen, `${layer}.post_attention_layernorm`, epsilon);
      return seen.add(gatedMlp(given, z, `${layer}.mlp`));
    });
    tap?.(`text.layer.${i}`, x);
  }
  const hidden = rootMeanSquareNorm(forward, x, "model.norm", epsilon);
  tap?.("text.last_hidden_state", hidden);
  return hidden;
}

/** `(B, 1, 1, S, S)`: 0 for a key that a query sees, very negative for others. */
function attentionBias(mask: tf.Tensor): tf.Tensor {
  const [batch, length] = mask.shape as [number, number];
  const places = tf.range(0, length);
  const causal = places.reshape([1, length]).lessEqual(places.reshape([length, 1]));
  const seen = causal.toFloat().mul(mask.reshape([batch, 1, length]));
  return tf.sub(1, seen).mul(UNSEEN).reshape([batch, 1, 1, length, length]);
}

function selfAttention(
  forward: VisionLanguageForward,
  x: tf.Tensor,
  module: string,
  { cosine, sine }: DecoderInputs,
  bias: tf.Tensor,
): tf.Tensor {
  const { heads, keyValueHeads, hiddenSize } = forward.config.text;
  const [batch, length] = x.shape as [number, number];
  const width = hiddenSize / heads, group = heads / keyValueHeads;
  const project = (name: string, count: number) =>
    linear(forward, x, `${module}.${name}_proj`).reshape([batch, length, count, width]);
  const queries = rotate(project("q", heads), cosine, sine);
  const keys = rotate(project("k", keyValueHeads), cosine, sine).transpose([0, 2, 1, 3]);
  const values = project("v", keyValueHeads).transpose([0, 2, 1, 3]);
  // Queries that share a key head stand one below the other, so that no key is repeated.
  const grouped = queries.mul(width ** -0.5)
    .reshape([batch, length, keyValueHeads, group, width]).transpose([0, 2, 3, 1, 4])
    .reshape([batch, keyValueHeads, group * length, width]);
  const scores = tf.matMul(grouped, keys, false, true)
    .reshape([batch, keyValueHeads, group, length, length]).add(bias);
  const seen = tf.matMul(
    tf.softmax(scores).reshape([batch, keyValueHeads, group * length, length]),
    values,
  );
  const y = seen.reshape([batch, keyValueHeads, group, length, width])
    .transpose([0, 3, 1, 2, 4]).reshape([batch, length, hiddenSize]);
  return linear(forward, y, `${module}.o_proj`);
}
