/**
 * Tensors: TensorFlow through Deno's FFI, WebGPU and WebAssembly behind one tfjs, functions compiled
 * into single TensorFlow calls, variables, gradients, optimisers and reproducible random numbers.
 *
 * @example Train a line in compiled steps
 * ```ts
 * import assert from "node:assert/strict";
 * import {
 *   adamw,
 *   clipByGlobalNorm,
 *   compile,
 *   read,
 *   startEngine,
 *   tf,
 *   valueAndGradients,
 *   variables,
 * } from "trocar/engine";
 *
 * await startEngine({ quiet: true });
 * const parameters = variables({ slope: tf.scalar(0), offset: tf.scalar(0) });
 * const optimizer = adamw({ learningRate: 0.05, weightDecay: 0 });
 * const state = optimizer.init(parameters);
 * const step = compile((x: tf.Tensor, y: tf.Tensor) => {
 *   const { value, gradients } = valueAndGradients(
 *     ({ slope, offset }) => x.mul(slope).add(offset).sub(y).square().mean(),
 *     read(parameters),
 *   );
 *   const { scale, finite } = clipByGlobalNorm(gradients, 1);
 *   optimizer.update(gradients, state, parameters, { gradientScale: scale, enabled: finite });
 *   return value;
 * }, { name: "step" });
 *
 * const x = tf.linspace(-1, 1, 32);
 * const y = x.mul(2).add(1);
 * for (let i = 0; i < 400; i++) step(x, y).dispose();
 * assert(Math.abs((await parameters.slope.read().data())[0]! - 2) < 0.05);
 * ```
 *
 * @module
 */
export * as tf from "@tensorflow/tfjs";
export * from "./collectives/mod.ts";
export {
  Bfloat16Tensor,
  isBfloat16Faster,
  nativeBfloat16,
  writtenTensor,
} from "./bfloat16_tensor.ts";
export * from "./compile.ts";
export * from "./gradients.ts";
export * from "./install/mod.ts";
export { adamw, type AdamWOptions } from "./optimizers/adamw.ts";
export { clipByGlobalNorm, type GlobalNorm } from "./optimizers/clip.ts";
export type { Optimizer, ParameterGroup, UpdateOptions } from "./optimizers/optimizer.ts";
export { sgd, type SgdOptions } from "./optimizers/sgd.ts";
export * from "./random.ts";
export { recompute } from "./recompute.ts";
export * from "./saved_model.ts";
export * from "./start.ts";
export * from "./variable.ts";
