import { tf } from "../../engine/mod.ts";
import { attention, attentionSpecs } from "../layers/attention.ts";
import { type ForwardContext, type Parameters, tensorOf } from "../layers/context.ts";
import { layerNorm, normSpecs } from "../layers/layer_norm.ts";
import { activate } from "../layers/activations.ts";
import { linear, linearSpecs } from "../layers/linear.ts";
import { dropAtRandom, replaceMissing } from "../layers/missing.ts";
import { expectVision } from "../layers/expect.ts";
import { bufferSpec, parameterSpec, type TensorSpec } from "../layers/tensor_spec.ts";
import type { TrocarConfig } from "./config.ts";

const NAME = "action_expert";
const SMALL = { distribution: "normal", deviation: 0.02 } as const;

/** What actions attend to. */
export interface Memory {
  /** `(B, M, W)`. */
  readonly tokens: tf.Tensor;
  /** `(B, M)`, 1 for tokens that count, else 0; null if all do. */
  readonly mask: tf.Tensor | null;
}

/** The tensors of {@link memoryTokens}. */
export function memorySpecs({ fusion, actionExpert }: TrocarConfig): TensorSpec[] {
  const { visionDim, visionHidden, sensorDim, hiddenDim } = actionExpert;
  const sensor = linearSpecs(`${NAME}.sensor_proj`, sensorDim, hiddenDim);
  const own: Record<TrocarConfig["fusion"], () => TensorSpec[]> = {
    concat: () => sensor,
    cross_attention: () => [
      ...sensor,
      ...attentionSpecs(`${NAME}.cross_attn`, hiddenDim),
      ...normSpecs(`${NAME}.cross_norm`, hiddenDim),
    ],
    gated: () => [...sensor, ...linearSpecs(`${NAME}.gate.0`, 2 * hiddenDim, hiddenDim)],
    none: () => [],
  };
  return [
    parameterSpec(`${NAME}.memory_token`, [1, 1, hiddenDim], SMALL),
    parameterSpec(`${NAME}.missing_view`, [1, 1, visionDim], SMALL),
    bufferSpec(`${NAME}.vision_mean`, [visionDim], 0),
    bufferSpec(`${NAME}.vision_std`, [visionDim], 1),
    ...linearSpecs(`${NAME}.vl_proj.0`, visionDim, visionHidden),
    ...normSpecs(`${NAME}.vl_proj.1`, visionHidden),
    ...linearSpecs(`${NAME}.vl_proj.3`, visionHidden, hiddenDim),
    ...own[fusion](),
  ];
}

/**
 * The tokens that actions attend to: a learned one, and by fusion
 *
 * - `concat`: all visual-language and sensor tokens;
 * - `cross_attention`: visual-language tokens, to each of which was added what it found in the sensor
 *   tokens, and the mean sensor token;
 * - `gated`: all tokens, between which a gate weighs channel by channel;
 * - `none`: the visual-language tokens.
 *
 * Visual-language tokens that are not there count nowhere, however many there are; a sample without any
 * has a learned token in their place.
 *
 * @param p The tensors of `policyShapes`.
 * @param config The policy.
 * @param vision `(B, S, visionDim)`.
 * @param present `(B, S)`, 1 for tokens that are there; null if all are.
 * @param sensor Sensor tokens, `(B, T′, sensorDim)`; null with fusion `none`.
 * @param context Training, which also removes random visual-language tokens, or evaluation.
 * @returns M tokens, at least 2, and which of them count.
 * @throws {RangeError} If the visual-language tokens have another width than the configuration says.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { startEngine, tf } from "../../engine/mod.ts";
 * import { evaluation, initialise, preset } from "../mod.ts";
 * import { memoryTokens } from "./memory.ts";
 *
 * await startEngine({ engine: "wasm", quiet: true });
 * const config = preset("tiny", { visionDim: 16 });
 * const p = initialise(config, { seed: 1 });
 * const sensor = tf.zeros([2, 5, 256]);
 * const { tokens } = memoryTokens(p, config, tf.zeros([2, 3, 16]), null, sensor, evaluation());
 * assert.deepEqual(tokens.shape, [2, 1 + 3 + 5, 128]);
 * ```
 */
