import { tf } from "../../engine/mod.ts";
import { drawSteps } from "../diffusion/draws.ts";
import { evenLadder } from "../diffusion/ladder.ts";
import { addNoise, noiseSchedule } from "../diffusion/noise_schedule.ts";
import { sampleDdim } from "../diffusion/sample.ts";
import { type ForwardContext, type Parameters, randomOf } from "../layers/context.ts";
import { expectChunk } from "../layers/expect.ts";
import { type LossTerms, weightedError } from "../losses.ts";
import type { LossOptions, Observation, PolicyBatch, PredictOptions } from "../policy.ts";
import { predictNoise, regressActions } from "./action_expert.ts";
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

/** The loss of a batch, in standard deviations. */
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
  const { steps, noise } = drawSteps(randomOf(context, "diffusion"), chunk.shape, timesteps);
  const noisy = addNoise(noiseSchedule(timesteps), chunk, noise, steps);
  const predicted = predictNoise(p, config, noisy, steps, memory, context);
  return weightedError(predicted, noise, weights, { ...options, mask });
}

/** Actions of an observation in physical units, `(B, horizon, actionDim)`. */
export function predictTrocar(
  p: Parameters,
  config: TrocarConfig,
  observation: Observation,
  context: ForwardContext,
  { samplingSteps = 10, noise }: PredictOptions,
): tf.Tensor {
  const memory = encodeObservation(p, config, observation, context);
  if (config.family === "regression") {
    return denormaliseActions(p, regressActions(p, config, memory, context));
  }
  const { horizon, actionDim, timesteps, actionClip } = config.actionExpert;
  const start = noise ??
    randomOf(context, "diffusion").normal(
      [observation.vision.shape[0]!, horizon, actionDim],
      "diffusion.start",
    );
  const sampled = sampleDdim(
    noiseSchedule(timesteps),
    evenLadder(timesteps, samplingSteps),
    (x, steps) => predictNoise(p, config, x, steps, memory, context),
    start,
    actionClip,
  );
  return denormaliseActions(p, sampled);
}
