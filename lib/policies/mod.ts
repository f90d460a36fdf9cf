/**
 * Policies: sensor encoder, fusion and action expert as pure functions of named parameters, so that the
 * same code serves training, evaluation and real time.
 *
 * `architecture: "trocar"` is the design to train; `"reference"` computes exactly what the Python
 * reference computes, to import its weights.
 *
 * @example One training step of a small policy
 * ```ts
 * import assert from "node:assert/strict";
 * import { adamw, compile, Random, read, startEngine, tf, valueAndGradients, variables } from "trocar/engine";
 * import { initialise, policyLoss, preset, trainedKeys, training } from "./mod.ts";
 *
 * await startEngine({ engine: "wasm", quiet: true });
 * const config = preset("tiny", { fusion: "none", visionDim: 32 });
 * const state = variables(initialise(config, { seed: 1 }));
 * const trained = Object.fromEntries(trainedKeys(config).map((key) => [key, state[key]!]));
 * const optimizer = adamw({ learningRate: 1e-3 });
 * const moments = optimizer.init(trained);
 * const step = compile((vision: tf.Tensor, actions: tf.Tensor, counter: tf.Tensor) => {
 *   const all = read(state);
 *   const context = training(new Random({ seed: 1, counter }));
 *   const { value, gradients } = valueAndGradients(
 *     (p) => policyLoss({ ...all, ...p }, config, { vision, actions }, context),
 *     read(trained),
 *   );
 *   optimizer.update(gradients, moments, trained);
 *   return value as tf.Tensor;
 * });
 * const losses = [0, 1, 2, 3, 4].map((i) =>
 *   step(tf.ones([2, 1, 32]), tf.ones([2, 8, 7]), tf.scalar(i, "int32")).dataSync()[0]!
 * );
 * assert(losses[4]! < losses[0]!);
 * ```
 *
 * @module
 */
export * from "./checkpoint_layout.ts";
export * from "./config.ts";
export * from "./decay.ts";
export * from "./diffusion/ladder.ts";
export { lossMetricShapes } from "./diffusion/noise_metrics.ts";
export * from "./diffusion/noise_schedule.ts";
export * from "./diffusion/sample.ts";
export {
  type Sampler,
  SAMPLERS,
  samplingLadder,
  type SamplingNoise,
  type SamplingOptions,
} from "./diffusion/sampling.ts";
export * from "./feature_width.ts";
export * from "./initialise.ts";
export { evaluation, type ForwardContext, type Parameters, training } from "./layers/context.ts";
export type { Interpolation } from "./layers/resample.ts";
export type { Initial, TensorSpec } from "./layers/tensor_spec.ts";
export * from "./losses.ts";
export * from "./policy.ts";
export * from "./presets.ts";
export * from "./reference/config.ts";
export * as reference from "./reference/mod.ts";
export * from "./shapes.ts";
export * from "./trocar/config.ts";
export * as trocar from "./trocar/mod.ts";
