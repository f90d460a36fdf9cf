import { tf } from "../../engine/mod.ts";
import { activate } from "../layers/activations.ts";
import { dropout, type ForwardContext, type Parameters } from "../layers/context.ts";
import { encoderStack, encoderStackSpecs } from "../layers/encoder_layer.ts";
import { expectChunk, expectVision } from "../layers/expect.ts";
import { layerNorm, normSpecs } from "../layers/layer_norm.ts";
import { linear, linearSpecs } from "../layers/linear.ts";
import type { TensorSpec } from "../layers/tensor_spec.ts";
import type { ReferenceConfig } from "./config.ts";
import type { RegressionInputs, RegressionOutputs } from "./regression_expert.ts";

const NAME = "action_expert";

/** The tensors of {@link correctActions}. */
export function noSensorSpecs({ actionExpert: config }: ReferenceConfig): TensorSpec[] {
  const { visionDim, actionDim, hiddenDim, layers } = config;
  return [
    ...linearSpecs(`${NAME}.context_proj.0`, visionDim, hiddenDim),
    ...normSpecs(`${NAME}.context_proj.2`, hiddenDim),
    ...linearSpecs(`${NAME}.input_proj.0`, hiddenDim + actionDim, hiddenDim),
    ...encoderStackSpecs(`${NAME}.temporal_encoder`, hiddenDim, layers, true),
    ...normSpecs(`${NAME}.delta_head.0`, hiddenDim),
    ...linearSpecs(`${NAME}.delta_head.1`, hiddenDim, hiddenDim),
    ...linearSpecs(`${NAME}.delta_head.3`, hiddenDim, actionDim),
  ];
}

/**
 * The older expert without a sensor: corrects a chunk that it sees. Its actions have no positions.
 *
 * @param p The tensors of `policyShapes`.
 * @param config A policy of family `no-sensor`.
 * @param inputs One visual-language token, `(B, 1, visionDim)`, and the chunk to correct.
 * @param context Training or evaluation.
 * @returns Prediction and correction, `(B, horizon, actionDim)`.
 * @throws {RangeError} If a shape does not fit the configuration.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { startEngine, tf } from "../../engine/mod.ts";
 * import { evaluation, initialise, preset } from "../mod.ts";
 * import { correctActions } from "./no_sensor_expert.ts";
 *
 * await startEngine({ engine: "wasm", quiet: true });
 * const config = preset("tiny", { architecture: "reference", family: "no-sensor" });
 * const p = initialise(config, { seed: 1 });
 * const inputs = { vision: tf.zeros([2, 1, 2048]), chunk: tf.zeros([2, 8, 7]) };
 * const { prediction, delta } = correctActions(p, config, inputs, evaluation());
 * assert.deepEqual(await prediction.data(), await delta.data());
 * ```
 */
export function correctActions(
  p: Parameters,
  { actionExpert: config }: ReferenceConfig,
  { vision, chunk }: Omit<RegressionInputs, "sensor">,
  context: ForwardContext,
): RegressionOutputs {
  expectVision(vision, config.visionDim);
  expectChunk(chunk, config);
  if (vision.shape[1] !== 1) {
    throw new RangeError(
      `Cannot compute actions: the no-sensor expert takes 1 visual-language token, current value is ${
        vision.shape[1]
      }; pool them first`,
    );
  }
  const token = activate(linear(p, `${NAME}.context_proj.0`, vision.squeeze([1])), "gelu"); // (B, W)
  const shared = layerNorm(p, `${NAME}.context_proj.2`, token).expandDims(1);
  const joined = tf.concat([tf.tile(shared, [1, config.horizon, 1]), chunk], -1); // (B, H, W + A)
  const hidden = activate(linear(p, `${NAME}.input_proj.0`, joined), "gelu");
  const x = dropout(hidden, config.dropout, `${NAME}.input_proj.2`, context);
  const options = { ...config, activation: "gelu" } as const;
  const y = encoderStack(p, `${NAME}.temporal_encoder`, x, options, context);
  const z = linear(p, `${NAME}.delta_head.1`, layerNorm(p, `${NAME}.delta_head.0`, y));
  const delta = linear(p, `${NAME}.delta_head.3`, activate(z, "gelu"));
  return { prediction: chunk.add(delta), delta };
}
