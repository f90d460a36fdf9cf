import { join } from "node:path";
import { choiceFlag, integerFlag, textFlag, UsageError } from "../cli/mod.ts";
import type { ExtractorOptions } from "../features/mod.ts";
import { isFile } from "../formats/_path.ts";
import { ADAPTER_CONFIG } from "../vision_language/_file_names.ts";
import { adapterChanges } from "../vision_language/adapter_changes.ts";
import { type Adapter, readAdapter } from "../vision_language/adapter_file.ts";
import { readModelConfig } from "../vision_language/config.ts";
import { RANDOM_SIZES, randomFolders } from "../vision_language/random_weights.ts";
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
  adapter: textFlag(
    "adapter of peft on the model, a folder; frozen, or what --finetune-vl lora begins with",
    { placeholder: "DIR" },
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

/** The adapter of commands that use a run's policy. */
export const RUN_ADAPTER = textFlag("adapter of peft that was frozen on the model, a folder", {
  placeholder: "DIR",
  defaultText: "the run's",
});

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
 * Makes sure that a model is named only for features that it makes.
 *
 * @param features that are asked for
 * @param values of the flags
 * @throws {UsageError} when they are others
 */
export function expectOwnModel(
  features: string,
  { model, randomWeights, adapter }: Pick<ModelValues, "model" | "randomWeights" | "adapter">,
): void {
  if (features === "qwen2.5-vl-3b" || (model ?? randomWeights ?? adapter) === undefined) return;
  throw new UsageError(
    "Cannot make features: --model, --random-weights and --adapter belong to --features " +
      `qwen2.5-vl-3b, current value is --features ${features}. Name those, or leave the model out.`,
  );
}

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
    adapter,
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
    ...(adapter !== undefined && {
      adapter: adapterChanges(namedAdapter({ adapter, model, randomWeights })!),
    }),
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

/**
 * Makes sure that the adapter a run was made with is still where it was.
 *
 * @param run its folder
 * @param adapter folder that the run names
 * @throws {Deno.errors.NotFound} saying how another place is named
 */
export function expectAdapter(run: string, adapter: string): void {
  if (isFile(join(adapter, ADAPTER_CONFIG))) return;
  throw new Deno.errors.NotFound(
    `Cannot use the run ${run}: the adapter that it was made with should be in ${adapter}, current ` +
      "value is none. If it was moved, name the place where it is now: --adapter DIR",
  );
}

/**
 * Reads the adapter that a flag names, for the model that another one names.
 *
 * @param values of the flags
 * @returns the adapter; null where none is named
 * @throws {UsageError} when there is no model
 * @throws {SyntaxError} when it is damaged, or is not made for this model
 */
export function namedAdapter(
  { adapter, model, randomWeights }: Pick<ModelValues, "adapter" | "model" | "randomWeights">,
): Adapter | null {
  if (adapter === undefined) return null;
  const folder = model ?? (randomWeights && randomFolders(randomWeights).model);
  if (folder !== undefined) {
    return readAdapter(adapter, readModelConfig(join(folder, "config.json")));
  }
  throw new UsageError(
    `Cannot use --adapter ${adapter}: --features qwen2.5-vl-3b --model DIR should name the model that ` +
      "it was made for, current value is none.",
  );
}
