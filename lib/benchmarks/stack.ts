/**
 * The network of the `step` benchmark: the layers and sizes of a policy of about 120 M parameters
 * (strided conv1d tower, pre-norm transformer, projection, post-norm decoder), without its details.
 */
import { tf } from "../engine/mod.ts";
import { fill } from "./fill.ts";

type Parameters = Record<string, tf.Tensor>;

/** Sizes of the network. */
export interface StackSize {
  /** Channels of the sensor window. */
  readonly channels: number;
  /** Width of the transformers. */
  readonly width: number;
  /** Width of the pooled sensor feature. */
  readonly feature: number;
  /** Width of the visual-language feature. */
  readonly context: number;
  /** Blocks of the encoder and of the decoder. */
  readonly blocks: readonly [number, number];
  /** Attention heads. */
  readonly heads: number;
  /** Predicted steps, and numbers in each. */
  readonly horizon: number;
  readonly actions: number;
}

/** Sizes by preset; `reference` has the 119.7 M parameters of the policy trocar re-implements. */
export const STACK_SIZES: Record<"tiny" | "compact" | "reference", StackSize> = {
  tiny: size(64, 128, 256, 256),
  compact: size(512, 384, 1024, 2048),
  reference: size(1026, 1024, 3072, 2048),
};

function size(channels: number, width: number, feature: number, context: number): StackSize {
  return { channels, width, feature, context, blocks: [2, 4], heads: 8, horizon: 8, actions: 7 };
}

const KERNEL = 3;

/** Names and shapes of the parameters, linear weights as `[out, in]`, kernels as `[width, in, out]`. */
export function stackShapes(s: StackSize): Record<string, number[]> {
  const shapes: Record<string, number[]> = {};
  const linear = (name: string, inputs: number, outputs: number) => {
    shapes[`${name}.weight`] = [outputs, inputs];
    shapes[`${name}.bias`] = [outputs];
  };
  const norm = (name: string, width: number) => {
    shapes[`${name}.weight`] = [width];
    shapes[`${name}.bias`] = [width];
  };
  const attention = (name: string) => {
    linear(`${name}.in`, s.width, 3 * s.width);
    linear(`${name}.out`, s.width, s.width);
  };
  const half = s.width / 2;
  [s.channels, half, s.width, s.width].forEach((inputs, i) => {
    shapes[`conv${i}.weight`] = [KERNEL, inputs, i === 0 ? half : s.width];
    shapes[`conv${i}.bias`] = [i === 0 ? half : s.width];
    norm(`conv${i}.norm`, i === 0 ? half : s.width);
  });
  for (let i = 0; i < s.blocks[0] + s.blocks[1]; i++) {
    attention(`block${i}.self`);
    if (i >= s.blocks[0]) attention(`block${i}.cross`);
    linear(`block${i}.up`, s.width, 4 * s.width);
    linear(`block${i}.down`, 4 * s.width, s.width);
    for (let n = 0; n < (i < s.blocks[0] ? 2 : 3); n++) norm(`block${i}.norm${n}`, s.width);
  }
  linear("pool", s.width, s.feature);
  norm("pool.norm", s.feature);
  linear("project", s.feature, s.feature);
  linear("fuse", s.context + s.feature, s.width);
  shapes["positions"] = [1, s.horizon, s.width];
  norm("head.norm", s.width);
  linear("head", s.width, s.actions);
  return shapes;
}

/** First values of one parameter. */
export interface StackFill {
  readonly name: string;
  readonly shape: number[];
  readonly values: Float32Array;
}

/** Largest magnitude of a weight's first values. */
export const WEIGHT_SCALE = 0.02;

/**
 * The first values of the parameters, one after the other: those of the i-th parameter of
 * {@link stackShapes} are `fill(i, count, 0.02)`, and 1 more for the weights of normalisations.
 *
 * @param s Sizes.
 * @returns Names, shapes and values, float32.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { STACK_SIZES, stackFills } from "./stack.ts";
 * const [first] = stackFills(STACK_SIZES.tiny);
 * assert(first!.name === "conv0.weight" && Math.abs(first!.values[0]!) <= 0.02);
 * ```
 */
export function* stackFills(s: StackSize): Generator<StackFill> {
  let index = 0;
  for (const [name, shape] of Object.entries(stackShapes(s))) {
    const count = shape.reduce((product, dim) => product * dim, 1);
    const values = fill(index++, count, WEIGHT_SCALE);
    if (name.includes("norm") && name.endsWith(".weight")) {
      for (let k = 0; k < count; k++) values[k]! += 1;
    }
    yield { name, shape, values };
  }
}

/**
 * Counts the numbers in the parameters.
 *
 * @param s Sizes.
 * @returns How many.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { countParameters, STACK_SIZES } from "./stack.ts";
 * assert(countParameters(STACK_SIZES.reference) === 119_686_663);
 * ```
 */
export function countParameters(s: StackSize): number {
  return Object.values(stackShapes(s))
    .reduce((sum, shape) => sum + shape.reduce((product, dim) => product * dim, 1), 0);
}

