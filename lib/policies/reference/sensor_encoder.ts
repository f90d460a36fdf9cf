import type { tf } from "../../engine/mod.ts";
import { activate } from "../layers/activations.ts";
import { batchNorm, batchNormSpecs } from "../layers/batch_norm.ts";
import { dropout, type ForwardContext, type Parameters } from "../layers/context.ts";
import { convolution, convolutionSpecs } from "../layers/convolution.ts";
import { encoderStack, encoderStackSpecs } from "../layers/encoder_layer.ts";
import { layerNorm, normSpecs } from "../layers/layer_norm.ts";
import { linear, linearSpecs } from "../layers/linear.ts";
import { resample } from "../layers/resample.ts";
import type { TensorSpec } from "../layers/tensor_spec.ts";
import type { SensorEncoderConfig } from "./config.ts";

const NAME = "sensor_encoder";
/** Convolution, normalisation, activation and dropout are four places of one list. */
const PLACES = 4;

/** Channels before the first and after each convolution. */
export function convolutionWidths(config: SensorEncoderConfig): number[] {
  const { inputChannels, hiddenDim, convLayers } = config;
  return [inputChannels, hiddenDim, ...Array(convLayers - 1).fill(2 * hiddenDim) as number[]];
}

/** The tensors of {@link encodeSensor}. */
export function sensorEncoderSpecs(config: SensorEncoderConfig): TensorSpec[] {
  const { outputDim, convLayers, transformerLayers } = config;
  const widths = convolutionWidths(config);
  const width = widths.at(-1)!;
  const specs: TensorSpec[] = [];
  for (let i = 0; i < convLayers; i++) {
    const [inputs, outputs] = [widths[i]!, widths[i + 1]!];
    specs.push(...convolutionSpecs(`${NAME}.conv_backbone.${PLACES * i}`, inputs, outputs));
    specs.push(...batchNormSpecs(`${NAME}.conv_backbone.${PLACES * i + 1}`, outputs));
  }
  return [
    ...specs,
    ...encoderStackSpecs(`${NAME}.transformer`, width, transformerLayers, true),
    ...linearSpecs(`${NAME}.projection.0`, width, outputDim),
    ...normSpecs(`${NAME}.projection.1`, outputDim),
    ...linearSpecs(`${NAME}.projection.4`, outputDim, outputDim),
  ];
}

/**
 * Encodes windows of force and A-lines: strided convolutions, self-attention, mean over time,
 * projection. As in the Python reference there are no positions, and a window of another length than
 * `temporalLength` is resampled to it.
 *
 * @param p The tensors of `policyShapes`.
 * @param config Sizes of the encoder.
 * @param window `(B, T, inputChannels)`.
 * @param context Training or evaluation. Training gives new running statistics in its `updates`.
 * @returns Features, `(B, outputDim)`.
 * @throws {RangeError} If the window has another number of channels, or training has one value per
 * channel.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { startEngine, tf } from "../../engine/mod.ts";
 * import { evaluation, initialise, preset } from "../mod.ts";
 * import { encodeSensor } from "./sensor_encoder.ts";
 *
 * await startEngine({ engine: "wasm", quiet: true });
 * const config = preset("tiny", { architecture: "reference" });
 * const feature = encodeSensor(
 *   initialise(config, { seed: 1 }),
 *   config.sensorEncoder!,
 *   tf.zeros([2, 65, 1026]),
 *   evaluation(),
 * );
 * assert.deepEqual(feature.shape, [2, config.sensorEncoder!.outputDim]);
 * ```
 */
export function encodeSensor(
  p: Parameters,
  config: SensorEncoderConfig,
  window: tf.Tensor,
  context: ForwardContext,
): tf.Tensor {
  expectChannels(window, config.inputChannels);
  const rate = config.dropout;
  let x = resample(window, config.temporalLength, config.interpolation); // (B, T, C)
  for (let i = 0; i < config.convLayers; i++) {
    const place = (offset: number) => `${NAME}.conv_backbone.${PLACES * i + offset}`;
    x = batchNorm(p, place(1), convolution(p, place(0), x), context); // (B, (T + 1) / 2, ·)
    x = dropout(activate(x, "gelu"), rate, place(3), context);
  }
  const { transformerLayers: layers, heads } = config;
  const options = { layers, heads, dropout: rate, activation: "relu" } as const;
  const pooled = encoderStack(p, `${NAME}.transformer`, x, options, context).mean(1); // (B, W)
  const y = layerNorm(p, `${NAME}.projection.1`, linear(p, `${NAME}.projection.0`, pooled));
  const z = dropout(activate(y, "gelu"), rate, `${NAME}.projection.3`, context);
  return linear(p, `${NAME}.projection.4`, z);
}

function expectChannels(window: tf.Tensor, channels: number): void {
  if (window.rank === 3 && window.shape[2] === channels) return;
  throw new RangeError(
    `Cannot encode sensor window: it must be (B, T, ${channels}), current value is (${
      window.shape.join(", ")
    })`,
  );
}
