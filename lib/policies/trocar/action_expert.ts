import { tf } from "../../engine/mod.ts";
import { noiseFromVelocity, noiseSchedule } from "../diffusion/noise_schedule.ts";
import { activate } from "../layers/activations.ts";
import { type ForwardContext, type Parameters, tensorOf } from "../layers/context.ts";
import { decoderStack, decoderStackSpecs } from "../layers/decoder_layer.ts";
import { expectChunk } from "../layers/expect.ts";
import { layerNorm, normSpecs } from "../layers/layer_norm.ts";
import { linear, linearSpecs } from "../layers/linear.ts";
import { embedStep, stepSpecs } from "../layers/step_embedding.ts";
import { bufferSpec, parameterSpec, type TensorSpec } from "../layers/tensor_spec.ts";
import type { TrocarConfig, TrocarExpertConfig } from "./config.ts";
import { type Memory, memorySpecs } from "./memory.ts";

const NAME = "action_expert";

/** The tensors of the action expert. */
export function actionExpertSpecs(config: TrocarConfig): TensorSpec[] {
  const { hiddenDim, horizon, actionDim, layers } = config.actionExpert;
  const positions = { distribution: "normal", deviation: 0.02 } as const;
  const isDiffusion = config.family === "diffusion";
  return [
    parameterSpec(`${NAME}.pos_embed`, [1, horizon, hiddenDim], positions),
    bufferSpec(`${NAME}.action_mean`, [actionDim], 0),
    bufferSpec(`${NAME}.action_std`, [actionDim], 1),
    bufferSpec(`${NAME}.action_mask`, [actionDim], 1),
    ...memorySpecs(config),
    ...(isDiffusion
      ? [
        ...stepSpecs(`${NAME}.time_embed`, hiddenDim),
        ...linearSpecs(`${NAME}.action_embed`, actionDim, hiddenDim),
      ]
      : []),
    ...decoderStackSpecs(`${NAME}.temporal_decoder`, hiddenDim, layers, false),
    ...normSpecs(`${NAME}.output_head.0`, hiddenDim),
    ...(isDiffusion
      ? [
        ...linearSpecs(`${NAME}.output_head.1`, hiddenDim, hiddenDim),
        ...linearSpecs(`${NAME}.output_head.3`, hiddenDim, actionDim),
      ]
      : linearSpecs(`${NAME}.output_head.1`, hiddenDim, actionDim)),
  ];
}

/**
 * Predicts chunks from learned queries, one per action, that attend to the memory.
 *
 * @param p The tensors of `policyShapes`.
 * @param config A policy of family `regression`.
 * @param memory What `memoryTokens` returned.
 * @param context Training or evaluation.
 * @returns Normalised actions, `(B, horizon, actionDim)`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { startEngine, tf } from "../../engine/mod.ts";
 * import { evaluation, initialise, preset } from "../mod.ts";
 * import { regressActions } from "./action_expert.ts";
 *
 * await startEngine({ engine: "wasm", quiet: true });
 * const config = preset("tiny", { fusion: "none" });
 * const p = initialise(config, { seed: 1 });
 * const chunk = regressActions(p, config, { tokens: tf.zeros([2, 3, 128]), mask: null }, evaluation());
 * assert.deepEqual(chunk.shape, [2, 8, 7]);
 * ```
 */
export function regressActions(
  p: Parameters,
  { actionExpert: config }: TrocarConfig,
  memory: Memory,
  context: ForwardContext,
): tf.Tensor {
  const queries = tf.tile(tensorOf(p, `${NAME}.pos_embed`), [memory.tokens.shape[0]!, 1, 1]); // (B, H, W)
  const x = decode(p, config, queries, memory, context);
  return linear(p, `${NAME}.output_head.1`, x);
}

/**
 * Predicts the noise in chunks, by way of their {@link predictVelocity}.
 *
 * @param p The tensors of `policyShapes`.
 * @param config A policy of family `diffusion`.
 * @param noisy Noisy normalised chunk, `(B, horizon, actionDim)`.
 * @param steps Diffusion step of each sample, `(B)` int32.
 * @param memory What `memoryTokens` returned.
 * @param context Training or evaluation.
 * @returns The noise, `(B, horizon, actionDim)`.
 * @throws {RangeError} If the chunk does not fit the configuration.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { startEngine, tf } from "../../engine/mod.ts";
 * import { evaluation, initialise, preset } from "../mod.ts";
 * import { predictNoise } from "./action_expert.ts";
 *
 * await startEngine({ engine: "wasm", quiet: true });
 * const config = preset("tiny", { family: "diffusion", fusion: "none" });
 * const p = initialise(config, { seed: 1 });
 * const steps = tf.tensor1d([3, 99], "int32");
 * const memory = { tokens: tf.zeros([2, 3, 128]), mask: null };
 * const noise = predictNoise(p, config, tf.zeros([2, 8, 7]), steps, memory, evaluation());
 * assert.deepEqual(noise.shape, [2, 8, 7]);
 * ```
 */
export function predictNoise(
  p: Parameters,
  config: TrocarConfig,
  noisy: tf.Tensor,
  steps: tf.Tensor,
  memory: Memory,
  context: ForwardContext,
): tf.Tensor {
  const velocity = predictVelocity(p, config, noisy, steps, memory, context);
  const schedule = noiseSchedule(config.actionExpert.timesteps);
  return noiseFromVelocity(schedule, noisy, velocity, steps);
}

/**
 * Predicts the velocity of noisy chunks, see `velocity`: a prediction of the noise, as the Python
 * reference's, says next to nothing of a chunk that is all noise, and sampling begins with one. Actions
 * have positions, so that it can tell their order.
 *
 * @param p The tensors of `policyShapes`.
 * @param config A policy of family `diffusion`.
 * @param noisy Noisy normalised chunk, `(B, horizon, actionDim)`.
 * @param steps Diffusion step of each sample, `(B)` int32.
 * @param memory What `memoryTokens` returned.
 * @param context Training or evaluation.
 * @returns The velocity, `(B, horizon, actionDim)`.
 * @throws {RangeError} If the chunk does not fit the configuration.
 */
export function predictVelocity(
  p: Parameters,
  { actionExpert: config }: TrocarConfig,
  noisy: tf.Tensor,
  steps: tf.Tensor,
  memory: Memory,
  context: ForwardContext,
): tf.Tensor {
  expectChunk(noisy, config);
  const masked = noisy.mul(tensorOf(p, `${NAME}.action_mask`));
  const step = embedStep(p, `${NAME}.time_embed`, steps).expandDims(1); // (B, 1, W)
  const queries = linear(p, `${NAME}.action_embed`, masked)
    .add(tensorOf(p, `${NAME}.pos_embed`)).add(step); // (B, H, W)
  const x = linear(p, `${NAME}.output_head.1`, decode(p, config, queries, memory, context));
  return linear(p, `${NAME}.output_head.3`, activate(x, "silu"));
}

function decode(
  p: Parameters,
  config: TrocarExpertConfig,
  queries: tf.Tensor,
  memory: Memory,
  context: ForwardContext,
): tf.Tensor {
  const options = { ...config, activation: "relu" } as const;
  const x = decoderStack(
    p,
    `${NAME}.temporal_decoder`,
    queries,
    memory.tokens,
    options,
    context,
    memory.mask,
  );
  return layerNorm(p, `${NAME}.output_head.0`, x);
}