export function memoryTokens(
  p: Parameters,
  { fusion, actionExpert: config }: TrocarConfig,
  vision: tf.Tensor,
  present: tf.Tensor | null,
  sensor: tf.Tensor | null,
  context: ForwardContext,
): Memory {
  expectVision(vision, config.visionDim);
  const standardised = vision.sub(tensorOf(p, `${NAME}.vision_mean`))
    .div(tensorOf(p, `${NAME}.vision_std`));
  const seen = seenTokens(p, standardised, present, config.missingRate, context);
  const hidden = layerNorm(p, `${NAME}.vl_proj.1`, linear(p, `${NAME}.vl_proj.0`, seen.tokens));
  const v = linear(p, `${NAME}.vl_proj.3`, activate(hidden, "gelu")); // (B, S, W)
  const learned = tf.tile(tensorOf(p, `${NAME}.memory_token`), [vision.shape[0]!, 1, 1]);
  const join = (views: tf.Tensor, after: tf.Tensor[]): Memory => ({
    tokens: tf.concat([learned, views, ...after], 1),
    mask: seen.mask && maskBetween(seen.mask, 1, after.reduce((sum, x) => sum + x.shape[1]!, 0)),
  });
  if (fusion === "none") return join(v, []);
  if (sensor === null) {
    throw new TypeError(
      `Cannot fuse: fusion "${fusion}" needs sensor tokens, current value is null; missingSensor() makes them`,
    );
  }
  const s = linear(p, `${NAME}.sensor_proj`, sensor); // (B, T', W)
  if (fusion === "concat") return join(v, [s]);
  if (fusion === "cross_attention") {
    const found = attention(p, `${NAME}.cross_attn`, v, s, config, context);
    return join(layerNorm(p, `${NAME}.cross_norm`, v.add(found)), [s.mean(1, true)]);
  }
  const both = tf.concat([meanToken(v, seen.mask), s.mean(1, true)], 2); // (B, 1, 2W)
  const gate = linear(p, `${NAME}.gate.0`, both).sigmoid(); // (B, 1, W)
  return join(v.mul(gate), [s.mul(tf.sub(1, gate))]);
}

/** Visual-language tokens, and which of them count: those that are there, else a learned one. */
function seenTokens(
  p: Parameters,
  vision: tf.Tensor,
  present: tf.Tensor | null,
  rate: number,
  context: ForwardContext,
): Memory {
  if (present === null && !context.training) return { tokens: vision, mask: null };
  const [batch, count] = vision.shape as [number, number];
  const key = `${NAME}.missing_view`;
  const kept = dropAtRandom(present ?? tf.ones([batch, count]), rate, key, context); // (B, S)
  const first = tf.range(0, count).less(1).cast("float32"); // (S)
  const isBlind = tf.sub(1, kept.max(1, true)); // (B, 1)
  return {
    tokens: replaceMissing(p, key, vision, kept),
    mask: kept.add(first.mul(isBlind)),
  };
}

/** The mask of tokens between others that all count. */
function maskBetween(mask: tf.Tensor, before: number, after: number): tf.Tensor {
  return tf.pad(mask as tf.Tensor2D, [[0, 0], [before, after]], 1);
}

/** Mean of the tokens that count, `(B, 1, W)`. */
function meanToken(tokens: tf.Tensor, mask: tf.Tensor | null): tf.Tensor {
  if (mask === null) return tokens.mean(1, true);
  const counts = mask.expandDims(2); // (B, S, 1)
  return tokens.mul(counts).sum(1, true).div(counts.sum(1, true));
}
