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
  const { signal, spread } = levels(schedule, steps);
  return signal.mul(chunk).add(spread.mul(noise));
}

/** √ᾱ and √(1 − ᾱ) of each sample, `(B, 1, 1)`. */
function levels({ alphaBar }: NoiseSchedule, steps: tf.Tensor) {
  const left = tf.gather(tf.tensor1d(alphaBar), steps as tf.Tensor1D).reshape([-1, 1, 1]);
  return { signal: left.sqrt(), spread: tf.sub(1, left).sqrt() };
}

/**
 * The velocity of chunks that are mixed with noise: √ᾱ·noise − √(1 − ᾱ)·chunk. With little noise it is
 * about the noise, with much about the chunk, so that neither has to be divided by something small; the
 * squared error of a velocity is the sum of those of the noise and of the chunk that follow from it.
 * Salimans and Ho, arXiv:2202.00512.
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
 * import { addNoise, noiseFromVelocity, noiseSchedule, velocity } from "./noise_schedule.ts";
 *
 * await startEngine({ engine: "wasm", quiet: true });
 * const [chunk, noise] = [tf.ones([1, 8, 7]), tf.fill([1, 8, 7], 3)];
 * const schedule = noiseSchedule(100), steps = tf.tensor1d([50], "int32");
 * const noisy = addNoise(schedule, chunk, noise, steps);
 * const found = noiseFromVelocity(schedule, noisy, velocity(schedule, chunk, noise, steps), steps);
 * assert(Math.abs((await found.max().data())[0]! - 3) < 1e-5);
 * ```
 */
export function velocity(
  schedule: NoiseSchedule,
  chunk: tf.Tensor,
  noise: tf.Tensor,
  steps: tf.Tensor,
): tf.Tensor {
  const { signal, spread } = levels(schedule, steps);
  return signal.mul(noise).sub(spread.mul(chunk));
}

/**
 * The noise in chunks whose velocity is known: √(1 − ᾱ)·noisy + √ᾱ·velocity.
 *
 * @param schedule The schedule.
 * @param noisy What `addNoise` returned, `(B, H, A)`.
 * @param velocity Of them, `(B, H, A)`.
 * @param steps Step of each sample, `(B)` int32, 0 … N − 1.
 * @returns `(B, H, A)`.
 */
export function noiseFromVelocity(
  schedule: NoiseSchedule,
  noisy: tf.Tensor,
  velocity: tf.Tensor,
  steps: tf.Tensor,
): tf.Tensor {
  const { signal, spread } = levels(schedule, steps);
  return spread.mul(noisy).add(signal.mul(velocity));
}
