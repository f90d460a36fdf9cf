/**
 * Whether the vision-language model computes what the published library computes: comparison with
 * recorded numbers.
 *
 * @module
 */
export * from "./adapters.ts";
export * from "./cases.ts";
export * from "./check.ts";
export * from "./images.ts";
export * from "./run.ts";
export * from "./texts.ts";
export * from "./units.ts";
