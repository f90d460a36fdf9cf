/** A whole training in a few seconds: real recordings, a small policy. */
import { join } from "node:path";
import { divideEpisodes } from "../../lib/datasets/mod.ts";
import { preprocess } from "../../lib/episodes/mod.ts";
import {
  buildFeatures,
  FeatureStore,
  findEpisodes,
  pixel2048,
  planFeatures,
} from "../../lib/features/mod.ts";
import { openEpisode } from "../../lib/episodes/mod.ts";
import { initialise, preset } from "../../lib/policies/mod.ts";
import {
  augmentPixels,
  openTrainingData,
  RunFolder,
  train,
  type TrainingJob,
  type TrainingOutcome,
  type TrainingSettings,
  trainingSettings,
} from "../../lib/training/mod.ts";

const RECORDINGS = decodeURIComponent(
  new URL("../../data-fixtures/recordings", import.meta.url).pathname,
);

/** Preprocesses the recordings of data-fixtures and computes their features. */
export async function prepare(folder: string): Promise<void> {
  await preprocess([RECORDINGS], { output: join(folder, "episodes") });
  await buildAll(folder);
}

/** Computes the features of the episodes in a folder. */
export async function buildAll(folder: string): Promise<void> {
  const episodes = findEpisodes([join(folder, "episodes")]).map((path) => openEpisode(path));
  const plan = await planFeatures(episodes, pixel2048(), join(folder, "cache"));
  using store = await FeatureStore.openForWriting(join(folder, "cache"));
  await buildFeatures(plan, store);
  episodes.forEach((episode) => episode.close());
}

/** What a small run may do differently. */
export type SmallRun =
  & Partial<
    Pick<TrainingJob, "onStep" | "onWarning" | "signal" | "augment" | "saveEvery" | "cluster">
  >
  & {
    readonly settings?: Partial<TrainingSettings>;
    readonly family?: "regression" | "diffusion";
    readonly architecture?: "trocar" | "reference";
    /** Whether pixels are augmented. */
    readonly augmented?: boolean;
    /** Whether no episode validates. */
    readonly unvalidated?: boolean;
    /** Whether the policy has no sensor, which makes a step many times faster. */
    readonly sensorless?: boolean;
    /** Actions that share an image. */
    readonly visionReuse?: number;
    /** Hidden size of the action expert. */
    readonly width?: number;
  };

/** Trains in `folder/NAME`, or goes on there. */
export async function smallRun(
  folder: string,
  name: string,
  options: SmallRun = {},
): Promise<TrainingOutcome & { run: string }> {
  const { settings: given, family = "regression", architecture = "trocar", ...more } = options;
  const { augmented = false, unvalidated = false, sensorless = false, ...rest } = more;
  const { visionReuse = 1, width = 32, ...job } = rest;
  const settings = trainingSettings("tiny", {
    ...{ seed: 3, epochs: 3, batchSize: 4, accumulation: 2, dimensionWeights: null },
    ...given,
  });
  using data = await openTrainingData(findEpisodes([join(folder, "episodes")]), {
    extractor: pixel2048(),
    cache: join(folder, "cache"),
    split: (episodes) =>
      divideEpisodes(
        episodes,
        ({ manifest }) => !unvalidated && manifest.task === "Blue_point",
      ),
    dataset: { proprioceptionMilliseconds: null, visionReuse },
  });
  const small = preset("tiny", { family, architecture, fusion: sensorless ? "none" : "concat" });
  const sizes = { hiddenDim: 16, outputDim: 32, transformerLayers: 1 };
  const config = {
    ...small,
    sensorEncoder: small.sensorEncoder && { ...small.sensorEncoder, ...sizes },
    actionExpert: {
      ...{ ...small.actionExpert, hiddenDim: width, layers: 1 },
      ...(small.sensorEncoder === null ? {} : { sensorDim: 32 }),
    },
  } as typeof small;
  const path = join(folder, name);
  using run = (job.cluster?.rank ?? 0) > 0
    ? null
    : RunFolder.open(path, { program: "test", settings: {}, notes: {} });
  const parameters = initialise(config, { seed: settings.seed });
  const outcome = await train({
    ...{ run, trainingStage: "stage1", config, settings, data, parameters, features: null },
    ...(augmented ? { augment: augmentPixels } : {}),
    ...job,
  });
  return { ...outcome, run: path };
}
