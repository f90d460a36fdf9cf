/**
 * Conversions of checkpoints between folders, `.pt` files and safetensors files.
 *
 * @module
 */
export * from "./conversions.ts";
export * from "./optimizer.ts";
