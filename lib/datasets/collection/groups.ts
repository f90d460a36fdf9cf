import { resolve } from "node:path";
import { nearestName } from "../../formats/_nearest_name.ts";
import type { EpisodeData } from "../_episode.ts";
import type { SampleTable } from "../sample_table.ts";
import { DEFAULT_WEIGHTS, OTHERS, type WeightTable } from "./weight_table.ts";

/** Samples `start ≤ sample < start + count` of one episode. */
export interface SampleRange {
  /** The episode's place in the collection. */
  readonly episode: number;
  /** First sample. */
  readonly start: number;
  /** Number of samples, at least 1. */
  readonly count: number;
}

/** One data set of a collection. */
export interface DatasetGroup {
  /** Its name in the table of weights. */
  readonly name: string;
  /** Its weight there, above 0. */
  readonly weight: number;
  /** What its samples count in the loss. */
  readonly confidence: number;
  /** Number of samples. */
  readonly samples: number;
  /** Its share of the draws; the shares of all groups add up to 1. */
  readonly share: number;
  /** Where its samples are, by episode. */
  readonly ranges: readonly SampleRange[];
}

/** What a weight means. */
export const PRIORITY_MODES = ["probability", "duplicate"] as const;
/**
 * What a weight means. `probability`: how often the data set is drawn against the others, whatever its
 * size; `duplicate`: how often each of its samples is, as if it were listed so many times.
 */
export type PriorityMode = typeof PRIORITY_MODES[number];

/** How {@linkcode collectionGroups} weighs. */
export interface CollectionOptions {
  /** Default {@linkcode DEFAULT_WEIGHTS}. */
  readonly weights?: WeightTable;
  /** Default `probability`. */
  readonly priorityMode?: PriorityMode;
  /** What samples count in the loss, by data set, above 0; default 1 for each. */
  readonly confidence?: WeightTable;
}

/** What the groups are made of; an `EpisodeDataset` is one. */
export interface SampledCollection {
  /** The episodes. */
  readonly episodes: readonly Pick<EpisodeData, "path" | "manifest">[];
  /** Where samples begin. */
  readonly samples: Pick<SampleTable, "length" | "episode">;
}

/**
 * The data set an episode belongs to: of the folders that its recording lies in, the innermost one with
 * a weight. Where the recording is no longer there, the path that the container remembers is enough.
 *
 * @param episode an episode
 * @param weights whose names are looked for
 * @returns a name of the table, or `others`
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { datasetOf } from "./mod.ts";
 *
 * const episode = {
 *   path: "/out/episode_1",
 *   manifest: { name: "episode_1", task: "red", instruction: "", source: "../../data/part1/red/episode_1" },
 * };
 * assert.equal(datasetOf(episode), "part1");
 * assert.equal(datasetOf(episode, { red: 2 }), "red");
 * assert.equal(datasetOf(episode, {}), "others");
 * ```
 */
export function datasetOf(
  episode: Pick<EpisodeData, "path" | "manifest">,
  weights: WeightTable = DEFAULT_WEIGHTS,
): string {
  const isNamed = (name: string) => name !== OTHERS && Object.hasOwn(weights, name);
  return namesOf(episode).find(isNamed) ?? OTHERS;
}

/**
 * Divides the samples of a collection into its data sets.
 *
 * @param collection an `EpisodeDataset`
 * @param options weights, what they mean, and confidence
 * @returns data sets with samples and a weight above 0, sorted by name
 * @throws {RangeError} when there is nothing to draw, when a name that is not in
 * {@linkcode DEFAULT_WEIGHTS} names no episode, or a confidence is not above 0
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { collectionGroups } from "./mod.ts";
 *
 * const manifest = { name: "one", task: "red", instruction: "" };
 * const collection = {
 *   episodes: [
 *     { path: "/data/New_dataset/red/one", manifest },
 *     { path: "/data/part1/one", manifest },
 *   ],
 *   samples: { length: 4, episode: Int32Array.of(0, 1, 1, 1) },
 * };
 * const shares = (priorityMode: "probability" | "duplicate") =>
 *   collectionGroups(collection, { priorityMode }).map(({ share }) => share);
 * assert.deepEqual(shares("probability"), [3 / 4, 1 / 4]);
 * assert.deepEqual(shares("duplicate"), [3 / 6, 3 / 6]);
 * ```
 */
