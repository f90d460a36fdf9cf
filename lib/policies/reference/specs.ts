import type { TensorSpec } from "../layers/tensor_spec.ts";
import type { ReferenceConfig } from "./config.ts";
import { diffusionSpecs } from "./diffusion_expert.ts";
import { noSensorSpecs } from "./no_sensor_expert.ts";
import { regressionSpecs } from "./regression_expert.ts";
import { sensorEncoderSpecs } from "./sensor_encoder.ts";

const EXPERTS = {
  "regression": regressionSpecs,
  "diffusion": diffusionSpecs,
  "no-sensor": noSensorSpecs,
} as const;

/** The tensors of a policy in the order of the Python reference's state dictionaries. */
export function referenceSpecs(config: ReferenceConfig): TensorSpec[] {
  const { sensorEncoder, family } = config;
  return [
    ...(sensorEncoder === null ? [] : sensorEncoderSpecs(sensorEncoder)),
    ...EXPERTS[family](config),
  ];
}

/** Whether the loss reaches the sensor encoder's parameters at all. */
export function usesSensor({ sensorEncoder, family, fusion }: ReferenceConfig): boolean {
  return sensorEncoder !== null && family !== "no-sensor" && fusion !== "none";
}
