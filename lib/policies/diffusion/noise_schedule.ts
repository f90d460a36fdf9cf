import { tf } from "../../engine/mod.ts";

const { fround } = Math;

/** How much noise each diffusion step adds. Tables have one float32 entry per step. */
export interface NoiseSchedule {
  /** Number of steps, N. */
  readonly steps: number;
  /** Variance of the noise that step t adds. */
  readonly beta: Float32Array;
  /** What is left of the signal's variance after step t: Π (1 − β). */
  readonly alphaBar: Float32Array;
  /** Variance of x at step t − 1 given x at t and the chunk without noise. */
  readonly posteriorVariance: Float32Array;
}

/** Settings of {@link noiseSchedule}. */
export interface NoiseScheduleOptions {
  /** `cosine`: Nichol and Dhariwal, arXiv:2102.09672; `linear`: Ho et al., arXiv:2006.11239. @default {"cosine"} */
  readonly kind?: "cosine" | "linear";
  /** Bound of β of the cosine schedule. The Python reference has 0.9999. @default {0.999} */
  readonly largestBeta?: number;
}

/** Offset that keeps the first steps of the cosine schedule from being too small. */
const OFFSET = 0.008;
const SMALLEST_BETA = 1e-4;
const LINEAR_RANGE = [1e-4, 0.02] as const;

/**
 * Makes the tables of a noise schedule, in float32 as PyTorch computes them.
 *
 * @param steps Number of steps, at least 1.
 * @param options Kind and bound.
 * @returns The tables.
 * @throws {RangeError} If steps is not a positive integer, or the kind is unknown.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { noiseSchedule } from "./noise_schedule.ts";
 *
 * const { alphaBar } = noiseSchedule(100);
 * assert(alphaBar[0]! > 0.999 && alphaBar[99]! < 1e-5);
 * ```
 */
export function noiseSchedule(steps: number, options: NoiseScheduleOptions = {}): NoiseSchedule {
  const { kind = "cosine", largestBeta = 0.999 } = options;
  if (!(Number.isInteger(steps) && steps > 0)) {
    throw new RangeError(
      `Cannot make noise schedule: steps must be a positive integer, current value is ${steps}`,
    );
  }
  if (kind !== "cosine" && kind !== "linear") {
    throw new RangeError(
      `Cannot make noise schedule: the kind must be cosine or linear, current value is "${kind}"`,
    );
  }
  const beta = kind === "cosine" ? cosineBeta(steps, largestBeta) : linearBeta(steps);
  const alphaBar = new Float32Array(steps);
  const posteriorVariance = new Float32Array(steps);
  let product = 1;
  for (let t = 0; t < steps; t++) {
    product *= fround(1 - beta[t]!);
    alphaBar[t] = product;
    const before = t === 0 ? 1 : alphaBar[t - 1]!;
    posteriorVariance[t] = beta[t]! * (1 - before) / (1 - alphaBar[t]!);
  }
  return { steps, beta, alphaBar, posteriorVariance };
}

function cosineBeta(steps: number, largest: number): Float32Array {
  const f = Float32Array.from({ length: steps + 1 }, (_, k) => {
    const u = fround(fround(fround(k / steps) + fround(OFFSET)) / fround(1 + OFFSET));
    return fround(Math.cos(fround(fround(u * fround(Math.PI)) * 0.5))) ** 2;
  });
  const first = f[0]!;
  const left = f.map((value) => value / first);
  return Float32Array.from({ length: steps }, (_, t) => {
    const beta = 1 - fround(left[t + 1]! / left[t]!);
    return Math.min(Math.max(beta, SMALLEST_BETA), largest);
  });
}

function linearBeta(steps: number): Float32Array {
  const [low, high] = LINEAR_RANGE;
  return Float32Array.from(
    { length: steps },
    (_, t) => steps === 1 ? low : low + (high - low) * t / (steps - 1),
  );
}

/**
 * Mixes chunks with noise: √ᾱ·chunk + √(1 − ᾱ)·noise.
 *
 * @param schedule The schedule.
 * @param chunk `(B, H, A)`.
 * @param noise `(B, H, A)`, standard normal.
 * @param steps Step of each sample, `(B)` int32, 0 … N − 1.
 * @returns `(B, H, A)`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { startEngine, tf } from "../../engine/mod.ts";
 * import { addNoise, noiseSchedule } from "./noise_schedule.ts";
 *
 * await startEngine({ engine: "wasm", quiet: true });
 * const [chunk, noise] = [tf.ones([1, 8, 7]), tf.zeros([1, 8, 7])];
 * const noisy = addNoise(noiseSchedule(100), chunk, noise, tf.tensor1d([99], "int32"));
 * assert((await noisy.max().data())[0]! < 0.01);
 * ```
 */
export function addNoise(
  schedule: NoiseSchedule,
  chunk: tf.Tensor,
  noise: tf.Tensor,
  steps: tf.Tensor,
): tf.Tensor {
  const alphaBar = tf.gather(tf.tensor1d(schedule.alphaBar), steps as tf.Tensor1D)
    .reshape([-1, 1, 1]);
  return alphaBar.sqrt().mul(chunk).add(tf.sub(1, alphaBar).sqrt().mul(noise));
}