export function collectionGroups(
  collection: SampledCollection,
  options: CollectionOptions = {},
): DatasetGroup[] {
  const { weights = DEFAULT_WEIGHTS, priorityMode = "probability", confidence = {} } = options;
  assertNames("weight", weights, collection);
  const names = collection.episodes.map((episode) => datasetOf(episode, weights));
  assertConfidence(confidence, collection, new Set(names));
  const byName = Map.groupBy(rangesOf(collection.samples), ({ episode }) => names[episode]!);
  const groups = [...byName].map(([name, ranges]) => ({
    name,
    weight: weightOf(name, weights),
    confidence: Object.hasOwn(confidence, name) ? confidence[name]! : 1,
    samples: ranges.reduce((sum, { count }) => sum + count, 0),
    ranges,
  })).filter(({ weight }) => weight > 0).sort((a, b) => a.name < b.name ? -1 : 1);
  const pull = groups.map(({ weight, samples }) =>
    priorityMode === "duplicate" ? weight * samples : weight
  );
  const total = pull.reduce((sum, value) => sum + value, 0);
  if (groups.length === 0 || !Number.isFinite(total)) {
    throw new RangeError(
      `Cannot draw samples: there should be samples of a data set with a weight above 0, current ` +
        `value is ${
          [...byName.keys()].map((name) => `${name}=${weightOf(name, weights)}`).join(", ") ||
          "no sample at all"
        }.`,
    );
  }
  return groups.map((group, g) => ({ ...group, share: pull[g]! / total }));
}

function weightOf(name: string, weights: WeightTable): number {
  const weight = Object.hasOwn(weights, name) ? weights[name]! : 1; // a table without `others`
  if (Number.isFinite(weight) && weight >= 0) return weight;
  throw new RangeError(
    `Cannot weigh ${name}: its weight should be a finite number of at least 0, current value is ` +
      `${weight}.`,
  );
}

/** Folders that an episode's recording lies in, the innermost first. */
function namesOf({ path, manifest }: Pick<EpisodeData, "path" | "manifest">): string[] {
  const { task, source = "." } = manifest;
  const folders = (place: string) => place.split(/[\\/]/).filter((name) => name !== "").reverse();
  return [...folders(resolve(path, source)), task, ...folders(path)];
}

/** The samples of an episode are neighbours. */
function rangesOf({ length, episode }: SampledCollection["samples"]): SampleRange[] {
  const ranges: SampleRange[] = [];
  for (let start = 0; start < length;) {
    let end = start + 1;
    while (end < length && episode[end] === episode[start]) end++;
    ranges.push({ episode: episode[start]!, start, count: end - start });
    start = end;
  }
  return ranges;
}

/** A name that names nothing is a mistake, unless it stands in the default table. */
function assertNames(what: string, table: WeightTable, { episodes }: SampledCollection): void {
  const known = new Set(episodes.flatMap(namesOf));
  for (const name of Object.keys(table)) {
    if (known.has(name) || Object.hasOwn(DEFAULT_WEIGHTS, name)) continue;
    const meant = nearestName(name, known.union(new Set(Object.keys(DEFAULT_WEIGHTS))));
    throw new RangeError(
      `Cannot use the ${what} of ${name}: it should name a folder that recordings lie in, current ` +
        `value is none of theirs.${meant === undefined ? "" : ` Did you mean "${meant}"?`}`,
    );
  }
}

function assertConfidence(
  confidence: WeightTable,
  collection: SampledCollection,
  groups: ReadonlySet<string>,
): void {
  assertNames("confidence", confidence, collection);
  for (const [name, value] of Object.entries(confidence)) {
    if (!groups.has(name) && !Object.hasOwn(DEFAULT_WEIGHTS, name)) {
      throw new RangeError(
        `Cannot use the confidence of ${name}: it should name a data set with a weight of its own, ` +
          `current value is one of ${[...groups].sort().join(", ")}. Give it a weight too.`,
      );
    }
    if (value > 0 && Number.isFinite(value)) continue;
    throw new RangeError(
      `Cannot use the confidence of ${name}: it should be finite and above 0, current value is ` +
        `${value}. To leave a data set out, set its weight to 0.`,
    );
  }
}
