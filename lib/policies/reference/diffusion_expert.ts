import type { tf } from "../../engine/mod.ts";
import { activate } from "../layers/activations.ts";
import type { ForwardContext, Parameters } from "../layers/context.ts";
import { encoderStack, encoderStackSpecs } from "../layers/encoder_layer.ts";
import { expectChunk } from "../layers/expect.ts";
import { layerNorm, normSpecs } from "../layers/layer_norm.ts";
import { linear, linearSpecs } from "../layers/linear.ts";
import { embedStep, stepSpecs } from "../layers/step_embedding.ts";
import type { TensorSpec } from "../layers/tensor_spec.ts";
import type { ReferenceConfig } from "./config.ts";
import { fuse, fusionSpecs } from "./fusion.ts";

const NAME = "action_expert";

/** The tensors of {@link conditionOf} and {@link predictNoise}. */
export function diffusionSpecs({ fusion, actionExpert: config }: ReferenceConfig): TensorSpec[] {
  const { hiddenDim, actionDim, layers } = config;
  return [
    ...stepSpecs(`${NAME}.time_embed`, hiddenDim),
    ...fusionSpecs(fusion, "cond_proj", config),
    ...linearSpecs(`${NAME}.action_embed`, actionDim, hiddenDim),
    ...encoderStackSpecs(`${NAME}.temporal_encoder`, hiddenDim, layers, true),
    ...normSpecs(`${NAME}.output_head.0`, hiddenDim),
    ...linearSpecs(`${NAME}.output_head.1`, hiddenDim, hiddenDim),
    ...linearSpecs(`${NAME}.output_head.3`, hiddenDim, actionDim),
  ];
}

/**
 * The condition of the diffusion expert, the same for all steps of a sampling.
 *
 * @param p The tensors of `policyShapes`.
 * @param config A policy of family `diffusion`.
 * @param vision Visual-language tokens, `(B, S, visionDim)`.
 * @param sensor Sensor feature, `(B, sensorDim)`; null with fusion `none`.
 * @param context Training or evaluation.
 * @returns `(B, hiddenDim)`.
 * @throws {RangeError} If a shape does not fit the configuration.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { startEngine, tf } from "../../engine/mod.ts";
 * import { evaluation, initialise, preset } from "../mod.ts";
 * import { conditionOf } from "./diffusion_expert.ts";
 *
 * await startEngine({ engine: "wasm", quiet: true });
 * const config = preset("tiny", {
 *   architecture: "reference",
 *   family: "diffusion",
 *   fusion: "none",
 *   visionDim: 16,
 * });
 * const p = initialise(config, { seed: 1 });
 * const condition = conditionOf(p, config, tf.zeros([2, 1, 16]), null, evaluation());
 * assert.deepEqual(condition.shape, [2, 128]);
 * ```
 */
export function conditionOf(
  p: Parameters,
  { fusion, actionExpert }: ReferenceConfig,
  vision: tf.Tensor,
  sensor: tf.Tensor | null,
  context: ForwardContext,
): tf.Tensor {
  return fuse(p, fusion, "cond_proj", actionExpert, vision, sensor, context);
}

/**
 * The diffusion expert: predicts the noise in a chunk. As in the Python reference its actions have no
 * positions, so it cannot tell their order.
 *
 * @param p The tensors of `policyShapes`.
 * @param config A policy of family `diffusion`.
 * @param noisy Noisy chunk, `(B, horizon, actionDim)`.
 * @param steps Diffusion step of each sample, `(B)` int32.
 * @param condition What {@link conditionOf} returned.
 * @param context Training or evaluation.
 * @returns The noise, `(B, horizon, actionDim)`.
 * @throws {RangeError} If a shape does not fit the configuration.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { startEngine, tf } from "../../engine/mod.ts";
 * import { evaluation, initialise, preset } from "../mod.ts";
 * import { predictNoise } from "./diffusion_expert.ts";
 *
 * await startEngine({ engine: "wasm", quiet: true });
 * const config = preset("tiny", { architecture: "reference", family: "diffusion", fusion: "none" });
 * const p = initialise(config, { seed: 1 });
 * const steps = tf.tensor1d([3, 99], "int32");
 * const condition = tf.zeros([2, 128]);
 * const noise = predictNoise(p, config, tf.zeros([2, 8, 7]), steps, condition, evaluation());
 * assert.deepEqual(noise.shape, [2, 8, 7]);
 * ```
 */
export function predictNoise(
  p: Parameters,
  { actionExpert: config }: ReferenceConfig,
  noisy: tf.Tensor,
  steps: tf.Tensor,
  condition: tf.Tensor,
  context: ForwardContext,
): tf.Tensor {
  expectChunk(noisy, config);
  const shared = embedStep(p, `${NAME}.time_embed`, steps).add(condition); // (B, W)
  const x = linear(p, `${NAME}.action_embed`, noisy).add(shared.expandDims(1)); // (B, H, W)
  const options = { ...config, activation: "relu" } as const;
  const y = encoderStack(p, `${NAME}.temporal_encoder`, x, options, context);
  const z = linear(p, `${NAME}.output_head.1`, layerNorm(p, `${NAME}.output_head.0`, y));
  return linear(p, `${NAME}.output_head.3`, activate(z, "silu"));
}
