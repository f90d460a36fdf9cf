/** The network of a fixture, in evaluation and in a training step. */
import { tf } from "../../engine/mod.ts";
import { legacyLadder } from "../diffusion/ladder.ts";
import { addNoise } from "../diffusion/noise_schedule.ts";
import { sampleDdim } from "../diffusion/sample.ts";
import { evaluation, type ForwardContext, type Parameters } from "../layers/context.ts";
import { weightedSquaredError } from "../losses.ts";
import { conditionOf, predictNoise } from "../reference/diffusion_expert.ts";
import { correctActions } from "../reference/no_sensor_expert.ts";
import { referenceSchedule } from "../reference/policy.ts";
import { regressActions } from "../reference/regression_expert.ts";
import { encodeSensor } from "../reference/sensor_encoder.ts";
import { usesSensor } from "../reference/specs.ts";
import type { ParityFixture } from "./fixture.ts";

/** Inputs of a fixture as tensors. */
export type NetworkInputs = Record<
  "window" | "vl" | "actions" | "z_chunk" | "eps" | "steps" | "confidence" | "hasSensor",
  tf.Tensor
>;

/** Makes the inputs. */
export function networkInputs(fixture: ParityFixture): NetworkInputs {
  const { steps, confidence, hasSensor } = fixture;
  const tensors = Object.entries(fixture.inputs).map(([name, { shape, data }]) =>
    [name, tf.tensor(data, [...shape])] as const
  );
  return {
    ...Object.fromEntries(tensors) as Record<keyof ParityFixture["inputs"], tf.Tensor>,
    steps: tf.tensor1d([...steps], "int32"),
    confidence: tf.tensor1d([...confidence]),
    hasSensor: tf.tensor1d([...hasSensor], "bool"),
  };
}

/** Sensor features, output and DDIM samples in evaluation. */
export function evaluate(
  { config, samples }: ParityFixture,
  p: Parameters,
  { window, vl: vision, z_chunk: chunk, steps }: NetworkInputs,
): Record<string, tf.Tensor> {
  const context = evaluation();
  const { sensorEncoder } = config;
  const features = sensorEncoder && encodeSensor(p, sensorEncoder, window, context);
  const sensor = usesSensor(config) ? features : null;
  const outputs: Record<string, tf.Tensor> = features === null ? {} : { features };
  if (config.family !== "diffusion") {
    const inputs = { vision, sensor, chunk };
    const regress = config.family === "regression" ? regressActions : correctActions;
    return { ...outputs, output: regress(p, config, inputs, context).prediction };
  }
  const condition = conditionOf(p, config, vision, sensor, context);
  const predict = (x: tf.Tensor, at: tf.Tensor) =>
    predictNoise(p, config, x, at, condition, context);
  outputs["output"] = predict(chunk, steps);
  for (const count of samples.keys()) {
    const ladder = legacyLadder(config.actionExpert.timesteps, count);
    outputs[`ddim${count}`] = sampleDdim(referenceSchedule(config), ladder, predict, chunk);
  }
  return outputs;
}

/** The loss of a training step. */
export function trainingLoss(
  { config }: ParityFixture,
  p: Parameters,
  inputs: NetworkInputs,
  context: ForwardContext,
): tf.Scalar {
  const { window, vl: vision, actions, z_chunk: chunk, steps, eps: noise } = inputs;
  const { sensorEncoder, family } = config;
  const sensor = usesSensor(config) ? encodeSensor(p, sensorEncoder!, window, context) : null;
  if (family !== "diffusion") {
    const regress = family === "regression" ? regressActions : correctActions;
    const { prediction } = regress(p, config, { vision, sensor, chunk }, context);
    return weightedSquaredError(prediction, actions, inputs);
  }
  const noisy = addNoise(referenceSchedule(config), actions, noise, steps);
  const condition = conditionOf(p, config, vision, sensor, context);
  const predicted = predictNoise(p, config, noisy, steps, condition, context);
  return weightedSquaredError(predicted, noise, inputs, { normalise: false });
}
