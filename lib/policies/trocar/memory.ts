import { tf } from "../../engine/mod.ts";
import { attention, attentionSpecs } from "../layers/attention.ts";
import { type ForwardContext, type Parameters, tensorOf } from "../layers/context.ts";
import { layerNorm, normSpecs } from "../layers/layer_norm.ts";
import { linear, linearSpecs } from "../layers/linear.ts";
import { replaceMissing } from "../layers/missing.ts";
import { expectVision } from "../layers/expect.ts";
import { parameterSpec, type TensorSpec } from "../layers/tensor_spec.ts";
import type { TrocarConfig } from "./config.ts";

const NAME = "action_expert";
const SMALL = { distribution: "normal", deviation: 0.02 } as const;

/** The tensors of {@link memoryTokens}. */
export function memorySpecs({ fusion, actionExpert }: TrocarConfig): TensorSpec[] {
  const { visionDim, sensorDim, hiddenDim } = actionExpert;
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
    ...linearSpecs(`${NAME}.vl_proj`, visionDim, hiddenDim),
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
 * @param p The tensors of `policyShapes`.
 * @param config The policy.
 * @param vision `(B, S, visionDim)`.
 * @param views `(B, S)`, 1 where a view is; null if all are.
 * @param sensor Sensor tokens, `(B, T′, sensorDim)`; null with fusion `none`.
 * @param context Training, which also replaces random views, or evaluation.
 * @returns `(B, M, W)`, M at least 2.
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
 * const memory = memoryTokens(p, config, tf.zeros([2, 3, 16]), null, sensor, evaluation());
 * assert.deepEqual(memory.shape, [2, 1 + 3 + 5, 128]);
 * ```
 */
export function memoryTokens(
  p: Parameters,
  { fusion, actionExpert: config }: TrocarConfig,
  vision: tf.Tensor,
  views: tf.Tensor | null,
  sensor: tf.Tensor | null,
  context: ForwardContext,
): tf.Tensor {
  expectVision(vision, config.visionDim);
  const known = views ?? tf.ones(vision.shape.slice(0, 2));
  const seen = replaceMissing(
    p,
    `${NAME}.missing_view`,
    vision,
    known,
    config.missingRate,
    context,
  );
  const v = linear(p, `${NAME}.vl_proj`, seen); // (B, S, W)
  const learned = tf.tile(tensorOf(p, `${NAME}.memory_token`), [vision.shape[0]!, 1, 1]);
  if (fusion === "none") return tf.concat([learned, v], 1);
  if (sensor === null) {
    throw new TypeError(
      `Cannot fuse: fusion "${fusion}" needs sensor tokens, current value is null; missingSensor() makes them`,
    );
  }
  const s = linear(p, `${NAME}.sensor_proj`, sensor); // (B, T', W)
  if (fusion === "concat") return tf.concat([learned, v, s], 1);
  if (fusion === "cross_attention") {
    const found = attention(p, `${NAME}.cross_attn`, v, s, config, context);
    const joined = layerNorm(p, `${NAME}.cross_norm`, v.add(found));
    return tf.concat([learned, joined, s.mean(1, true)], 1);
  }
  const both = tf.concat([v.mean(1, true), s.mean(1, true)], 2); // (B, 1, 2W)
  const gate = linear(p, `${NAME}.gate.0`, both).sigmoid(); // (B, 1, W)
  return tf.concat([learned, v.mul(gate), s.mul(tf.sub(1, gate))], 1);
}
