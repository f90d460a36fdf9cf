/**
 * The parts of trocar's policies.
 *
 * @module
 */
export { predictNoise, predictVelocity, regressActions } from "./action_expert.ts";
export { type Memory, memoryTokens } from "./memory.ts";
export * from "./normalisation.ts";
export { encodeObservation } from "./policy.ts";
export { encodeSensor, missingSensor } from "./sensor_encoder.ts";
