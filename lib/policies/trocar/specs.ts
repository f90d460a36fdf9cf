import type { TensorSpec } from "../layers/tensor_spec.ts";
import { actionExpertSpecs } from "./action_expert.ts";
import type { TrocarConfig } from "./config.ts";
import { sensorEncoderSpecs } from "./sensor_encoder.ts";

/** The tensors of a policy. */
export function trocarSpecs(config: TrocarConfig): TensorSpec[] {
  const { sensorEncoder } = config;
  return [
    ...(sensorEncoder === null ? [] : sensorEncoderSpecs(sensorEncoder)),
    ...actionExpertSpecs(config),
  ];
}
