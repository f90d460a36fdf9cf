/**
 * How the Python reference chose rows, images and windows, for comparison with the files it left. What
 * it got wrong it gets wrong here too; each function names the one of ours that is right.
 *
 * @module
 */
export * from "./cache_keys.ts";
export * from "./interval_window.ts";
export * from "./pickled_samples.ts";
export * from "./sampling.ts";
export * from "./stretched_rows.ts";
export * from "./window_samples.ts";
