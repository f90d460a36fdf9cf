import { tf } from "../../engine/mod.ts";
import { activate } from "../layers/activations.ts";
import { dropout, type ForwardContext, type Parameters, tensorOf } from "../layers/context.ts";
import { convolution, convolutionSpecs } from "../layers/convolution.ts";
import { encoderStack, encoderStackSpecs } from "../layers/encoder_layer.ts";
import { groupNorm } from "../layers/group_norm.ts";
import { layerNorm, normSpecs } from "../layers/layer_norm.ts";
import { linear, linearSpecs } from "../layers/linear.ts";
import { dropAtRandom, replaceMissing } from "../layers/missing.ts";
import { sinusoids } from "../layers/step_embedding.ts";
import { bufferSpec, parameterSpec, type TensorSpec } from "../layers/tensor_spec.ts";
import type { TrocarSensorConfig } from "./config.ts";

const NAME = "sensor_encoder";
const SMALL = { distribution: "normal", deviation: 0.02 } as const;

function widths(config: TrocarSensorConfig): number[] {
  return Array.from(
    { length: config.convLayers },
    (_, i) => i === 0 ? config.hiddenDim : 2 * config.hiddenDim,
  );
}

/** The tensors of {@link encodeSensor}. */
export function sensorEncoderSpecs(config: TrocarSensorConfig): TensorSpec[] {
  const { inputChannels, hiddenDim, outputDim, groups, transformerLayers } = config;
  const channels = widths(config);
  const width = channels.at(-1)!;
  const force = hiddenDim / groups;
  return [
    parameterSpec(`${NAME}.missing`, [1, 1, outputDim], SMALL),
    bufferSpec(`${NAME}.input_mean`, [2], 0),
    bufferSpec(`${NAME}.input_std`, [2], 1),
    ...convolutionSpecs(`${NAME}.force_stem`, 1, force),
    ...convolutionSpecs(`${NAME}.aline_stem`, inputChannels - 1, hiddenDim - force),
    ...channels.flatMap((outputs, i) => [
      ...(i === 0 ? [] : convolutionSpecs(`${NAME}.conv.${i}`, channels[i - 1]!, outputs)),
      ...normSpecs(`${NAME}.norm.${i}`, outputs),
    ]),
    ...encoderStackSpecs(`${NAME}.transformer`, width, transformerLayers, false),
    ...normSpecs(`${NAME}.transformer.norm`, width),
    ...linearSpecs(`${NAME}.projection.0`, width, outputDim),
    ...normSpecs(`${NAME}.projection.1`, outputDim),
    ...linearSpecs(`${NAME}.projection.4`, outputDim, outputDim),
  ];
}

/**
 * Encodes windows of force and A-lines as a sequence of tokens: normalisation by the training data's
 * statistics, strided convolutions in which force has channels of its own, positions, self-attention,
 * projection. A sample without any recorded row gives the learned token for a missing sensor, whatever
 * the window holds; single missing rows count as the mean.
 *
 * @param p The tensors of `policyShapes`.
 * @param config Sizes of the encoder.
 * @param window `(B, temporalLength, inputChannels)`, raw values.
 * @param mask `(B, temporalLength)`, 1 for recorded rows; null if all are.
 * @param context Training, which also replaces random samples, or evaluation.
 * @returns Tokens, `(B, T′, outputDim)`, T′ = temporalLength / (pooling · 2^convLayers) rounded up.
 * @throws {RangeError} If the window has another shape than the configuration says.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { startEngine, tf } from "../../engine/mod.ts";
 * import { evaluation, initialise, preset } from "../mod.ts";
 * import { encodeSensor } from "./sensor_encoder.ts";
 *
 * await startEngine({ engine: "wasm", quiet: true });
 * const config = preset("tiny", { inputChannels: 9 });
 * const p = initialise(config, { seed: 1 });
 * const nothing = tf.zeros([1, 65]);
 * const encode = (window: tf.Tensor) =>
 *   encodeSensor(p, config.sensorEncoder!, window, nothing, evaluation()).data();
 * assert.deepEqual(await encode(tf.zeros([1, 65, 9])), await encode(tf.ones([1, 65, 9])));
 * ```
 */
export function encodeSensor(
  p: Parameters,
  config: TrocarSensorConfig,
  window: tf.Tensor,
  mask: tf.Tensor | null,
  context: ForwardContext,
): tf.Tensor {
  expectWindow(window, config);
  const { dropout: rate, transformerLayers: layers, heads } = config;
  const options = { layers, heads, dropout: rate, activation: "relu" } as const;
  const x = convolve(p, config, normalise(p, config, window, mask), context); // (B, T', W)
  const positions = sinusoids(tf.range(0, x.shape[1]!, 1, "int32"), x.shape[2]!);
  const y = encoderStack(p, `${NAME}.transformer`, x.add(positions), options, context);
  const z = linear(p, `${NAME}.projection.0`, layerNorm(p, `${NAME}.transformer.norm`, y));
  const hidden = activate(layerNorm(p, `${NAME}.projection.1`, z), "gelu");
  const tokens = linear(
    p,
    `${NAME}.projection.4`,
    dropout(hidden, rate, `${NAME}.projection.3`, context),
  );
  if (mask === null && !context.training) return tokens;
  const present = mask === null
    ? tf.ones([window.shape[0]!, 1])
    : mask.cast("float32").max(1, true); // (B, 1)
  const key = `${NAME}.missing`;
  return replaceMissing(p, key, tokens, dropAtRandom(present, config.missingRate, key, context));
}

