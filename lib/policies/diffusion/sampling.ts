import { tf } from "../../engine/mod.ts";
import type { PolicyConfig } from "../config.ts";
import { type ForwardContext, randomOf } from "../layers/context.ts";
import { evenLadder, legacyLadder } from "./ladder.ts";
import type { NoiseSchedule } from "./noise_schedule.ts";
import { type ChunkPredictor, sampleDdim, sampleDdpm } from "./sample.ts";

/** Ways from noise to a chunk: some steps without new noise, or all steps with it. */
export type Sampler = "ddim" | "ddpm";

/** The samplers. */
export const SAMPLERS: readonly Sampler[] = ["ddim", "ddpm"];

/** How a diffusion policy draws chunks. */
export interface SamplingOptions {
  /** Way from noise to a chunk. @default {"ddim"} */
  readonly sampler?: Sampler;
  /** Steps of DDIM, 1 … timesteps. @default {10} */
  readonly samplingSteps?: number;
  /** Which steps DDIM visits, see `evenLadder` and `legacyLadder`. @default {legacy for reference, else even} */
  readonly ladder?: "even" | "legacy";
}

/** Standard normal numbers to draw with. */
export interface SamplingNoise {
  /** What sampling starts from, `(B, horizon, actionDim)`. @default {drawn from the context} */
  readonly noise?: tf.Tensor;
  /**
   * What DDPM adds after each step but the last, `(B, timesteps − 1, horizon, actionDim)`, in the order
   * of sampling.
   * @default {drawn from the context}
   */
  readonly stepNoise?: tf.Tensor;
}

const STEPS = 10;

/**
 * The diffusion steps that sampling visits.
 *
 * @param config A policy.
 * @param options How it draws.
 * @returns Steps, descending to 0.
 * @throws {RangeError} If the policy does not draw, or the number of steps is out of range.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { preset, samplingLadder } from "../mod.ts";
 *
 * const config = preset("tiny", { family: "diffusion" });
 * assert.deepEqual(samplingLadder(config, { samplingSteps: 4 }), [99, 66, 33, 0]);
 * assert.equal(samplingLadder(config, { sampler: "ddpm" }).length, 100);
 * assert.throws(() => samplingLadder(preset("tiny"), {}), /family diffusion/);
 * ```
 */
export function samplingLadder(
  { architecture, family, actionExpert: { timesteps } }: PolicyConfig,
  { sampler = "ddim", samplingSteps, ladder }: SamplingOptions,
): number[] {
  if (family !== "diffusion") {
    throw new RangeError(
      `Cannot choose how actions are sampled: the policy must be of family diffusion, current ` +
        `value is ${family}, which computes them directly. Leave out sampling steps, sampler and ladder.`,
    );
  }
  if (sampler === "ddim") {
    const legacy = ladder === undefined ? architecture === "reference" : ladder === "legacy";
    const choose = legacy ? legacyLadder : evenLadder;
    return choose(timesteps, samplingSteps ?? Math.min(STEPS, timesteps));
  }
  if (sampler !== "ddpm") {
    throw new RangeError(
      `Cannot choose sampler: it must be ddim or ddpm, current value is "${sampler}"`,
    );
  }
  const other = samplingSteps !== undefined && samplingSteps !== timesteps
    ? `${samplingSteps} steps`
    : ladder !== undefined
    ? `ladder ${ladder}`
    : null;
  if (other !== null) {
    throw new RangeError(
      `Cannot sample with ddpm: it visits all ${timesteps} steps, current value is ${other}. ` +
        "Leave that out, or use ddim.",
    );
  }
  return evenLadder(timesteps, timesteps);
}

/**
 * Draws chunks as the options say. The Python reference bounds its estimates of the chunk by 1 with
 * DDIM and not at all with DDPM.
 *
 * @param predict The expert, of noise with architecture `reference`, of the velocity with `trocar`.
 * @param config The policy.
 * @param schedule The noise schedule of its training.
 * @param samples Number of chunks, B.
 * @param context Gives the noise that the options lack.
 * @param options Sampler, steps, noise.
 * @returns `(B, horizon, actionDim)` in the units that the policy predicts in.
 * @throws {RangeError} If the options do not fit the policy.
 */
export function sampleChunks(
  predict: ChunkPredictor,
  config: PolicyConfig,
  schedule: NoiseSchedule,
  samples: number,
  context: ForwardContext,
  options: SamplingOptions & SamplingNoise,
): tf.Tensor {
  const { horizon, actionDim } = config.actionExpert;
  const ladder = samplingLadder(config, options);
  const draw = (shape: number[], stream: string) =>
    randomOf(context, "diffusion").normal(shape, stream);
  const start = options.noise ?? draw([samples, horizon, actionDim], "diffusion.start");
  const isReference = config.architecture === "reference";
  const clip = isReference ? 1 : config.actionExpert.actionClip;
  const predicts = isReference ? "noise" : "velocity";
  if (options.sampler !== "ddpm") {
    return sampleDdim(schedule, ladder, predict, start, { clip, predicts });
  }
  const rest = schedule.steps - 1;
  const noise = options.stepNoise ??
    draw([samples, rest, horizon, actionDim], "diffusion.step_noise");
  const noiseOf = (step: number) => tf.gather(noise, rest - step, 1);
  return sampleDdpm(schedule, predict, start, noiseOf, {
    clip: isReference ? null : clip,
    predicts,
  });
}
