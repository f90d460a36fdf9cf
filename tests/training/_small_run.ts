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
import { QwenExtractor } from "../../lib/features/qwen_extractor.ts";
import { qwenFeatures } from "../../lib/features/mod.ts";
import { initialise, preset } from "../../lib/policies/mod.ts";
import { type FineTuning, trainableModel } from "../../lib/vision_language/mod.ts";
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

/** Folder of the tiny visual-language model. */
export const TINY_MODEL = decodeURIComponent(
  new URL("../../data-fixtures/vision_language/model", import.meta.url).pathname,
);

/** Features of the tiny visual-language model, of few and small images. */
export function tinyModel(): Promise<QwenExtractor> {
  return qwenFeatures({ model: TINY_MODEL, views: ["View1", "View2"], maxPixels: 3136 });
}

/** The tiny model in training. */
export async function tunedModel(
  extractor: QwenExtractor,
  tuning: Partial<FineTuning>,
  seed: number,
) {
  const { config, weights, precision } = await extractor.load();
  return trainableModel({
    ...{ config, weights, precision },
    base: { model: extractor.identity.model, digest: extractor.identity.revision },
    prompt: (request) => extractor.prompt(request),
  }, {
    ...{ parts: "lora", unfreezeLastN: 1, recomputes: true },
    lora: { rank: 2, alpha: 4, dropout: 0.1, targets: ["q_proj", "k_proj", "v_proj", "o_proj"] },
    ...tuning,
  }, seed);
}

/** What a small run may do differently. */
export type SmallRun =
  & Partial<
    Pick<
      TrainingJob,
      "onStep" | "onValidation" | "onWarning" | "signal" | "augment" | "saveEvery" | "cluster"
    >
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
    /** What of the tiny visual-language model is trained with it. */
    readonly visual?: Partial<FineTuning>;
  };

/** Trains in `folder/NAME`, or goes on there. */
export async function smallRun(
  folder: string,
  name: string,
  options: SmallRun = {},
): Promise<TrainingOutcome & { run: string }> {
  const { settings: given, family = "regression", architecture = "trocar", ...more } = options;
  const { augmented = false, unvalidated = false, sensorless = false, ...rest } = more;
  const { visionReuse = 1, width = 32, visual: tuning, ...job } = rest;
  using opened = new DisposableStack();
  const extractor = tuning === undefined ? pixel2048() : opened.use(await tinyModel());
  const settings = trainingSettings("tiny", {
    ...{ seed: 3, epochs: 3, batchSize: 4, accumulation: 2, dimensionWeights: null },
    ...given,
  });
  using data = await openTrainingData(findEpisodes([join(folder, "episodes")]), {
    extractor,
    cache: join(folder, "cache"),
    features: { mode: tuning === undefined ? "strict" : "off" },
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
      ...{ ...small.actionExpert, hiddenDim: width, layers: 1, visionDim: extractor.width },
      ...(small.sensorEncoder === null ? {} : { sensorDim: 32 }),
    },
  } as typeof small;
  const path = join(folder, name);
  using run = (job.cluster?.rank ?? 0) > 0
    ? null
    : RunFolder.open(path, { program: "test", settings: {}, notes: {} });
  const parameters = initialise(config, { seed: settings.seed });
  const visual = extractor instanceof QwenExtractor
    ? await tunedModel(extractor, tuning!, settings.seed)
    : null;
  if (visual !== null) opened.use(visual);
  const outcome = await train({
    ...{ run, trainingStage: "stage1", config, settings, data, parameters, features: null },
    visual: visual && { model: visual, textLearningRate: 1e-3, visionLearningRate: 1e-4 },
    ...(augmented ? { augment: augmentPixels } : {}),
    ...job,
  });
  return { ...outcome, run: path };
}
