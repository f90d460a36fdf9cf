import { tf } from "../../engine/mod.ts";
import type { PolicyConfig } from "../config.ts";
import { type SampleWeights, weightedError } from "../losses.ts";

/** The most bins of the histogram of diffusion steps. */
const MOST_BINS = 20;

/** Noise, and what a policy made of it. */
export interface NoisePrediction {
  /** `(B, H, A)`. */
  readonly predicted: tf.Tensor;
  /** `(B, H, A)`. */
  readonly noise: tf.Tensor;
  /** Step of each sample, `(B)` int32. */
  readonly steps: tf.Tensor;
  /** Steps of the schedule, N. */
  readonly timesteps: number;
  /** 1 for values that count, of a shape that broadcasts to `(B, H, A)`. @default {all count} */
  readonly mask?: tf.Tensor;
  /** What the samples count; those of confidence 0 are none. */
  readonly weights: SampleWeights;
}

/**
 * What is worth knowing of a diffusion loss besides its value, as sums over samples, so that parts of a
 * batch add up: `noiseLoss`, of each sample the mean squared error of its noise, without weights;
 * `steps`, the diffusion steps; `samples`, how many there are; `stepHistogram`, how many fell into each
 * of min(N, 20) equal ranges of steps.
 *
 * @param prediction Noise, prediction, steps.
 * @returns Tensors of the shapes that {@link lossMetricShapes} gives.
 */
export function noiseMetrics(
  { predicted, noise, steps, timesteps, mask, weights }: NoisePrediction,
): Record<string, tf.Tensor> {
  const isThere = weights.confidence.greater(0).cast("float32");
  const confidence = mask === undefined
    ? isThere
    : isThere.mul(tf.onesLike(predicted).mul(mask).max([1, 2]).greater(0).cast("float32"));
  const { sum, weight } = weightedError(predicted, noise, { confidence }, {
    normalisation: "none",
    ...(mask === undefined ? {} : { mask }),
  });
  const bins = Math.min(timesteps, MOST_BINS);
  const bin = steps.cast("float32").mul(bins / timesteps).floor().expandDims(1); // (B, 1)
  const isIn = bin.equal(tf.range(0, bins).expandDims(0)).cast("float32"); // (B, bins)
  return {
    noiseLoss: sum,
    steps: steps.cast("float32").mul(confidence).sum(),
    samples: weight,
    stepHistogram: isIn.mul(confidence.expandDims(1)).sum(0),
  };
}

/**
 * Which sums the loss of a policy comes with, see `LossTerms.metrics`.
 *
 * @param config The policy.
 * @returns Shapes by name; none for regression.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { lossMetricShapes, preset } from "../mod.ts";
 *
 * assert.deepEqual(lossMetricShapes(preset("tiny")), {});
 * const { stepHistogram } = lossMetricShapes(preset("tiny", { family: "diffusion" }));
 * assert.deepEqual(stepHistogram, [20]);
 * ```
 */
export function lossMetricShapes(
  { family, actionExpert }: PolicyConfig,
): Readonly<Record<string, number[]>> {
  if (family !== "diffusion") return {};
  const bins = Math.min(actionExpert.timesteps, MOST_BINS);
  return { noiseLoss: [], steps: [], samples: [], stepHistogram: [bins] };
}
