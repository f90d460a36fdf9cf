import { openCheckpoint } from "../checkpoints/mod.ts";
import { choiceFlag, integerFlag, switchFlag, UsageError } from "../cli/mod.ts";
import { usualCheckpoint } from "../control/mod.ts";
import { SAMPLERS, type SamplingOptions } from "../policies/mod.ts";
import { readRunConfig } from "../training/mod.ts";
import type { ValuesOf } from "./flags.ts";
import { runOf } from "./run_of.ts";

/** How diffusion policies draw chunks. */
export const SAMPLING_FLAGS = {
  samplingSteps: integerFlag("steps from noise to a chunk, of diffusion policies", {
    min: 1,
    defaultText: "10; with --sampler ddpm all",
  }),
  sampler: choiceFlag("without noise on the way, or all steps with it", SAMPLERS, {
    defaultText: "ddim",
  }),
  ddimLegacyLadder: switchFlag(
    "the steps that the Python reference chooses, which do not begin with the noisiest; its own policies always use them",
  ),
};

/** Values of {@linkcode SAMPLING_FLAGS}. */
export type SamplingValues = ValuesOf<typeof SAMPLING_FLAGS>;

/**
 * What the flags mean.
 *
 * @param values of the flags
 * @returns options of `openPolicy`; only those that were given
 * @throws {UsageError} when they contradict each other
 */
export function samplingOptions(
  { samplingSteps, sampler, ddimLegacyLadder }: SamplingValues,
): SamplingOptions {
  if (sampler === "ddpm" && ddimLegacyLadder) {
    throw new UsageError(
      "Cannot use --ddim-legacy-ladder with --sampler ddpm: leave one of them out.",
    );
  }
  return {
    ...(samplingSteps === undefined ? {} : { samplingSteps }),
    ...(sampler === undefined ? {} : { sampler }),
    ...(ddimLegacyLadder ? { ladder: "legacy" } : {}),
  };
}

/**
 * How a policy draws: as flags say, else as it did at the end of its training.
 *
 * @param path of the policy, see `openPolicy`
 * @param values of the flags
 * @returns options of `openPolicy`
 * @throws {UsageError} when flags contradict each other
 */
export function policySampling(path: string, values: SamplingValues): SamplingOptions {
  const asked = samplingOptions(values);
  if (Object.keys(asked).length > 0) return asked;
  using checkpoint = openCheckpoint(path, { which: usualCheckpoint(path) });
  const run = runOf(checkpoint.path);
  if (run === null || checkpoint.config?.family !== "diffusion") return {};
  const kept = readRunConfig(run).notes.flags as Partial<SamplingValues> | undefined;
  return samplingOptions({
    ...{ samplingSteps: kept?.samplingSteps, sampler: kept?.sampler },
    ddimLegacyLadder: kept?.ddimLegacyLadder ?? false,
  });
}

/**
 * How a diffusion policy draws, in words.
 *
 * @param options of `openPolicy`
 * @returns such as `ddim, 10 steps`
 */
export function samplingText({ sampler = "ddim", samplingSteps, ladder }: SamplingOptions): string {
  const steps = sampler === "ddpm" ? "all steps" : `${samplingSteps ?? 10} steps`;
  return `${sampler}, ${steps}${ladder === "legacy" ? ", the Python reference's ladder" : ""}`;
}

/**
 * Refuses the flags where nothing is sampled.
 *
 * @param what is used that does not sample; null if something does
 * @param values of the flags
 * @throws {UsageError} when one was given nevertheless
 */
export function refuseSamplingOf(what: string | null, values: SamplingValues): void {
  const given = Object.keys(samplingOptions(values));
  if (what === null || given.length === 0) return;
  throw new UsageError(
    `Cannot use --sampling-steps, --sampler or --ddim-legacy-ladder with ${what}: they are for ` +
      "diffusion policies. Leave them out.",
  );
}