/**
 * Tokens of samples that all lack a sensor: what {@link encodeSensor} gives where no row is recorded.
 *
 * @param p The tensors of `policyShapes`.
 * @param config Sizes of the encoder.
 * @param batch Samples, B.
 * @returns `(B, T′, outputDim)`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { startEngine } from "../../engine/mod.ts";
 * import { initialise, preset } from "../mod.ts";
 * import { missingSensor } from "./sensor_encoder.ts";
 *
 * await startEngine({ engine: "wasm", quiet: true });
 * const config = preset("tiny");
 * const tokens = missingSensor(initialise(config, { seed: 1 }), config.sensorEncoder!, 2);
 * assert.deepEqual(tokens.shape, [2, 5, 256]);
 * ```
 */
export function missingSensor(
  p: Parameters,
  { temporalLength, pooling, convLayers }: TrocarSensorConfig,
  batch: number,
): tf.Tensor {
  const tokens = Math.ceil(temporalLength / (pooling * 2 ** convLayers));
  return tf.tile(tensorOf(p, `${NAME}.missing`), [batch, tokens, 1]);
}

/**
 * Standardised rows, `(B, T / pooling, C)`; missing ones are 0. They are averaged first, as most of the
 * time goes into reading them.
 */
function normalise(
  p: Parameters,
  { pooling }: TrocarSensorConfig,
  window: tf.Tensor,
  mask: tf.Tensor | null,
): tf.Tensor {
  const [, rows, channels] = window.shape as [number, number, number];
  const spread = (key: string) => {
    const [force, aline] = tf.split(tensorOf(p, `${NAME}.${key}`), 2) as [tf.Tensor, tf.Tensor];
    return tf.concat([force, tf.tile(aline, [channels - 1])]); // (C)
  };
  const [mean, std] = [spread("input_mean"), spread("input_std")];
  const there = mask && mask.expandDims(2).cast("bool"); // (B, T, 1)
  if (pooling > 1) {
    const shares = poolingMatrix(rows, pooling); // (1, T / pooling, T)
    if (mask === null) return tf.matMul(shares, window).sub(mean).div(std);
    const recorded = tf.where(there!, window, tf.zerosLike(window));
    const counted = shares.mul(mask.cast("float32").expandDims(1)); // (B, T / pooling, T)
    // The share of each group's rows that are recorded: the others are the mean.
    return tf.matMul(counted, recorded).sub(counted.sum(2, true).mul(mean)).div(std);
  }
  const x = window.sub(mean).div(std);
  return there === null ? x : tf.where(there, x, tf.zerosLike(x));
}

/** What each row is of the mean of its group, `(1, groups, rows)`; the newest group is never short. */
function poolingMatrix(rows: number, pooling: number): tf.Tensor {
  const groups = Math.ceil(rows / pooling);
  const missing = groups * pooling - rows;
  const values = new Float32Array(groups * rows);
  for (let row = 0; row < rows; row++) {
    const group = Math.floor((row + missing) / pooling);
    values[group * rows + row] = 1 / (group === 0 ? pooling - missing : pooling);
  }
  return tf.tensor(values, [1, groups, rows]);
}

function convolve(
  p: Parameters,
  config: TrocarSensorConfig,
  window: tf.Tensor,
  context: ForwardContext,
): tf.Tensor {
  const [force, aline] = tf.split(window, [1, window.shape[2]! - 1], 2) as [tf.Tensor, tf.Tensor];
  const stems = [
    convolution(p, `${NAME}.force_stem`, force),
    convolution(p, `${NAME}.aline_stem`, aline),
  ];
  let x = tf.concat(stems, 2); // (B, (T + 1) / 2, hiddenDim)
  for (let i = 0; i < config.convLayers; i++) {
    if (i > 0) x = convolution(p, `${NAME}.conv.${i}`, x);
    x = activate(groupNorm(p, `${NAME}.norm.${i}`, x, config.groups), "gelu");
    x = dropout(x, config.dropout, `${NAME}.conv.${i}.dropout`, context);
  }
  return x;
}

function expectWindow(window: tf.Tensor, config: TrocarSensorConfig): void {
  const { temporalLength, inputChannels } = config;
  const { shape } = window;
  if (shape.length === 3 && shape[1] === temporalLength && shape[2] === inputChannels) return;
  throw new RangeError(
    `Cannot encode sensor window: it must be (B, ${temporalLength}, ${inputChannels}), current value is (${
      shape.join(", ")
    }); a window of another length has another time base: choose it with the data, or train a policy for it`,
  );
}
