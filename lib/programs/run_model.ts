import type { ExtractorOptions } from "../features/mod.ts";
import { readRunConfig } from "../training/mod.ts";
import { extractorOptions, type ModelValues } from "./feature_flags.ts";

/**
 * The model that a run's features were made by, or the one that is named instead.
 *
 * @param run its folder; null for a policy of no run
 * @param given what is asked for; a model replaces the run's, be it of random weights. Default: nothing
 * @returns options of `createExtractor`
 */
export function runModel(run: string | null, given: ExtractorOptions = {}): ExtractorOptions {
  if (given.model !== undefined) return given;
  const flags = run === null ? undefined : readRunConfig(run).notes.flags;
  const { model, randomWeights } = (flags ?? {}) as Pick<ModelValues, "model" | "randomWeights">;
  return { ...extractorOptions({ model, randomWeights }), ...given };
}
