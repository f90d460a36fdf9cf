import { choiceFlag, integerFlag, textFlag } from "../cli/mod.ts";
import type { ExtractorOptions } from "../features/mod.ts";
import { RANDOM_SIZES } from "../vision_language/random_weights.ts";
import { TAPS } from "../vision_language/pooling.ts";

/** Which model makes the features `qwen2.5-vl-3b`, and how; flags of all commands that take `--features`. */
export const MODEL_FLAGS = {
  model: textFlag("folder of the model that --features qwen2.5-vl-3b runs, as published", {
    placeholder: "DIR",
  }),
  randomWeights: choiceFlag(
    "a model of random weights instead, in the published 3B's shape or tiny: to measure time and memory",
    RANDOM_SIZES,
  ),
  featureTap: choiceFlag(
    "which tokens' last hidden states its features are: the mean of all, the mean of the images', or the last",
    TAPS,
    { default: "mean" },
  ),
  minPixels: integerFlag("fewest pixels of a view as the model sees it", {
    min: 1,
    defaultText: "the model's",
  }),
  maxPixels: integerFlag("most pixels of a view as the model sees it", {
    min: 1,
    defaultText: "230400 (264 tokens of 16:9), or the model's if fewer",
  }),
  promptBatch: integerFlag("features that the model computes in one pass", { default: 1, min: 1 }),
};

/** How the feature cache is used. */
export const CACHE_MODE = choiceFlag(
  "strict refuses to begin when features are missing; read makes them; readwrite also stores them; " +
    "off makes them whenever they are needed",
  ["strict", "read", "readwrite", "off"],
  { default: "strict" },
);

/** Values of {@linkcode MODEL_FLAGS}, and of flags that not every command has. */
export type ModelValues =
  & { readonly [K in keyof typeof MODEL_FLAGS]?: (typeof MODEL_FLAGS)[K]["fallback"] | undefined }
  & {
    readonly views?: readonly string[];
    readonly import?: string | undefined;
    readonly engine?: ExtractorOptions["engine"];
  };

/**
 * What flags say of an extractor.
 *
 * @param values of the flags
 * @param context told what takes long; stops it
 * @returns options of `createExtractor`
 */
export function extractorOptions(
  {
    model,
    randomWeights,
    featureTap,
    minPixels,
    maxPixels,
    promptBatch,
    views = [],
    engine,
    ...rest
  }: ModelValues,
  context?: {
    readonly progress: { update(line: string): void };
    readonly signal: AbortSignal;
  },
): ExtractorOptions {
  return {
    ...(model !== undefined && { model }),
    ...(randomWeights !== undefined && { random: randomWeights }),
    ...(featureTap !== undefined && { tap: featureTap }),
    ...(minPixels !== undefined && { minPixels }),
    ...(maxPixels !== undefined && { maxPixels }),
    ...(promptBatch !== undefined && { together: promptBatch }),
    ...(views.length > 0 && { views }),
    ...(engine !== undefined && { engine }),
    ...(rest.import !== undefined && { import: rest.import }),
    ...(context && {
      signal: context.signal,
      onProgress: (line: string) => context.progress.update(line),
    }),
  };
}
