import { tf } from "../engine/mod.ts";
import type { PolicyConfig } from "../policies/mod.ts";
import type { HostObservation } from "./open_policy.ts";

/** What a policy sees as tensors, which are the caller's. */
export function observationTensors(
  { size, vision, visionMask, sensor, sensorMask }: HostObservation,
  { sensorEncoder, actionExpert }: PolicyConfig,
): Record<string, tf.Tensor> {
  const tokens = vision.length / (size * actionExpert.visionDim);
  expectLength("vision", vision, [size, tokens, actionExpert.visionDim]);
  const inputs: Record<string, tf.Tensor> = {
    vision: tf.tensor3d(vision, [size, tokens, actionExpert.visionDim]),
  };
  if (visionMask !== undefined) {
    expectLength("visionMask", visionMask, [size, tokens]);
    inputs.visionMask = tf.tensor2d(Float32Array.from(visionMask), [size, tokens]);
  }
  // Policies without a sensor do not look at it.
  if (sensorEncoder === null || sensor === undefined) return inputs;
  const { temporalLength, inputChannels } = sensorEncoder;
  expectLength("sensor", sensor, [size, temporalLength, inputChannels]);
  inputs.sensor = tf.tensor3d(sensor, [size, temporalLength, inputChannels]);
  if (sensorMask !== undefined) {
    expectLength("sensorMask", sensorMask, [size, temporalLength]);
    inputs.sensorMask = tf.tensor2d(Float32Array.from(sensorMask), [size, temporalLength]);
  }
  return inputs;
}

/** @throws {RangeError} when there are more or fewer values than the shape asks for */
export function expectLength(
  name: string,
  { length }: ArrayLike<number>,
  shape: readonly number[],
): void {
  const expected = shape.reduce((product, side) => product * side, 1);
  if (shape.every(Number.isInteger) && expected > 0 && length === expected) return;
  throw new RangeError(
    `Cannot predict: ${name} must have (${
      shape.map((side) => +side.toFixed(2)).join(", ")
    }) values, ` +
      `current value is ${length}. The checkpoint's configuration says what it was trained with.`,
  );
}
