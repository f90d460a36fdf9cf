import { resolve } from "node:path";
import { type CommandContext, UsageError } from "../cli/mod.ts";
import { divideEpisodes, parseWeights, splitEpisodes } from "../datasets/mod.ts";
import type { Episode } from "../episodes/mod.ts";
import { plural } from "../episodes/_plural.ts";
import { createExtractor, defaultFeatureCache, type FeatureExtractor } from "../features/mod.ts";
import { openTrainingData, type TrainingData } from "../training/mod.ts";
import { buildMissing } from "./_build_missing.ts";
import { demonstrationData } from "./demonstration_data.ts";
import { expectOwnModel, extractorOptions } from "./feature_flags.ts";
import type { DATA_FLAGS, ValuesOf } from "./flags.ts";
import { type ResolvedTraining, sensorMilliseconds } from "./resolve.ts";

/** Features that the demonstration brings. */
const PIXELS = "pixel-2048";

/** Values of the flags that choose data. */
export type DataValues = ValuesOf<typeof DATA_FLAGS> & { readonly seed: number };

/** Data that are ready to train on. */
export interface PreparedData {
  /** Makes the visual features. */
  readonly extractor: FeatureExtractor;
  /** The samples. */
  readonly data: TrainingData;
  /** Folder of the simulated recordings; null where the data are the user's own. */
  readonly demonstration: string | null;
  /** Folder of the feature cache. */
  readonly cache: string;
}

/**
 * Opens the data that flags name; makes the demonstration where they name none.
 *
 * @param values of the flags
 * @param paths episode containers of `--data`; null for the demonstration
 * @param resolved horizon, sensor window, use of visual features
 * @param context of the command
 * @param expectFits told what makes the features, before any are made
 * @returns the data; dispose of them
 * @throws {FeatureMissError} when features of own data are missing: the message says how to make them
 */
export async function prepareData(
  values: DataValues,
  paths: readonly string[] | null,
  { horizon, sensorRows, vision, finetune }: Pick<
    ResolvedTraining,
    "horizon" | "sensorRows" | "vision" | "finetune"
  >,
  context: CommandContext,
  expectFits: (extractor: FeatureExtractor) => void = () => {},
): Promise<PreparedData> {
  const extractor = await extractorOf(values, context), cache = cacheOf(values);
  expectFits(extractor);
  const mode = finetune === "none" ? values.cacheMode : "off"; // cached features would be stale
  const found = paths === null
    ? await demonstration(values, cache, context)
    : ownData(values, paths, context);
  // The demonstration brings features of pixels; others are made where they are missing.
  if (paths === null && values.features !== PIXELS && mode === "strict") {
    await buildMissing(found.paths, extractor, cache, vision.visionReuse, context);
  }
  const data = await openTrainingData(found.paths, {
    ...{ split: found.split, extractor, cache, features: { mode } },
    dataset: {
      ...{ horizon, visionReuse: vision.visionReuse },
      sensorMilliseconds: sensorRows === null ? null : sensorMilliseconds(sensorRows),
      proprioceptionMilliseconds: null, // no policy looks at it yet
    },
    collection: {
      weights: weightsOf(values.weights),
      priorityMode: values.priorityMode,
    },
  });
  return { extractor, data, demonstration: found.folder, cache };
}

/**
 * What makes the visual features.
 *
 * @param values of the flags that choose data
 * @param context of the command
 * @returns the extractor
 * @throws {UsageError} when the demonstration can have no such features
 */
export async function extractorOf(
  values: DataValues,
  context: CommandContext,
): Promise<FeatureExtractor> {
  const { data, features } = values;
  if (data.length === 0 && features === "imported") {
    throw new UsageError(
      "Cannot use --features imported on the demonstration: nobody else has made features of it. " +
        "Name your own data with --data.",
    );
  }
  expectOwnModel(features, values);
  return await createExtractor(features, extractorOptions(values, context));
}

/**
 * The folder of the feature cache.
 *
 * @param values of the flags that choose data
 * @returns absolute path
 */
export function cacheOf({ cache }: Pick<DataValues, "cache">): string {
  return cache === undefined ? defaultFeatureCache() : resolve(cache);
}

async function demonstration(
  { demoEpisodes, valSplit }: DataValues,
  features: string,
  context: CommandContext,
) {
  const { folder, train, val } = await demonstrationData(features, demoEpisodes, context);
  const judged = valSplit === 0 ? [] : val;
  const validating = new Set(judged.map(({ path }) => resolve(path)));
  return {
    folder,
    paths: [...train, ...judged].map(({ path }) => path),
    split: (episodes: readonly Episode[]) =>
      divideEpisodes(episodes, ({ path }) => validating.has(resolve(path))),
  };
}

function ownData(
  { data, valSplit, seed }: DataValues,
  paths: readonly string[],
  { note }: CommandContext,
) {
  note(`data: ${plural(paths.length, "episode")} below ${data.join(", ")}`);
  return {
    folder: null,
    paths,
    split: (episodes: readonly Episode[]) => {
      if (valSplit === 0) return divideEpisodes(episodes, () => false);
      const split = splitEpisodes(episodes, { seed, fraction: valSplit });
      const share = split.validation.length / episodes.length;
      if (share > 1.5 * valSplit) {
        note(
          `${split.validation.length} of ${episodes.length} episodes validate, more than ` +
            `--val-split ${valSplit}: each task with two episodes or more gives at least one`,
        );
      }
      return split;
    },
  };
}

function weightsOf(texts: readonly string[]) {
  try {
    return parseWeights(texts);
  } catch (error) {
    if (error instanceof SyntaxError) throw new UsageError(error.message);
    throw error;
  }
}
