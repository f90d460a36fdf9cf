/** What the five commands on the feature cache have in common. */
import { join, resolve } from "node:path";
import {
  choiceFlag,
  type CommandContext,
  type CommandResult,
  engineFlag,
  type Flag,
  formatTable,
  integerFlag,
  listFlag,
  numberFlag,
  textFlag,
  UsageError,
} from "../lib/cli/mod.ts";
import { openEpisode } from "../lib/episodes/mod.ts";
import { isFile, isFolder, isThere } from "../lib/formats/_path.ts";
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
import { expectOwnModel, extractorOptions, MODEL_FLAGS } from "../lib/programs/feature_flags.ts";

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
  ...MODEL_FLAGS,
  engine: engineFlag(),
  import: textFlag("mapping of the files that --features imported takes, see below", {
    placeholder: "FILE",
  }),
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

/** Episodes may be named without `--data` too. */
export const CACHE_ARGUMENTS = "[ROOT...]";

/** The mapping of `--import`, for `--help`. */
export const IMPORT_HELP = `
--features imported takes features that another program made, .pt files of one tensor (1, T, width).
--import names a JSON file that says which file belongs to which step (action) of which episode.
Paths are relative to it; all but "features" goes into the keys. An example:
  { "format": "trocar feature import", "source": "Insertion_VLA, cache of October 30",
    "model": "Qwen/Qwen2.5-VL-3B-Instruct", "revision": "unknown",
    "promptTemplate": "{instruction}", "processor": {}, "layer": "last hidden state",
    "selection": "all", "pooling": "mean", "views": ["View1", "View2"], "width": 2048,
    "features": [{ "episode": "recv_all_1", "step": 0, "file": "recv_all_1_vlm0.pt" }] }`;

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

/** The roots of `--data` and those that are named without. */
export function rootsOf(
  { data }: Pick<CacheValues, "data">,
  context: Pick<CommandContext, "arguments">,
): readonly string[] {
  return [...data, ...context.arguments];
}

/** Opens the episodes of `--data` and lists their features. */
export async function makePlan(
  values: CacheValues,
  context: CommandContext,
  options: {
    /** Called when the episodes are found, before their images are read. */
    readonly onFound?: () => void;
    /** What the command was asked for. Default: to make a plan */
    readonly asked?: string;
  } = {},
): Promise<FeaturePlan> {
  const { features, reuse, maxAgeMs } = values;
  const { progress, signal } = context;
  const data = rootsOf(values, context);
  if (data.length === 0) {
    throw new UsageError(
      `Cannot ${options.asked ?? "make a plan"}: --data should name episodes, such as deno task ` +
        "preprocess makes.",
    );
  }
  expectOwnModel(features, values);
  // Only the sensor's file stays open, which is not needed here.
  const episodes = findEpisodes(data).map((path) => {
    const episode = openEpisode(path);
    episode.close();
    return episode;
  });
  const extractor = await createExtractor(features, extractorOptions(values, context));
  options.onFound?.();
  const plan = await planFeatures(episodes, extractor, folderOf(values), {
    reuse,
    maxAge: maxAgeMs / 1000,
    signal,
    onEpisode: (path, done, total) => progress.update(`plan ${done + 1} of ${total}: ${path}`),
  });
  progress.clear();
  return plan;
}

/** What a cache holds; a build that was killed early has not written `cache.json` yet. */
const CACHE_ENTRIES = ["cache.json", "images", "index", "lock", "quarantine", "shards"];

/**
 * The folder of `--cache`, which need not be there.
 *
 * @throws {RangeError} when it is a file, or a folder of something else
 */
export function folderOf({ cache }: Pick<CacheValues, "cache">): string {
  const folder = pathOf(cache);
  if (!isThere(folder)) return folder;
  const refuse = (found: string) =>
    new RangeError(
      `Cannot use the cache ${folder}: it should be the folder of a feature cache, or of nothing, ` +
        `current value is ${found}. Name another one with --cache.`,
    );
  if (!isFolder(folder)) throw refuse("a file");
  const names = [...Deno.readDirSync(folder)].map(({ name }) => name);
  const other =
    names.filter((name) => !name.startsWith(".") && !CACHE_ENTRIES.includes(name)).sort()[0];
  if (other === undefined || names.includes("cache.json")) return folder;
  throw refuse(`a folder that holds ${other}`);
}

/**
 * The folder of `--cache`.
 *
 * @throws {Deno.errors.NotFound} when there is no cache
 */
export function existingFolderOf({ cache }: Pick<CacheValues, "cache">): string {
  const folder = pathOf(cache);
  if (isFile(join(folder, "cache.json"))) return folder;
  throw new Deno.errors.NotFound(
    `Cannot open the cache ${folder}: there is no cache there. Check --cache, or make one with: ` +
      "deno task cache:build",
  );
}

function pathOf(cache: string | undefined): string {
  return cache === undefined ? defaultFeatureCache() : resolve(cache);
}

/** The share of `--shard`, else of `TF_CONFIG`. */
export function shareOf(share: Share | undefined): Share | undefined {
  return share ?? shareOfTfConfig(Deno.env.get("TF_CONFIG"));
}

/** Prints a report and ends the command; people see one table, which says what this command found. */
export function finish(
  report: CacheReport,
  more: Readonly<Record<string, unknown>>,
  table: readonly (readonly [heading: string, value: number | string])[],
  { print, warn }: CommandContext,
  isGood = true,
): CommandResult {
  const { planned, hit, built, failed, quarantined, bytes, seconds, failures } = report;
  if (table.length > 0) {
    print(formatTable([table.map(([heading]) => heading), table.map(([, value]) => value)]));
  }
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
