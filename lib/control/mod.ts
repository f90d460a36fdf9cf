/**
 * Policies at work: from a checkpoint to actions.
 *
 * @module
 */
export * from "./open_policy.ts";
export * from "./policy_parameters.ts";
export * from "./predict_chunk.ts";
export * from "./usual_checkpoint.ts";
