import { tf } from "../../engine/mod.ts";
import type { NoiseSchedule } from "./noise_schedule.ts";

/** Predicts the noise in chunks `(B, H, A)` at steps `(B)` int32. */
export type NoisePredictor = (noisy: tf.Tensor, steps: tf.Tensor) => tf.Tensor;

/**
 * Samples chunks without drawing noise on the way (η = 0): Song et al., arXiv:2010.02502.
 *
 * @param schedule The schedule of the training.
 * @param ladder Steps to visit, descending: `evenLadder`, or the Python reference's `legacyLadder`.
 * @param predict The expert.
 * @param start Standard normal noise, `(B, H, A)`.
 * @param clip Bound of the chunk without noise that each step estimates, in normalised units. Default 1.
 * @returns Chunks, `(B, H, A)`, within the bound.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { startEngine, tf } from "../../engine/mod.ts";
 * import { evenLadder, noiseSchedule, sampleDdim } from "../mod.ts";
 *
 * await startEngine({ engine: "wasm", quiet: true });
 * const all = (x: tf.Tensor) => x.mul(0); // sees no noise at all
 * const chunk = sampleDdim(noiseSchedule(100), evenLadder(100, 5), all, tf.ones([1, 8, 7]));
 * assert((await chunk.max().data())[0] === 1);
 * ```
 */
export function sampleDdim(
  schedule: NoiseSchedule,
  ladder: readonly number[],
  predict: NoisePredictor,
  start: tf.Tensor,
  clip = 1,
): tf.Tensor {
  let x = start;
  ladder.forEach((t, i) => {
    const noise = predict(x, stepsOf(x, t));
    const chunk = withoutNoise(schedule, x, t, noise).clipByValue(-clip, clip);
    const next = i + 1 < ladder.length ? schedule.alphaBar[ladder[i + 1]!]! : 1;
    x = chunk.mul(Math.sqrt(next)).add(noise.mul(Math.sqrt(1 - next)));
  });
  return x;
}

/** Settings of {@link sampleDdpm}. */
export interface DdpmOptions {
  /**
   * Bound of the chunk without noise that each step estimates; null is the Python reference's
   * arithmetic, which does not use that estimate.
   * @default {1}
   */
  readonly clip?: number | null;
}

/**
 * Samples chunks through all steps of the schedule: Ho et al., arXiv:2006.11239.
 *
 * @param schedule The schedule of the training.
 * @param predict The expert.
 * @param start Standard normal noise, `(B, H, A)`.
 * @param noiseOf Gives the standard normal noise, `(B, H, A)`, that is added after step t, 1 … N − 1.
 * @param options Bound of the estimates.
 * @returns Chunks, `(B, H, A)`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { startEngine, tf } from "../../engine/mod.ts";
 * import { noiseSchedule, sampleDdpm } from "../mod.ts";
 *
 * await startEngine({ engine: "wasm", quiet: true });
 * const chunk = sampleDdpm(
 *   noiseSchedule(10),
 *   (x) => x.mul(0),
 *   tf.ones([1, 8, 7]),
 *   () => tf.zeros([1, 8, 7]),
 * );
 * assert(Math.abs((await chunk.max().data())[0]! - 1) < 1e-6);
 * ```
 */
export function sampleDdpm(
  schedule: NoiseSchedule,
  predict: NoisePredictor,
  start: tf.Tensor,
  noiseOf: (step: number) => tf.Tensor,
  { clip = 1 }: DdpmOptions = {},
): tf.Tensor {
  let x = start;
  for (let t = schedule.steps - 1; t >= 0; t--) {
    const noise = predict(x, stepsOf(x, t));
    const mean = clip === null
      ? meanFromNoise(schedule, x, t, noise)
      : meanFromChunk(schedule, x, t, withoutNoise(schedule, x, t, noise).clipByValue(-clip, clip));
    x = t === 0 ? mean : mean.add(noiseOf(t).mul(Math.sqrt(schedule.posteriorVariance[t]!)));
  }
  return x;
}

function stepsOf(x: tf.Tensor, step: number): tf.Tensor {
  return tf.fill([x.shape[0]!], step, "int32");
}

/** (x − √(1 − ᾱ)·noise) / √ᾱ. */
function withoutNoise(schedule: NoiseSchedule, x: tf.Tensor, t: number, noise: tf.Tensor) {
  const alphaBar = schedule.alphaBar[t]!;
  return x.mul(Math.sqrt(1 / alphaBar)).sub(noise.mul(Math.sqrt(1 / alphaBar - 1)));
}

/** (x − β·noise / √(1 − ᾱ)) / √(1 − β). */
function meanFromNoise(
  { beta, alphaBar }: NoiseSchedule,
  x: tf.Tensor,
  t: number,
  noise: tf.Tensor,
) {
  return x.sub(noise.mul(beta[t]! / Math.sqrt(1 - alphaBar[t]!))).div(Math.sqrt(1 - beta[t]!));
}

/** Mean of x at t − 1 given x at t and the chunk: equation 7 of the paper. */
function meanFromChunk(
  { beta, alphaBar }: NoiseSchedule,
  x: tf.Tensor,
  t: number,
  chunk: tf.Tensor,
) {
  const before = t === 0 ? 1 : alphaBar[t - 1]!;
  const rest = 1 - alphaBar[t]!;
  const ofChunk = Math.sqrt(before) * beta[t]! / rest;
  const ofX = Math.sqrt(1 - beta[t]!) * (1 - before) / rest;
  return chunk.mul(ofChunk).add(x.mul(ofX));
}
