/**
 * Conversions of checkpoints between folders, `.pt` files and safetensors files, and of the models that
 * were trained with them.
 *
 * @module
 */
export * from "./conversions.ts";
export { MODEL_CONVERSIONS } from "./model_conversions.ts";
export * from "./optimizer.ts";
