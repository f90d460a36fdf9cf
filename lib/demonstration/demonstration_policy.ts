import { join, resolve } from "node:path";
import { tf } from "../engine/mod.ts";
import { cacheFolder } from "../engine/install/cache_folder.ts";
import { divideEpisodes, writeSplit, writeStatistics } from "../datasets/mod.ts";
import { pixel2048 } from "../features/mod.ts";
import { isThere } from "../formats/_partial_file.ts";
import { PHANTOM_VIEWS } from "../phantom/mod.ts";
import { initialise, preset, trocar, type TrocarConfig } from "../policies/mod.ts";
import {
  augmentPixels,
  featureTokens,
  openTrainingData,
  pixelWeights,
  RunFolder,
  train,
  type TrainingData,
  trainingSettings,
  visionStatistics,
} from "../training/mod.ts";
import { type Demonstration, ensureDemonstration } from "./demonstration.ts";
import { lockFolder } from "./_folder_lock.ts";

/** Goes up when the policy changes. */
const VERSION = 1;
/** Passes over the samples; a diffusion policy has more to learn. */
const EPOCHS = { regression: 12, diffusion: 16 };

/** Which policy {@linkcode demonstrationPolicy} trains. */
export interface DemonstrationPolicyOptions {
  /** Predicts at once, or takes noise away step by step. @default {"regression"} */
  readonly family?: "regression" | "diffusion";
  /** Whether it feels force and OCT. @default {true} */
  readonly sensor?: boolean;
  /** Cameras it sees. @default {all five} */
  readonly views?: readonly string[];
  /** Seed of its parameters and of the order of samples. @default {1} */
  readonly seed?: number;
  /** Episodes to train on. @default {10} */
  readonly trainEpisodes?: number;
  /** Episodes to validate on. @default {6} */
  readonly valEpisodes?: number;
  /** Passes over the samples. @default {12, of diffusion 16} */
  readonly epochs?: number;
  /** Where data and policy are kept. @default {`demonstration` in trocar's cache folder} */
  readonly folder?: string;
  /** Feature cache. @default {`features` in trocar's cache folder} */
  readonly features?: string;
  /** Stops the work. */
  readonly signal?: AbortSignal;
}

/** A policy to look at, and what it was trained on. */
export interface DemonstrationPolicy {
  /** Its run, for `openPolicy`. */
  readonly run: string;
  /** The episodes that trained and validate it. */
  readonly data: Demonstration;
}

/**
 * A small policy to look at: trained for seconds on ten simulated insertions, when it is first needed,
 * and kept. It is worth more than a baseline and much less than what `deno task train:stage1` trains.
 * The engine must have been started.
 *
 * @param options which policy, where it is kept
 * @returns its run and the episodes
 * @throws {RangeError} when a camera is unknown, or there is nothing to train on
 * @throws {DOMException} `AbortError` when the signal fires; the next call goes on from there
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { startEngine } from "../engine/mod.ts";
 * import { demonstrationPolicy } from "./mod.ts";
 *
 * await startEngine({ engine: "wasm", quiet: true });
 * const root = Deno.makeTempDirSync();
 * const { run } = await demonstrationPolicy({
 *   ...{ folder: `${root}/data`, features: `${root}/features`, sensor: false },
 *   ...{ trainEpisodes: 1, valEpisodes: 1, epochs: 1 },
 * });
 * assert(Deno.statSync(`${run}/summary.json`).isFile);
 * Deno.removeSync(root, { recursive: true });
 * ```
 */
export async function demonstrationPolicy(
  options: DemonstrationPolicyOptions = {},
): Promise<DemonstrationPolicy> {
  const { family = "regression", sensor = true, views = PHANTOM_VIEWS, seed = 1 } = options;
  const { trainEpisodes = 10, valEpisodes = 6, epochs = EPOCHS[family] } = options;
  const root = resolve(options.folder ?? join(cacheFolder(), "demonstration"));
  const { features: cache, signal } = options;
  const data = await ensureDemonstration({
    ...{ folder: root, trainEpisodes, valEpisodes },
    ...(cache === undefined ? {} : { features: cache }),
    ...(signal === undefined ? {} : { signal }),
  });
  const name = [
    ...[family, sensor ? "sensor" : "no-sensor", ...views],
    `${trainEpisodes}-episodes_${epochs}-epochs_seed-${seed}`,
  ].join("_");
  const folder = join(root, `policies-${VERSION}`);
  const run = join(folder, name);
  Deno.mkdirSync(folder, { recursive: true });
  using _lock = await lockFolder(folder, () => {}, signal);
  if (!isThere(join(run, "summary.json"))) {
    await trainIn(run, data, { family, sensor, views, seed, epochs }, signal);
  }
  return { run, data };
}

type Choice = Required<
  Pick<DemonstrationPolicyOptions, "family" | "sensor" | "views" | "seed" | "epochs">
>;

async function trainIn(
  path: string,
  { features: cache, train: training, val }: Demonstration,
  { family, sensor, views, seed, epochs }: Choice,
  signal?: AbortSignal,
): Promise<void> {
  const extractor = pixel2048({ views });
  const paths = [...training, ...val].map(({ path }) => path);
  const validating = new Set(val.map(({ path }) => path));
  using data = await openTrainingData(paths, {
    ...{ extractor, cache, features: { mode: "readwrite" } },
    split: (episodes) => divideEpisodes(episodes, ({ path }) => validating.has(path)),
    dataset: {
      proprioceptionMilliseconds: null,
      ...(sensor ? {} : { sensorMilliseconds: null }),
    },
  });
  const config = smallPolicy(family, sensor);
  const settings = trainingSettings("tiny", { seed, epochs, batchSize: 32 });
  const features = { name: extractor.name, identity: extractor.identity };
  using run = RunFolder.open(path, {
    program: "demonstration",
    settings: JSON.parse(JSON.stringify({ policy: config, training: settings, features })),
    notes: { data: paths, cache },
  });
  writeSplit(run.file("split.json"), data.split);
  writeStatistics(run.file("statistics.json"), data.statistics);
  const { state } = await train({
    ...{ run, trainingStage: "stage1", config, settings, data, augment: augmentPixels },
    features: JSON.parse(JSON.stringify(features)),
    parameters: await newParameters(config, seed, data),
    ...(signal === undefined ? {} : { signal }),
  });
  signal?.throwIfAborted();
  run.finish({ steps: state.globalStep });
}

function smallPolicy(family: "regression" | "diffusion", sensor: boolean): TrocarConfig {
  const tiny = preset("tiny", { family, fusion: sensor ? "concat" : "none" });
  const { sensorEncoder, actionExpert } = tiny;
  return {
    ...tiny,
    sensorEncoder: sensorEncoder && { ...sensorEncoder, hiddenDim: 32, outputDim: 64, pooling: 8 },
    actionExpert: { ...actionExpert, hiddenDim: 64, visionHidden: 128, sensorDim: sensor ? 64 : 0 },
  };
}

async function newParameters(config: TrocarConfig, seed: number, data: TrainingData) {
  const parameters = initialise(config, { seed });
  const vision = await visionStatistics(
    featureTokens(data.training),
    config.actionExpert.visionDim,
  );
  const buffers = trocar.normalisation(config, {
    ...data.statistics,
    vision: { ...vision, weights: pixelWeights() },
  });
  tf.dispose(Object.keys(buffers).map((key) => parameters[key]!));
  return { ...parameters, ...buffers };
}
