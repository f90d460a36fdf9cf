import { tf } from "../../engine/mod.ts";
import { drawNoise } from "../diffusion/draws.ts";
import { noiseMetrics } from "../diffusion/noise_metrics.ts";
import {
  addNoise,
  noiseFromVelocity,
  noiseSchedule,
  velocity,
} from "../diffusion/noise_schedule.ts";
import { sampleChunks } from "../diffusion/sampling.ts";
import type { ForwardContext, Parameters } from "../layers/context.ts";
import { expectChunk } from "../layers/expect.ts";
import { type LossTerms, weightedError } from "../losses.ts";
import type { LossOptions, Observation, PolicyBatch, PredictOptions } from "../policy.ts";
import { predictVelocity, regressActions } from "./action_expert.ts";
import type { TrocarConfig } from "./config.ts";
import { type Memory, memoryTokens } from "./memory.ts";
import {
  actionMask,
  actionsOverStd,
  denormaliseActions,
  normaliseActions,
} from "./normalisation.ts";
import { encodeSensor, missingSensor } from "./sensor_encoder.ts";

/**
 * The tokens that actions attend to, of an observation.
 *
 * @param p The tensors of `policyShapes`.
 * @param config The policy.
 * @param observation What it sees; without a sensor every sample has the learned token for a missing one.
 * @param context Training or evaluation.
 * @returns M tokens and which of them count.
 * @throws {RangeError} If a shape does not fit the configuration.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { startEngine, tf } from "../../engine/mod.ts";
 * import { evaluation, initialise, preset } from "../mod.ts";
 * import { encodeObservation } from "./policy.ts";
 *
 * await startEngine({ engine: "wasm", quiet: true });
 * const config = preset("tiny", { visionDim: 16 });
 * const p = initialise(config, { seed: 1 });
 * const { tokens } = encodeObservation(p, config, { vision: tf.zeros([2, 1, 16]) }, evaluation());
 * assert.deepEqual(tokens.shape, [2, 1 + 1 + 5, 128]);
 * ```
 */
export function encodeObservation(
  p: Parameters,
  config: TrocarConfig,
  { vision, visionMask, sensor, sensorMask }: Observation,
  context: ForwardContext,
): Memory {
  const { sensorEncoder } = config;
  const tokens = sensorEncoder === null
    ? null
    : sensor === undefined
    ? missingSensor(p, sensorEncoder, vision.shape[0]!)
    : encodeSensor(p, sensorEncoder, sensor, sensorMask ?? null, context);
  return memoryTokens(p, config, vision, visionMask ?? null, tokens, context);
}

/** The loss of a batch, in standard deviations; of diffusion that of the velocity. */
export function trocarLoss(
  p: Parameters,
  config: TrocarConfig,
  batch: PolicyBatch,
  context: ForwardContext,
  { chunk: given, ...options }: LossOptions,
): LossTerms {
  expectChunk(batch.actions, config.actionExpert);
  const weights = batch.weights ?? { confidence: tf.ones([batch.actions.shape[0]!]) };
  const chunk = normaliseActions(p, batch.actions); // (B, H, A)
  const dimensions = actionMask(p); // (A)
  const mask = batch.actionMask === undefined
    ? dimensions
    : batch.actionMask.cast("float32").expandDims(2).mul(dimensions);
  const memory = encodeObservation(p, config, batch, context);
  if (config.family === "regression") {
    const output = regressActions(p, config, memory, context);
    // Without the mean, so that an output that leaves the truth as it is means no motion.
    const predicted = given === "truth" ? output.add(actionsOverStd(p, batch.actions)) : output;
    return weightedError(predicted, chunk, weights, { ...options, mask });
  }
  const { timesteps } = config.actionExpert;
  const { steps, noise } = drawNoise(batch, timesteps, context);
  const schedule = noiseSchedule(timesteps);
  const noisy = addNoise(schedule, chunk, noise, steps);
  const found = predictVelocity(p, config, noisy, steps, memory, context);
  const loss = weightedError(found, velocity(schedule, chunk, noise, steps), weights, {
    ...options,
    mask,
  });
  const predicted = noiseFromVelocity(schedule, noisy, found, steps);
  return {
    ...loss,
    metrics: noiseMetrics({ predicted, noise, steps, timesteps, mask, weights }),
  };
}

/** Actions of an observation in physical units, `(B, horizon, actionDim)`. */
export function predictTrocar(
  p: Parameters,
  config: TrocarConfig,
  observation: Observation,
  context: ForwardContext,
  options: PredictOptions,
): tf.Tensor {
  const memory = encodeObservation(p, config, observation, context);
  if (config.family === "regression") {
    return denormaliseActions(p, regressActions(p, config, memory, context));
  }
  const sampled = sampleChunks(
    (x, steps) => predictVelocity(p, config, x, steps, memory, context),
    config,
    noiseSchedule(config.actionExpert.timesteps),
    observation.vision.shape[0]!,
    context,
    options,
  );
  return denormaliseActions(p, sampled);
}
