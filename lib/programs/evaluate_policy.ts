import { join, resolve } from "node:path";
import type { CommandContext } from "../cli/mod.ts";
import {
  openPolicy,
  type OpenPolicyOptions,
  type Policy,
  policyExtractor,
  visualDescription,
} from "../control/mod.ts";
import {
  episodeStatistics,
  readSplit,
  readStatistics,
  type Split,
  splitParts,
} from "../datasets/mod.ts";
import { type Episode, openEpisode } from "../episodes/mod.ts";
import type { ChunkPredictions, WindowFlags } from "../evaluation/mod.ts";
import {
  type CacheMode,
  createExtractor,
  defaultFeatureCache,
  type ExtractorOptions,
  type FeatureExtractor,
  findEpisodes,
} from "../features/mod.ts";
import { isThere } from "../formats/_partial_file.ts";
import { openDataPart, readRunConfig } from "../training/mod.ts";
import { demonstrationData } from "./demonstration_data.ts";
import { openLoopPredictions } from "./open_loop.ts";
import { sensorMilliseconds } from "./resolve.ts";
import { runModel } from "./run_model.ts";
import { runOf } from "./run_of.ts";
import { runVision } from "./run_vision.ts";
import { samplingText } from "./sampling_flags.ts";

/** Which policy is evaluated on which data. */
export interface EvaluatePolicyOptions {
  /** Run, checkpoint folder, `.safetensors` or `.pt` file. */
  readonly path: string;
  /** Roots of episodes; empty takes those that the run validated on. */
  readonly data: readonly string[];
  /** Folder of the feature cache; undefined takes the one that the run names, else trocar's. */
  readonly cache: string | undefined;
  /** Features, where the checkpoint does not say. */
  readonly features: string;
  /** Folder of the model behind them, and how it is used; default what the run says. */
  readonly model?: ExtractorOptions;
  /** Folder of the adapter that is frozen on it; default the run's. */
  readonly adapter?: string | undefined;
  /** How the cache is used; default strict. */
  readonly cacheMode?: CacheMode;
  /** How a diffusion policy draws. */
  readonly sampling: Omit<OpenPolicyOptions, "which">;
}

/** Predictions of a policy, with what is known of them. */
export interface EvaluatedPolicy {
  /** Heading. */
  readonly title: string;
  /** Names and values for people. */
  readonly about: readonly (readonly [name: string, value: string])[];
  /** Predicted and recorded actions. */
  readonly chunks: ChunkPredictions;
  /** Groups, sensors, decision windows. */
  readonly flags: WindowFlags;
  /** Where the mean action is from. */
  readonly meanSource: string;
  /** What the reader should know. */
  readonly warnings: readonly string[];
}

/**
 * Lets a policy predict on episodes that did not train it. The engine must have been started.
 *
 * @param options policy and data
 * @param context of the command
 * @returns its predictions
 * @throws {RangeError} when no episode is left, or data and policy do not fit
 * @throws {Deno.errors.NotFound} when what the run was trained on is gone
 */
export async function evaluatePolicy(
  options: EvaluatePolicyOptions,
  context: CommandContext,
): Promise<EvaluatedPolicy> {
  using opened = new DisposableStack();
  const policy = opened.use(await openPolicy(options.path, options.sampling));
  const run = runOf(policy.path);
  const cache = cacheOf(options, run);
  const paths = await pathsOf(options, run, cache, context);
  const all = paths.map((path) => opened.use(openEpisode(path)));
  const split = run !== null && isThere(join(run, "split.json"))
    ? readSplit(join(run, "split.json"))
    : null;
  const { episodes, warnings } = heldOut(all, split, options.data.length > 0);
  const rows = policy.config.sensorEncoder?.temporalLength ?? null;
  const extractor = await extractorOf(policy, run, options);
  // Nobody has cached the features of a model that this policy's training has changed.
  const usual = visualDescription(policy.notes) === null ? "strict" : "off";
  const { cacheMode = usual } = options;
  const part = await openDataPart("evaluation", episodes, {
    ...{ extractor, cache, features: { mode: cacheMode === "strict" ? usual : cacheMode } },
    dataset: {
      horizon: policy.config.actionExpert.horizon,
      visionReuse: runVision(run).visionReuse,
      sensorMilliseconds: rows === null ? null : sensorMilliseconds(rows),
      proprioceptionMilliseconds: null,
    },
  }, opened);
  const statistics = run === null ? null : readStatistics(join(run, "statistics.json"));
  const { action } = statistics ?? episodeStatistics(episodes);
  const { chunks, flags } = await openLoopPredictions(policy, part, {
    ...{ meanAction: action!.mean, signal: context.signal },
    onProgress: (done, total) => context.progress.update(`${done} of ${total} windows`),
  });
  context.progress.clear();
  return {
    title: "Evaluation of a policy",
    about: aboutOf(policy, run, episodes, options.sampling),
    ...{ chunks, flags, warnings },
    meanSource: statistics === null ? "the evaluated episodes" : "training episodes",
  };
}

