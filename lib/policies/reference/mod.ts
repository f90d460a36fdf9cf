/**
 * The parts of the Python reference's policies.
 *
 * @module
 */
export { conditionOf, predictNoise } from "./diffusion_expert.ts";
export { correctActions } from "./no_sensor_expert.ts";
export { referenceSchedule } from "./policy.ts";
export {
  regressActions,
  type RegressionInputs,
  type RegressionOutputs,
} from "./regression_expert.ts";
export { encodeSensor } from "./sensor_encoder.ts";
