import type { ExtractorOptions } from "../features/mod.ts";
import { readRunConfig } from "../training/mod.ts";
import { expectAdapter, extractorOptions, type ModelValues } from "./feature_flags.ts";

/**
 * The model that a run's features were made by, or the one that is named instead.
 *
 * @param run its folder; null for a policy of no run
 * @param given what is asked for; a model replaces the run's, be it of random weights. Default: nothing
 * @param named folder of the adapter that is frozen on the model. Default: the run's
 * @returns options of `createExtractor`
 * @throws {RangeError} when an adapter is named for a run that trained one, which its checkpoints hold
 * @throws {Deno.errors.NotFound} when the run's adapter is no longer where it was
 */
export function runModel(
  run: string | null,
  given: ExtractorOptions = {},
  named?: string,
): ExtractorOptions {
  if (given.adapter !== undefined && given.model !== undefined) return given;
  const config = run === null ? undefined : readRunConfig(run);
  const flags = (config?.notes.flags ?? {}) as ModelValues;
  const { model, randomWeights } = given.model === undefined ? flags : { model: given.model };
  // What a second stage has trained further is in its checkpoints.
  const isTrained = config?.settings.visionLanguage !== undefined;
  if (isTrained && named !== undefined) {
    throw new RangeError(
      `Cannot use --adapter ${named}: it should be frozen on the model, current value is for the run ` +
        `${run}, whose checkpoints hold what it trained. Leave --adapter out.`,
    );
  }
  const adapter = named ?? (isTrained ? undefined : flags.adapter);
  if (adapter !== undefined && adapter !== named) expectAdapter(run!, adapter);
  return { ...extractorOptions({ model, randomWeights, adapter }), ...given };
}
