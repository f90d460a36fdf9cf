/**
 * Policies at work: from a checkpoint to actions, and from actions to what a robot may be told.
 *
 * @module
 */
export * from "./action_limits.ts";
export * from "./attention_share.ts";
export * from "./blend_chunks.ts";
export * from "./open_policy.ts";
export * from "./policy_parameters.ts";
export * from "./predict_chunk.ts";
export * from "./schedule.ts";
export * from "./sensor_embedding.ts";
export * from "./session.ts";
export * from "./usual_checkpoint.ts";
export * from "./visual_changes.ts";
