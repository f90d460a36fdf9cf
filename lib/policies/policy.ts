import { tf } from "../engine/mod.ts";
import { withCleanActions, withMasks } from "./_masks.ts";
import type { PolicyConfig } from "./config.ts";
import type { SamplingNoise, SamplingOptions } from "./diffusion/sampling.ts";
import type { ForwardContext, Parameters } from "./layers/context.ts";
import type { ErrorOptions, LossTerms, SampleWeights } from "./losses.ts";
import { expectSameSamples } from "./layers/expect.ts";
import { predictReference, referenceLoss } from "./reference/policy.ts";
import { predictTrocar, trocarLoss } from "./trocar/policy.ts";

/** What a policy sees. */
export interface Observation {
  /** Visual-language tokens, `(B, S, visionDim)`. */
  readonly vision: tf.Tensor;
  /** `(B, S)`, 1 for tokens that are there; `reference` counts all. @default {all are} */
  readonly visionMask?: tf.Tensor;
  /** Sensor windows, `(B, temporalLength, inputChannels)`, raw values. @default {no sensor} */
  readonly sensor?: tf.Tensor;
  /** `(B, temporalLength)`, 1 for recorded rows. @default {all are} */
  readonly sensorMask?: tf.Tensor;
}

/** Samples to learn from. */
export interface PolicyBatch extends Observation {
  /** True chunks in physical units, `(B, horizon, actionDim)`. */
  readonly actions: tf.Tensor;
  /** `(B, horizon)`, 1 for recorded actions. @default {all are} */
  readonly actionMask?: tf.Tensor;
  /** What each sample counts. @default {all the same} */
  readonly weights?: SampleWeights;
  /** Diffusion step of each sample, 0 … timesteps − 1, `(B)` int32. @default {drawn from the context} */
  readonly steps?: tf.Tensor;
  /** Standard normal noise to mix the chunks with, `(B, horizon, actionDim)`. @default {drawn from the context} */
  readonly noise?: tf.Tensor;
}

/** Settings of {@link policyLoss}. */
export interface LossOptions extends ErrorOptions {
  /**
   * What regression adds its output to. `truth` is the Python reference's: the true chunk, which
   * there is none of after training; a policy learns that nothing is to be added. For comparison only.
   * @default {"zeros"}
   */
  readonly chunk?: "zeros" | "truth";
}

/** Settings of {@link predictActions}; those of sampling are for the diffusion family. */
export interface PredictOptions extends SamplingOptions, SamplingNoise {}

/**
 * The loss of a policy on a batch: for regression the error of actions predicted from zeros; for
 * diffusion, at random steps, that of the noise with `reference` and that of the `velocity` with
 * `trocar`. `trocar` measures in standard deviations of each action dimension and leaves constant
 * dimensions and padding out.
 *
 * @param p The tensors of `policyShapes`.
 * @param config The policy.
 * @param batch Samples.
 * @param context `training(random)`; its `updates` are filled by architectures with running statistics.
 * @param options Error, weights of dimensions, normalisation: by default `none` for the diffusion of
 * `reference`, as there, and `global` for all others.
 * @returns Float32 scalar; 0 if nothing counts.
 * @throws {RangeError} If a shape does not fit the configuration.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { Random, startEngine, tf } from "../engine/mod.ts";
 * import { initialise, policyLoss, preset, training } from "./mod.ts";
 *
 * await startEngine({ engine: "wasm", quiet: true });
 * const config = preset("tiny", { fusion: "none", visionDim: 16 });
 * const batch = { vision: tf.zeros([2, 1, 16]), actions: tf.ones([2, 8, 7]) };
 * const context = training(new Random({ seed: 1, counter: 0 }));
 * const loss = policyLoss(initialise(config, { seed: 1 }), config, batch, context);
 * assert((await loss.data())[0]! > 0);
 * ```
 */
export function policyLoss(
  p: Parameters,
  config: PolicyConfig,
  batch: PolicyBatch,
  context: ForwardContext,
  options: LossOptions = {},
): tf.Scalar {
  const { sum, weight } = policyLossTerms(p, config, batch, context, options);
  return sum.div(tf.where(weight.greater(0), weight, 1));
}

/**
 * {@link policyLoss} before its division, for batches that are computed in parts: Σ sum / Σ weight.
 *
 * @param p The tensors of `policyShapes`.
 * @param config The policy.
 * @param batch Samples.
 * @param context As for `policyLoss`.
 * @param options As for `policyLoss`.
 * @returns Sum and divisor; for diffusion also the sums that `lossMetricShapes` names.
 * @throws {RangeError} If a shape does not fit the configuration.
 */
export function policyLossTerms(
  p: Parameters,
  config: PolicyConfig,
  batch: PolicyBatch,
  context: ForwardContext,
  options: LossOptions = {},
): LossTerms {
  const { weights: _, ...tensors } = batch;
  expectSameSamples(tensors);
  const clean = withCleanActions(batch);
  return config.architecture === "reference"
    ? referenceLoss(p, config, clean, context, options)
    : trocarLoss(p, config, clean, context, options);
}

/**
 * Predicts action chunks.
 *
 * @param p The tensors of `policyShapes`.
 * @param config The policy.
 * @param observation What it sees.
 * @param context `evaluation(random)`; only diffusion without `noise` draws from it.
 * @param options Sampling.
 * @returns Actions in physical units, `(B, horizon, actionDim)`.
 * @throws {RangeError} If a shape or an option of sampling does not fit the configuration.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { startEngine, tf } from "../engine/mod.ts";
 * import { evaluation, initialise, predictActions, preset } from "./mod.ts";
 *
 * await startEngine({ engine: "wasm", quiet: true });
 * const config = preset("tiny", { fusion: "none", visionDim: 16 });
 * const observation = { vision: tf.zeros([2, 1, 16]) };
 * const chunk = predictActions(initialise(config, { seed: 1 }), config, observation, evaluation());
 * assert.deepEqual(chunk.shape, [2, 8, 7]);
 * ```
 */
export function predictActions(
  p: Parameters,
  config: PolicyConfig,
  observation: Observation,
  context: ForwardContext,
  options: PredictOptions = {},
): tf.Tensor {
  const { noise, stepNoise } = options;
  expectSameSamples({ ...observation, noise, stepNoise });
  const seen = withMasks(observation);
  return config.architecture === "reference"
    ? predictReference(p, config, seen, context, options)
    : predictTrocar(p, config, seen, context, options);
}
