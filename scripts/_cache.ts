/** What the five commands on the feature cache have in common. */
import { resolve } from "node:path";
import {
  choiceFlag,
  type CommandContext,
  type CommandResult,
  type Flag,
  formatTable,
  integerFlag,
  listFlag,
  numberFlag,
  textFlag,
  UsageError,
} from "../lib/cli/mod.ts";
import { openEpisode } from "../lib/episodes/mod.ts";
import {
  type CacheReport,
  createExtractor,
  DEFAULT_LIMIT,
  defaultFeatureCache,
  FEATURE_EXTRACTORS,
  type FeaturePlan,
  findEpisodes,
  MAX_IMAGE_AGE,
  parseShare,
  planFeatures,
  type Share,
  shareOfTfConfig,
} from "../lib/features/mod.ts";

/** This process's part of the plan. */
export const shardFlag: Flag<Share | undefined> = {
  kind: "value",
  summary: "part i of n of the plan, i from 0: for several processes",
  placeholder: "I/N",
  fallback: undefined,
  fallbackText: "the worker's part by TF_CONFIG, else all",
  parse: (_name, texts) => {
    try {
      return parseShare(texts.at(-1)!);
    } catch (error) {
      throw new UsageError((error as Error).message);
    }
  },
};

/** Which data, which features, which cache. */
export const CACHE_FLAGS = {
  data: listFlag("episodes, preprocessed recordings, folders of them, or wildcards", {
    placeholder: "ROOT",
  }),
  features: choiceFlag("which features", Object.keys(FEATURE_EXTRACTORS), {
    default: "pixel-2048",
  }),
  views: listFlag("cameras in the order in which the model sees them", {
    placeholder: "VIEW",
    defaultText: "those of the features",
  }),
  model: textFlag("folder of the model that --features qwen2.5-vl-3b runs", { placeholder: "DIR" }),
  import: textFlag("mapping of the files that --features imported takes", { placeholder: "FILE" }),
  reuse: integerFlag("consecutive action starts that share one observation", {
    default: 1,
    min: 1,
  }),
  maxAgeMs: numberFlag("an older image counts as none", {
    default: 1000 * MAX_IMAGE_AGE,
    min: 1,
  }),
  cache: textFlag("folder of the cache", {
    placeholder: "DIR",
    defaultText: "features in trocar's cache folder",
  }),
};

/** How large the cache may become. */
export const limitFlag = numberFlag(
  "the cache may take so many GB (10^9 bytes); kept for all that follows",
  {
    min: 0.000001,
    defaultText: `as before, at first ${(DEFAULT_LIMIT / 1e9).toFixed(1)}`,
  },
);

/** Values of {@linkcode CACHE_FLAGS}. */
export type CacheValues = {
  readonly [K in keyof typeof CACHE_FLAGS]: (typeof CACHE_FLAGS)[K] extends Flag<infer T> ? T
    : never;
};

/** Opens the episodes of `--data` and lists their features. */
export async function makePlan(
  values: CacheValues,
  { progress, signal }: CommandContext,
): Promise<FeaturePlan> {
  const { data, features, views, reuse, maxAgeMs } = values;
  if (data.length === 0) {
    throw new UsageError("Cannot make a plan: --data should name episodes. See --help.");
  }
  // Only the sensor's file stays open, which is not needed here.
  const episodes = findEpisodes(data).map((path) => {
    const episode = openEpisode(path);
    episode.close();
    return episode;
  });
  const extractor = createExtractor(features, {
    ...(views.length === 0 ? {} : { views }),
    ...(values.model === undefined ? {} : { model: values.model }),
    ...(values.import === undefined ? {} : { import: values.import }),
  });
  const plan = await planFeatures(episodes, extractor, folderOf(values), {
    reuse,
    maxAge: maxAgeMs / 1000,
    signal,
    onEpisode: (path, done, total) => progress.update(`plan ${done + 1} of ${total}: ${path}`),
  });
  progress.clear();
  return plan;
}

/** The folder of `--cache`. */
export function folderOf({ cache }: Pick<CacheValues, "cache">): string {
  return cache === undefined ? defaultFeatureCache() : resolve(cache);
}

/** The share of `--shard`, else of `TF_CONFIG`. */
export function shareOf(share: Share | undefined): Share | undefined {
  return share ?? shareOfTfConfig(Deno.env.get("TF_CONFIG"));
}

/** Prints a report and ends the command. */
export function finish(
  report: CacheReport,
  more: Readonly<Record<string, unknown>>,
  { print, warn }: CommandContext,
  isGood: boolean,
): CommandResult {
  const { planned, hit, built, failed, quarantined, bytes, seconds, failures } = report;
  print(formatTable([
    ["planned", "hit", "built", "failed", "quarantined", "MB", "s"],
    [planned, hit, built, failed, quarantined, (bytes / 1e6).toFixed(1), seconds.toFixed(2)],
  ]));
  for (const { episode, step, message } of failures.slice(0, 10)) {
    warn(`${episode} step ${step}: ${message}`);
  }
  if (failures.length > 10) warn(`… and ${failures.length - 10} more`);
  return {
    document: {
      planned,
      hit,
      built,
      failed,
      quarantined,
      bytes,
      seconds,
      ...more,
      failures,
    },
    exitCode: isGood && failed === 0 ? 0 : 1,
  };
}

/** Steps of a plan that have an observation. */
export function steps(plan: FeaturePlan): number {
  return plan.episodes.reduce((sum, { observations }) => sum + observations.length, 0);
}
