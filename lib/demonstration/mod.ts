/**
 * Data to begin with: simulated recordings, preprocessed, with their features, made when they are
 * first needed and kept for all runs.
 *
 * @module
 */
export * from "./demonstration.ts";
export * from "./demonstration_recording.ts";
export * from "./demonstration_policy.ts";
export * from "./open_run.ts";
