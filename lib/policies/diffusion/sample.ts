import { tf } from "../../engine/mod.ts";
import type { NoiseSchedule } from "./noise_schedule.ts";

/** Predicts the noise in chunks `(B, H, A)`, or their velocity, at steps `(B)` int32. */
export type ChunkPredictor = (noisy: tf.Tensor, steps: tf.Tensor) => tf.Tensor;

/** Settings of {@link sampleDdim}. */
export interface DdimOptions {
  /** Bound of the chunk without noise that each step estimates, in normalised units. @default {1} */
  readonly clip?: number;
  /**
   * What the expert predicts: the chunk follows from a velocity without a division, however little is
   * left of it in the noise.
   * @default {"noise"}
   */
  readonly predicts?: "noise" | "velocity";
}

/**
 * Samples chunks without drawing noise on the way (η = 0): Song et al., arXiv:2010.02502.
 *
 * @param schedule The schedule of the training.
 * @param ladder Steps to visit, descending: `evenLadder`, or the Python reference's `legacyLadder`.
 * @param predict The expert.
 * @param start Standard normal noise, `(B, H, A)`.
 * @param options Bound of the estimates, and what the expert predicts.
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
  predict: ChunkPredictor,
  start: tf.Tensor,
  { clip = 1, predicts = "noise" }: DdimOptions = {},
): tf.Tensor {
  let x = start;
  ladder.forEach((t, i) => {
    const found = predict(x, stepsOf(x, t));
    const noise = noiseFrom(schedule, x, t, found, predicts);
    const chunk = chunkFrom(schedule, x, t, found, predicts).clipByValue(-clip, clip);
    const next = i + 1 < ladder.length ? schedule.alphaBar[ladder[i + 1]!]! : 1;
    x = chunk.mul(Math.sqrt(next)).add(noise.mul(Math.sqrt(1 - next)));
  });
  return x;
}

/** Settings of {@link sampleDdpm}. */
export interface DdpmOptions extends Pick<DdimOptions, "predicts"> {
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
 * @param options Bound of the estimates, and what the expert predicts.
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
  predict: ChunkPredictor,
  start: tf.Tensor,
  noiseOf: (step: number) => tf.Tensor,
  { clip = 1, predicts = "noise" }: DdpmOptions = {},
): tf.Tensor {
  let x = start;
  for (let t = schedule.steps - 1; t >= 0; t--) {
    const found = predict(x, stepsOf(x, t));
    const chunk = () => chunkFrom(schedule, x, t, found, predicts);
    const mean = clip === null
      ? meanFromNoise(schedule, x, t, noiseFrom(schedule, x, t, found, predicts))
      : meanFromChunk(schedule, x, t, chunk().clipByValue(-clip, clip));
    x = t === 0 ? mean : mean.add(noiseOf(t).mul(Math.sqrt(schedule.posteriorVariance[t]!)));
  }
  return x;
}

function stepsOf(x: tf.Tensor, step: number): tf.Tensor {
  return tf.fill([x.shape[0]!], step, "int32");
}

type Predicts = NonNullable<DdimOptions["predicts"]>;

/** From a velocity √(1 − ᾱ)·x + √ᾱ·velocity. */
function noiseFrom(
  { alphaBar }: NoiseSchedule,
  x: tf.Tensor,
  t: number,
  found: tf.Tensor,
  predicts: Predicts,
) {
  if (predicts === "noise") return found;
  const left = alphaBar[t]!;
  return x.mul(Math.sqrt(1 - left)).add(found.mul(Math.sqrt(left)));
}

/** From noise (x − √(1 − ᾱ)·noise) / √ᾱ, from a velocity √ᾱ·x − √(1 − ᾱ)·velocity. */
function chunkFrom(
  { alphaBar }: NoiseSchedule,
  x: tf.Tensor,
  t: number,
  found: tf.Tensor,
  predicts: Predicts,
) {
  const left = alphaBar[t]!;
  return predicts === "noise"
    ? x.mul(Math.sqrt(1 / left)).sub(found.mul(Math.sqrt(1 / left - 1)))
    : x.mul(Math.sqrt(left)).sub(found.mul(Math.sqrt(1 - left)));
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
