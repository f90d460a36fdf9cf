import { tf } from "../../engine/mod.ts";
import { dropout, type ForwardContext, type Parameters, tensorOf } from "./context.ts";
import { affine, linear } from "./linear.ts";
import { constant, fanIn, parameterSpec, type TensorSpec } from "./tensor_spec.ts";

/** Far below any score. */
const HIDDEN = 1e9;

/** Sizes that all attention of a network shares. */
export interface AttentionOptions {
  /** Heads, which divide the width. */
  readonly heads: number;
  /** Share of attention probabilities, and of outputs, that training drops. */
  readonly dropout: number;
}

/** Projections of queries, keys and values, packed into one matrix in this order, and of the output. */
export function attentionSpecs(name: string, width: number): TensorSpec[] {
  const xavier = { distribution: "uniform", bound: Math.sqrt(6 / (4 * width)) } as const;
  return [
    parameterSpec(`${name}.in_proj_weight`, [3 * width, width], xavier),
    parameterSpec(`${name}.in_proj_bias`, [3 * width], constant(0)),
    parameterSpec(`${name}.out_proj.weight`, [width, width], fanIn(width)),
    parameterSpec(`${name}.out_proj.bias`, [width], constant(0)),
  ];
}

/**
 * Multi-head attention: Vaswani et al., arXiv:1706.03762.
 *
 * @param x Queries, `(B, Q, W)`.
 * @param memory Keys and values, `(B, K, W)`; x itself for self-attention.
 * @param mask `(B, K)`, 1 for keys that count and 0 for others, at least one per sample; null if all do.
 * @returns `(B, Q, W)`.
 */
export function attention(
  p: Parameters,
  name: string,
  x: tf.Tensor,
  memory: tf.Tensor,
  options: AttentionOptions,
  context: ForwardContext,
  mask: tf.Tensor | null = null,
): tf.Tensor {
  const { heads } = options;
  const [batch, queries, width] = x.shape as [number, number, number];
  const split = (y: tf.Tensor) =>
    y.reshape([batch, y.shape[1]!, heads, width / heads]).transpose([0, 2, 1, 3]); // (B, heads, ·, W/heads)
  const { q, k, v } = project(p, name, x, memory, width);
  const scores = tf.matMul(split(q), split(k), false, true).mul(1 / Math.sqrt(width / heads));
  const probabilities = softmax(mask === null ? scores : scores.add(hidden(mask))); // (B, heads, Q, K)
  context.onAttention?.(name, probabilities);
  const kept = dropout(probabilities, options.dropout, `${name}.probabilities`, context);
  const mixed = tf.matMul(kept, split(v)).transpose([0, 2, 1, 3]);
  return linear(p, `${name}.out_proj`, mixed.reshape([batch, queries, width]));
}

/** What makes a probability exactly 0: `(B, 1, 1, K)`, 0 for keys that count. */
function hidden(mask: tf.Tensor): tf.Tensor {
  return mask.sub(1).mul(HIDDEN).expandDims(1).expandDims(1);
}

/** Of one key it is exactly 1, and its gradient exactly 0; TensorFlow's is so but for rounding. */
function softmax(scores: tf.Tensor): tf.Tensor {
  return scores.shape.at(-1) === 1 ? scores.mul(0).add(1) : tf.softmax(scores);
}

function project(p: Parameters, name: string, x: tf.Tensor, memory: tf.Tensor, width: number) {
  const weight = tensorOf(p, `${name}.in_proj_weight`); // (3W, W)
  const bias = tensorOf(p, `${name}.in_proj_bias`);
  if (x === memory) {
    const [q, k, v] = tf.split(affine(x, weight, bias), 3, -1) as [tf.Tensor, tf.Tensor, tf.Tensor];
    return { q, k, v };
  }
  const parts = [width, 2 * width];
  const [weightQ, weightKV] = tf.split(weight, parts, 0) as [tf.Tensor, tf.Tensor];
  const [biasQ, biasKV] = tf.split(bias, parts, 0) as [tf.Tensor, tf.Tensor];
  const [k, v] = tf.split(affine(memory, weightKV, biasKV), 2, -1) as [tf.Tensor, tf.Tensor];
  return { q: affine(x, weightQ, biasQ), k, v };
}
