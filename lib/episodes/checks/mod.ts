/**
 * The checks that every analyst makes of recordings and episodes, one call each.
 *
 * @module
 */
export * from "./action_shares.ts";
export * from "./arrays.ts";
export * from "./delays.ts";
export * from "./examine_recording.ts";
export * from "./force.ts";
export * from "./image_sizes.ts";
export * from "./input_ages.ts";
export * from "./motion.ts";
export * from "./reproducibility.ts";
export * from "./stream_checks.ts";
export * from "./timestamps.ts";
