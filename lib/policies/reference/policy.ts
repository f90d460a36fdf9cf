import { tf } from "../../engine/mod.ts";
import { drawNoise } from "../diffusion/draws.ts";
import { noiseMetrics } from "../diffusion/noise_metrics.ts";
import { addNoise, type NoiseSchedule, noiseSchedule } from "../diffusion/noise_schedule.ts";
import { sampleChunks } from "../diffusion/sampling.ts";
import type { ForwardContext, Parameters } from "../layers/context.ts";
import { type LossTerms, weightedError } from "../losses.ts";
import type { LossOptions, Observation, PolicyBatch, PredictOptions } from "../policy.ts";
import type { ReferenceConfig } from "./config.ts";
import { conditionOf, predictNoise } from "./diffusion_expert.ts";
import { correctActions } from "./no_sensor_expert.ts";
import { regressActions } from "./regression_expert.ts";
import { encodeSensor } from "./sensor_encoder.ts";
import { usesSensor } from "./specs.ts";

/** The noise schedule of the Python reference, which bounds β by 0.9999. */
export function referenceSchedule({ actionExpert }: ReferenceConfig): NoiseSchedule {
  return noiseSchedule(actionExpert.timesteps, { largestBeta: 0.9999 });
}

function sensorFeature(
  p: Parameters,
  config: ReferenceConfig,
  { sensor }: Observation,
  context: ForwardContext,
): tf.Tensor | null {
  if (!usesSensor(config) || sensor === undefined) return null;
  return encodeSensor(p, config.sensorEncoder!, sensor, context);
}

function regress(
  p: Parameters,
  config: ReferenceConfig,
  observation: Observation,
  context: ForwardContext,
  given?: tf.Tensor,
): tf.Tensor {
  const { vision } = observation;
  const { horizon, actionDim } = config.actionExpert;
  const chunk = given ?? tf.zeros([vision.shape[0]!, horizon, actionDim]);
  const sensor = sensorFeature(p, config, observation, context);
  const inputs = { vision, sensor, chunk };
  const expert = config.family === "regression" ? regressActions : correctActions;
  return expert(p, config, inputs, context).prediction;
}

/** The loss of a batch; the Python reference adds its corrections to the true chunk. */
export function referenceLoss(
  p: Parameters,
  config: ReferenceConfig,
  batch: PolicyBatch,
  context: ForwardContext,
  { chunk, ...options }: LossOptions,
): LossTerms {
  const { actions, actionMask } = batch;
  const weights = batch.weights ?? { confidence: tf.ones([actions.shape[0]!]) };
  const mask = actionMask === undefined ? {} : { mask: actionMask.cast("float32").expandDims(2) };
  if (config.family !== "diffusion") {
    const given = chunk === "truth" ? actions : undefined;
    const predicted = regress(p, config, batch, context, given);
    return weightedError(predicted, actions, weights, { ...options, ...mask });
  }
  const { timesteps } = config.actionExpert;
  const { steps, noise } = drawNoise(batch, timesteps, context);
  const noisy = addNoise(referenceSchedule(config), actions, noise, steps);
  const sensor = sensorFeature(p, config, batch, context);
  const condition = conditionOf(p, config, batch.vision, sensor, context);
  const predicted = predictNoise(p, config, noisy, steps, condition, context);
  const error = { normalisation: "none", ...options, ...mask } as const;
  const loss = weightedError(predicted, noise, weights, error);
  return {
    ...loss,
    metrics: noiseMetrics({ predicted, noise, steps, timesteps, ...mask, weights }),
  };
}

/** Actions of an observation, `(B, horizon, actionDim)`. */
export function predictReference(
  p: Parameters,
  config: ReferenceConfig,
  observation: Observation,
  context: ForwardContext,
  options: PredictOptions,
): tf.Tensor {
  if (config.family !== "diffusion") return regress(p, config, observation, context);
  const { vision } = observation;
  const sensor = sensorFeature(p, config, observation, context);
  const condition = conditionOf(p, config, vision, sensor, context);
  return sampleChunks(
    (x, steps) => predictNoise(p, config, x, steps, condition, context),
    config,
    referenceSchedule(config),
    vision.shape[0]!,
    context,
    options,
  );
}
