import type { EpisodeDataset } from "../datasets/mod.ts";
import { compile, tf } from "../engine/mod.ts";
import { sampleBatches } from "../datasets/_sample_batches.ts";
import type { Embedding } from "../evaluation/sensor_summary.ts";
import { evaluation, trocar } from "../policies/mod.ts";
import type { PolicyParameters } from "./policy_parameters.ts";

/**
 * What a policy makes of the sensor: the mean of the tokens of each sample's window.
 *
 * @param policy configuration and parameters, as `openPolicyParameters` gives them; with a sensor
 * @param dataset samples with the policy's sensor window
 * @returns `(S, outputDim)`
 * @throws {RangeError} if the policy is of architecture `reference` or has no sensor, or the window has
 * another length
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { EpisodeDataset } from "../datasets/mod.ts";
 * import { startEngine } from "../engine/mod.ts";
 * import { initialise, preset } from "../policies/mod.ts";
 * import { sensorEmbedding } from "./sensor_embedding.ts";
 *
 * await startEngine({ engine: "wasm", quiet: true });
 * const config = preset("tiny"), parameters = initialise(config, { seed: 1 });
 * const dataset = new EpisodeDataset([]);
 * const { dimensions, values } = await sensorEmbedding({ config, parameters }, dataset);
 * assert.deepEqual([dimensions, values.length], [256, 0]);
 * ```
 */
export async function sensorEmbedding(
  { config, parameters }: Pick<PolicyParameters, "config" | "parameters">,
  dataset: EpisodeDataset,
): Promise<Embedding> {
  if (config.architecture !== "trocar") {
    throw new RangeError(
      "Cannot embed the sensor: the policy must be one of architecture trocar, current value is " +
        `"${config.architecture}".`,
    );
  }
  const { sensorEncoder } = config, rows = dataset.sensorWindow?.rows;
  if (sensorEncoder === null || rows !== sensorEncoder.temporalLength) {
    throw new RangeError(
      `Cannot embed the sensor: policy and data must have the same window, current values are ` +
        `${sensorEncoder?.temporalLength ?? "none"} and ${rows ?? "none"} rows.`,
    );
  }
  const encode = compile(
    (window: tf.Tensor, mask: tf.Tensor) =>
      trocar.encodeSensor(parameters, sensorEncoder, window, mask, evaluation()).mean(1),
    {
      name: "sensor embedding",
    },
  );
  const dimensions = sensorEncoder.outputDim;
  const values = new Float32Array(dataset.length * dimensions);
  try {
    for (const { start, batch } of sampleBatches(dataset)) {
      const { size, sensor, sensorMask } = batch;
      const window = tf.tensor3d(sensor, [size, rows, sensorEncoder.inputChannels]);
      const mask = tf.tensor2d(Float32Array.from(sensorMask), [size, rows]);
      const tokens = encode(window, mask) as tf.Tensor;
      values.set(await tokens.data<"float32">(), start * dimensions);
      tf.dispose([window, mask, tokens]);
    }
  } finally {
    encode.dispose();
  }
  return { values, dimensions };
}