/** What makes the features that the policy was trained on; of a run, by the model that it names. */
async function extractorOf(
  policy: Policy,
  run: string | null,
  { features, model, adapter }: EvaluatePolicyOptions,
): Promise<FeatureExtractor> {
  const options = runModel(run, model, adapter);
  return await policyExtractor(policy, options) ?? await createExtractor(features, options);
}

function cacheOf({ cache }: EvaluatePolicyOptions, run: string | null): string {
  if (cache !== undefined) return resolve(cache);
  const noted = run === null ? undefined : readRunConfig(run).notes.cache;
  if (typeof noted !== "string") return defaultFeatureCache();
  if (!isThere(noted)) gone(run!, "the features", noted, "--cache DIR");
  return noted;
}

function gone(run: string, what: string, path: string, flag: string): never {
  throw new Deno.errors.NotFound(
    `Cannot evaluate ${run}: ${what} that it was trained with should be in ${path}, current value ` +
      `is nothing. Name the place where they are now with ${flag}.`,
  );
}

async function pathsOf(
  { path, data }: EvaluatePolicyOptions,
  run: string | null,
  cache: string,
  context: CommandContext,
): Promise<string[]> {
  if (data.length > 0) return findEpisodes(data);
  if (run === null) {
    throw new RangeError(
      `Cannot evaluate ${path}: it does not say which data it was trained on. Name episodes that ` +
        "did not train it with --data.",
    );
  }
  const { data: roots } = readRunConfig(run).notes;
  if (Array.isArray(roots) && roots.length > 0) {
    const missing = roots.map(String).find((root) => !/[*?]/.test(root) && !isThere(root));
    if (missing !== undefined) gone(run, "the episodes", missing, "--data ROOT");
    return findEpisodes(roots.map(String));
  }
  const split = readSplit(join(run, "split.json"));
  const { train, val } = await demonstrationData(cache, split.training.length, context);
  return [...train, ...val].map(({ path }) => path);
}

function heldOut(all: readonly Episode[], split: Split | null, isOwnData: boolean) {
  if (split === null) {
    return {
      episodes: all,
      warnings: [
        "Nobody knows which of these episodes trained the policy: the errors may be too low.",
      ],
    };
  }
  const parts = splitParts(split, all);
  const wanted = (part: string) => isOwnData ? part !== "training" : part === "validation";
  const episodes = all.filter((_, i) => wanted(parts[i]!));
  if (episodes.length === 0) {
    throw new RangeError(
      `Cannot evaluate: episodes must not have trained the policy, current value is ` +
        `${all.length} episodes, ${parts.filter((part) => part === "training").length} of which ` +
        `did. Name others with --data.`,
    );
  }
  const left = all.length - episodes.length;
  return {
    episodes,
    warnings: isOwnData && left > 0
      ? [`${left} of ${all.length} episodes trained the policy and are left out.`]
      : [],
  };
}

function aboutOf(
  policy: Policy,
  run: string | null,
  episodes: readonly Episode[],
  sampling: EvaluatePolicyOptions["sampling"],
) {
  const { config, document, path } = policy;
  return [
    ["checkpoint", path],
    ...(run === null ? [] : [["run", run] as const]),
    ["policy", `${config.architecture} ${config.family}, fusion ${config.fusion}`],
    ["completed epochs", String(document?.epoch ?? "unknown")],
    ...(config.family === "diffusion" ? [["sampling", samplingText(sampling)] as const] : []),
    ["episodes", String(episodes.length)],
  ] as const;
}
