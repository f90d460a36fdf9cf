import { tf } from "../../engine/mod.ts";
import type { ForwardContext, Parameters } from "../layers/context.ts";
import { tensorOf } from "../layers/context.ts";
import { decoderStack, decoderStackSpecs } from "../layers/decoder_layer.ts";
import { expectChunk } from "../layers/expect.ts";
import { layerNorm, normSpecs } from "../layers/layer_norm.ts";
import { linear, linearSpecs } from "../layers/linear.ts";
import { parameterSpec, type TensorSpec } from "../layers/tensor_spec.ts";
import type { ReferenceConfig } from "./config.ts";
import { fuse, fusionSpecs } from "./fusion.ts";

const NAME = "action_expert";

/** What an expert that corrects a chunk sees. */
export interface RegressionInputs {
  /** Visual-language tokens, `(B, S, visionDim)`. */
  readonly vision: tf.Tensor;
  /** Sensor feature, `(B, sensorDim)`; null with fusion `none`. */
  readonly sensor: tf.Tensor | null;
  /** The chunk that is corrected, `(B, horizon, actionDim)`: zeros, unless for comparison. */
  readonly chunk: tf.Tensor;
}

/** What it predicts. */
export interface RegressionOutputs {
  /** chunk + delta, `(B, horizon, actionDim)`. */
  readonly prediction: tf.Tensor;
  /** The correction, `(B, horizon, actionDim)`. */
  readonly delta: tf.Tensor;
}

/** The tensors of {@link regressActions}. */
export function regressionSpecs({ fusion, actionExpert: config }: ReferenceConfig): TensorSpec[] {
  const { hiddenDim, horizon, actionDim, layers } = config;
  const normal = { distribution: "normal", deviation: 1 } as const;
  return [
    parameterSpec(`${NAME}.pos_embed`, [1, horizon, hiddenDim], normal),
    ...fusionSpecs(fusion, "fusion_proj", config),
    ...decoderStackSpecs(`${NAME}.temporal_decoder`, hiddenDim, layers, true),
    ...normSpecs(`${NAME}.output_head.0`, hiddenDim),
    ...linearSpecs(`${NAME}.output_head.1`, hiddenDim, actionDim),
  ];
}

/**
 * The regression expert: learned queries, one per action, attend to the condition; the result is added
 * to the chunk. The queries do not see the chunk, so a policy trained with the true chunk learns to
 * add nothing: train with zeros.
 *
 * @param p The tensors of `policyShapes`.
 * @param config A policy of family `regression`.
 * @param inputs Features and the chunk to correct.
 * @param context Training or evaluation.
 * @returns Prediction and correction.
 * @throws {RangeError} If a shape does not fit the configuration.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { startEngine, tf } from "../../engine/mod.ts";
 * import { evaluation, initialise, preset } from "../mod.ts";
 * import { regressActions } from "./regression_expert.ts";
 *
 * await startEngine({ engine: "wasm", quiet: true });
 * const config = preset("tiny", { architecture: "reference", fusion: "none" });
 * const inputs = { vision: tf.zeros([2, 1, 2048]), sensor: null, chunk: tf.ones([2, 8, 7]) };
 * const { prediction, delta } = regressActions(
 *   initialise(config, { seed: 1 }),
 *   config,
 *   inputs,
 *   evaluation(),
 * );
 * assert((await prediction.sub(delta).sub(1).abs().max().data())[0]! < 1e-5);
 * ```
 */
export function regressActions(
  p: Parameters,
  { fusion, actionExpert: config }: ReferenceConfig,
  { vision, sensor, chunk }: RegressionInputs,
  context: ForwardContext,
): RegressionOutputs {
  expectChunk(chunk, config);
  const memory = fuse(p, fusion, "fusion_proj", config, vision, sensor, context).expandDims(1); // (B, 1, W)
  const queries = tf.tile(tensorOf(p, `${NAME}.pos_embed`), [chunk.shape[0]!, 1, 1]); // (B, H, W)
  const options = { ...config, activation: "relu" } as const;
  const x = decoderStack(p, `${NAME}.temporal_decoder`, queries, memory, options, context);
  const delta = linear(p, `${NAME}.output_head.1`, layerNorm(p, `${NAME}.output_head.0`, x));
  return { prediction: chunk.add(delta), delta };
}
