import { join } from "node:path";
import { type Policy, policyExtractor } from "../control/mod.ts";
import { type EpisodeStatistics, readSplit, readStatistics, splitParts } from "../datasets/mod.ts";
import { type Episode, openEpisode } from "../episodes/mod.ts";
import { type CacheMode, createExtractor, findEpisodes } from "../features/mod.ts";
import { type DataPart, openDataPart, readRunConfig } from "../training/mod.ts";
import { ensureDemonstration } from "./demonstration.ts";

/** Rows of the sensor in a second. */
const SENSOR_HZ = 650;

/** The open episodes of a run. */
export interface RunData extends Disposable {
  /** Episodes that trained. */
  readonly training: readonly Episode[];
  /** Episodes that did not. */
  readonly validation: readonly Episode[];
  /** Statistics of those that trained. */
  readonly statistics: EpisodeStatistics;
  /** SHA-256 of the split: of all episodes and of which side each is on. */
  readonly digest: string;
  /** Folder of the feature cache. */
  readonly cache: string;
}

/**
 * Opens the episodes of a run: those that its configuration names, divided as they were. Of a run on
 * the demonstration, its episodes, made if they are not there.
 *
 * @param run folder of a run
 * @returns the episodes; dispose of them
 * @throws {RangeError} when none is there any more
 * @throws {Deno.errors.NotFound} when the folder is not that of a run
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { openRunData } from "./mod.ts";
 *
 * await assert.rejects(openRunData(Deno.makeTempDirSync()), Deno.errors.NotFound);
 * ```
 */
export async function openRunData(run: string): Promise<RunData> {
  using opened = new DisposableStack();
  const split = readSplit(join(run, "split.json"));
  const { data: roots, cache } = readRunConfig(run).notes;
  const named = Array.isArray(roots) && roots.length > 0 ? roots.map(String) : null;
  const features = typeof cache === "string" ? { features: cache } : {};
  const made = named === null
    ? await ensureDemonstration({ ...features, trainEpisodes: split.training.length })
    : null;
  const paths = made === null
    ? findEpisodes(named!)
    : [...made.train, ...made.val].map(({ path }) => path);
  const episodes = paths.map((path) => opened.use(openEpisode(path)));
  const parts = splitParts(split, episodes);
  const owned = opened.move();
  return {
    training: episodes.filter((_, i) => parts[i] === "training"),
    validation: episodes.filter((_, i) => parts[i] === "validation"),
    statistics: readStatistics(join(run, "statistics.json")),
    digest: split.digest,
    cache: made?.features ?? String(cache),
    [Symbol.dispose]: () => owned.dispose(),
  };
}

/** What a policy sees of episodes. */
export interface SeenEpisodes extends DataPart, Disposable {}

/** Settings of {@linkcode openSeen}. */
export interface SeenOptions {
  /** Folder of the feature cache. */
  readonly cache: string;
  /** How it is used: `read` makes what is missing and stores nothing. @default {"read"} */
  readonly mode?: CacheMode;
}

/**
 * Opens episodes as a policy sees them: with its horizon, its sensor window and its visual features.
 *
 * @param policy from `openPolicy`
 * @param episodes open episodes; they stay the caller's
 * @param options feature cache
 * @returns samples and features; dispose of them
 * @throws {RangeError} when there is no sample
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { preset } from "../policies/mod.ts";
 * import { openSeen } from "./mod.ts";
 *
 * const policy = {
 *   ...{ config: preset("tiny"), path: "policy", document: null, notes: null, assumed: [], isAveraged: false },
 *   predict: () => Promise.resolve(new Float32Array(0)),
 *   [Symbol.dispose]: () => {},
 * };
 * await assert.rejects(openSeen(policy, [], { cache: Deno.makeTempDirSync() }), /must have samples/);
 * ```
 */
export async function openSeen(
  policy: Policy,
  episodes: readonly Episode[],
  { cache, mode = "read" }: SeenOptions,
): Promise<SeenEpisodes> {
  using opened = new DisposableStack();
  const rows = policy.config.sensorEncoder?.temporalLength ?? null;
  const extractor = await policyExtractor(policy) ?? await createExtractor("pixel-2048");
  const part = await openDataPart("evaluation", episodes, {
    ...{ extractor, cache },
    features: { mode },
    dataset: {
      horizon: policy.config.actionExpert.horizon,
      sensorMilliseconds: rows === null ? null : 1000 * rows / SENSOR_HZ,
      proprioceptionMilliseconds: null,
    },
  }, opened);
  const owned = opened.move();
  return { ...part, [Symbol.dispose]: () => owned.dispose() };
}