function linear(p: Parameters, name: string, x: tf.Tensor): tf.Tensor {
  const inputs = x.shape[x.shape.length - 1]!;
  const rows = x.reshape<tf.Tensor2D>([-1, inputs]);
  const weight = p[`${name}.weight`] as tf.Tensor2D;
  return tf.matMul(rows, weight, false, true).add(p[`${name}.bias`]!)
    .reshape([...x.shape.slice(0, -1), weight.shape[0]]);
}

function layerNorm(p: Parameters, name: string, x: tf.Tensor): tf.Tensor {
  const centred = x.sub(x.mean(-1, true));
  const variance = centred.square().mean(-1, true);
  return centred.mul(variance.add(1e-5).rsqrt()).mul(p[`${name}.weight`]!).add(p[`${name}.bias`]!);
}

function gelu(x: tf.Tensor): tf.Tensor {
  return x.mul(0.5).mul(x.mul(Math.SQRT1_2).erf().add(1));
}

function attention(
  p: Parameters,
  name: string,
  x: tf.Tensor, // (batch, queries, width)
  memory: tf.Tensor, // (batch, keys, width)
  heads: number,
): tf.Tensor {
  const [batch, queries, width] = x.shape as [number, number, number];
  const keys = memory.shape[1]!;
  const split = (y: tf.Tensor, length: number) =>
    y.reshape([batch, length, heads, width / heads]).transpose([0, 2, 1, 3]);
  let q: tf.Tensor, k: tf.Tensor, v: tf.Tensor;
  if (x === memory) {
    [q, k, v] = tf.split(linear(p, `${name}.in`, x), 3, -1) as [tf.Tensor, tf.Tensor, tf.Tensor];
  } else {
    const sizes = [width, 2 * width];
    const [wq, wkv] = tf.split(p[`${name}.in.weight`]!, sizes, 0) as [tf.Tensor, tf.Tensor];
    const [bq, bkv] = tf.split(p[`${name}.in.bias`]!, sizes, 0) as [tf.Tensor, tf.Tensor];
    q = linear({ "q.weight": wq, "q.bias": bq }, "q", x);
    const both = linear({ "kv.weight": wkv, "kv.bias": bkv }, "kv", memory);
    [k, v] = tf.split(both, 2, -1) as [tf.Tensor, tf.Tensor];
  }
  const scores = tf.matMul(split(q, queries), split(k, keys), false, true)
    .mul(1 / Math.sqrt(width / heads));
  const mixed = tf.matMul(tf.softmax(scores), split(v, keys));
  return linear(p, `${name}.out`, mixed.transpose([0, 2, 1, 3]).reshape([batch, queries, width]));
}

/**
 * Predicts action chunks.
 *
 * @param p Parameters of {@link stackShapes}.
 * @param s Sizes.
 * @param window Sensor windows, `(batch, time, channels)`.
 * @param context Visual-language features, `(batch, context)`.
 * @returns `(batch, horizon, actions)`.
 */
export function stack(
  p: Parameters,
  s: StackSize,
  window: tf.Tensor,
  context: tf.Tensor,
): tf.Tensor {
  let x = window;
  for (let i = 0; i < 4; i++) {
    const padded = tf.pad(x as tf.Tensor3D, [[0, 0], [1, 1], [0, 0]]);
    x = tf.conv1d(padded as tf.Tensor3D, p[`conv${i}.weight`] as tf.Tensor3D, 2, "valid");
    x = gelu(layerNorm(p, `conv${i}.norm`, x.add(p[`conv${i}.bias`]!)));
  }
  for (let i = 0; i < s.blocks[0]; i++) {
    const y = layerNorm(p, `block${i}.norm0`, x);
    x = x.add(attention(p, `block${i}.self`, y, y, s.heads));
    const up = linear(p, `block${i}.up`, layerNorm(p, `block${i}.norm1`, x)).relu();
    x = x.add(linear(p, `block${i}.down`, up));
  }
  const pooled = gelu(layerNorm(p, "pool.norm", linear(p, "pool", x.mean(1))));
  const feature = linear(p, "project", pooled);
  const memory = linear(p, "fuse", tf.concat([context, feature], -1)).expandDims(1);
  let h: tf.Tensor = p["positions"]!.tile([window.shape[0]!, 1, 1]);
  for (let i = s.blocks[0]; i < s.blocks[0] + s.blocks[1]; i++) {
    h = layerNorm(p, `block${i}.norm0`, h.add(attention(p, `block${i}.self`, h, h, s.heads)));
    h = layerNorm(p, `block${i}.norm1`, h.add(attention(p, `block${i}.cross`, h, memory, s.heads)));
    const up = linear(p, `block${i}.up`, h).relu();
    h = layerNorm(p, `block${i}.norm2`, h.add(linear(p, `block${i}.down`, up)));
  }
  return linear(p, "head", layerNorm(p, "head.norm", h));
}
