import {
  digestOf,
  type EpisodeIdentity,
  episodeLabel,
  identify,
  sortedByIdentity,
} from "./_digest.ts";
import type { EpisodeData } from "./_episode.ts";

/** How {@linkcode splitEpisodes} divides. */
export interface SplitOptions {
  /** Another seed gives another split; default 0. */
  readonly seed?: number;
  /** Share of each task's episodes that goes to validation, above 0 and below 1; default 0.1. */
  readonly fraction?: number;
  /** Validation episodes per task instead of a share: for all tasks, or by task. */
  readonly count?: number | Readonly<Record<string, number>>;
}

/** Which episodes train and which validate, as `split.json` holds it. */
export interface Split {
  /** Version of the file's layout. */
  readonly version: 1;
  /** The seed it was drawn with. */
  readonly seed: number;
  /** Sorted by task and name. */
  readonly training: readonly EpisodeIdentity[];
  /** Sorted by task and name. */
  readonly validation: readonly EpisodeIdentity[];
  /** SHA-256 over all of the above, hexadecimal. */
  readonly digest: string;
}

/**
 * Splits a collection by episode, task by task. Samples of one episode overlap, so that a split by
 * sample would validate on what was trained on.
 *
 * Within a task the episodes are ordered by SHA-256 of seed, task and name, and the first of them
 * validate: the order of the input, and where the episodes lie, change nothing, and a new episode
 * leaves the order of the others as it is.
 *
 * @param episodes the whole collection
 * @param options seed, and how many validate: of a task with n ≥ 2 episodes round(fraction · n), at
 * least one and at most n − 1; the single episode of a task trains
 * @returns the split, a partition of the collection
 * @throws {RangeError} when no episode would be left to validate or to train, when an option is out of
 * range, or two episodes have the same task and name
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { splitEpisodes } from "./split.ts";
 *
 * const episode = (task: string, name: string) => ({
 *   path: `/data/${task}/${name}`,
 *   manifest: { name, task, instruction: "" },
 *   robotTime: new Float64Array(0),
 *   robotState: new Float32Array(0),
 *   action: new Float32Array(0),
 *   actionTime: new Float64Array(0),
 *   segment: new Int32Array(0),
 *   images: [],
 *   sensor: null,
 * });
 * const episodes = ["red", "blue"].flatMap((task) => ["1", "2", "3"].map((n) => episode(task, n)));
 * const split = splitEpisodes(episodes, { fraction: 0.3 });
 * assert.deepEqual(split.validation.map(({ task }) => task), ["blue", "red"]);
 * assert.equal(split.training.length, 4);
 * assert.deepEqual(splitEpisodes(episodes.reverse(), { fraction: 0.3 }), split);
 * ```
 */
export function splitEpisodes(
  episodes: readonly EpisodeData[],
  options: SplitOptions = {},
): Split {
  const { seed = 0, fraction = 0.1, count } = options;
  if (!Number.isSafeInteger(seed)) {
    throw new RangeError(
      `Cannot split: the seed must be an integer, current value is ${seed}. Pass one such as 0.`,
    );
  }
  if (!(fraction > 0 && fraction < 1)) {
    throw new RangeError(
      `Cannot split: fraction must be above 0 and below 1, current value is ${fraction}.`,
    );
  }
  const byTask = Map.groupBy(identifyAll(episodes), ({ task }) => task);
  assertTasks(count, byTask);
  const training: EpisodeIdentity[] = [], validation: EpisodeIdentity[] = [];
  for (const [task, members] of byTask) {
    const drawn = members
      .map((member) => ({ member, rank: digestOf([seed, member.task, member.name]) }))
      .sort((a, b) => a.rank < b.rank ? -1 : 1)
      .map(({ member }) => member);
    const validate = validationCount(task, members.length, fraction, count);
    validation.push(...drawn.slice(0, validate));
    training.push(...drawn.slice(validate));
  }
  if (training.length === 0 || validation.length === 0) {
    throw new RangeError(
      `Cannot split: at least one task must have 2 episodes, current value is ${episodes.length} ` +
        `episodes in ${byTask.size} tasks. Record more, or train without validation.`,
    );
  }
  return sealSplit(seed, training, validation);
}

/**
 * Divides open episodes as a split says, and refuses when they are not the ones it was made from.
 *
 * @param split from {@linkcode splitEpisodes} or `readSplit`
 * @param episodes the whole collection, in any order
 * @returns the episodes of either part, sorted by task and name
 * @throws {RangeError} when episodes are missing, new, or changed, naming them
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { applySplit } from "./split.ts";
 *
 * const gone = { task: "red", name: "one", digest: "" };
 * const split = { version: 1 as const, seed: 0, training: [gone], validation: [], digest: "" };
 * assert.throws(() => applySplit(split, []), /red\/one is missing/);
 * ```
 */
export function applySplit<T extends EpisodeData>(
  split: Split,
  episodes: readonly T[],
): { training: T[]; validation: T[] } {
  const opened = new Map<string, T>();
  const identities = identifyAll(episodes);
  identities.forEach((identity, i) => opened.set(keyOf(identity), episodes[i]!));
  const digests = new Map(identities.map((identity) => [keyOf(identity), identity.digest]));
  const known = new Map([...split.training, ...split.validation].map((e) => [keyOf(e), e]));
  const changes = [
    ...[...known.values()].flatMap((identity) => {
      const digest = digests.get(keyOf(identity));
      if (digest === undefined) return [`${episodeLabel(identity)} is missing`];
      return digest === identity.digest ? [] : [`${episodeLabel(identity)} has changed`];
    }),
    ...identities.filter((identity) => !known.has(keyOf(identity)))
      .map((identity) => `${episodeLabel(identity)} is new`),
  ];
  if (changes.length > 0) {
    const shown = changes.slice(0, 5).join(", ") + (changes.length > 5 ? ", …" : "");
    throw new RangeError(
      `Cannot use the split: the episodes must be those it was made from, current value is ` +
        `${changes.length} differences: ${shown}. Bring the episodes back, or make a new split.`,
    );
  }
  const take = (part: readonly EpisodeIdentity[]) => part.map((e) => opened.get(keyOf(e))!);
  return { training: take(split.training), validation: take(split.validation) };
}

/** Sorts both parts and adds the digest. */
export function sealSplit(
  seed: number,
  training: readonly EpisodeIdentity[],
  validation: readonly EpisodeIdentity[],
): Split {
  const contents = {
    version: 1 as const,
    seed,
    training: sortedByIdentity(training, (e) => e),
    validation: sortedByIdentity(validation, (e) => e),
  };
  return { ...contents, digest: digestOf(contents) };
}

/** Refuses a collection that holds one recording twice: it could land on both sides. */
function identifyAll(episodes: readonly EpisodeData[]): EpisodeIdentity[] {
  const paths = new Map<string, string>();
  return episodes.map((episode) => {
    const identity = identify(episode);
    const other = paths.get(keyOf(identity));
    if (other !== undefined) {
      throw new RangeError(
        `Cannot split: an episode must be there once, current value is ` +
          `${episodeLabel(identity)} twice, in ${other} and ${episode.path}. Remove or rename one.`,
      );
    }
    paths.set(keyOf(identity), episode.path);
    return identity;
  });
}

function keyOf({ task, name }: EpisodeIdentity): string {
  return JSON.stringify([task, name]);
}

function assertTasks(count: SplitOptions["count"], byTask: Map<string, unknown>): void {
  if (typeof count !== "object") return;
  for (const task of Object.keys(count)) {
    if (byTask.has(task)) continue;
    throw new RangeError(
      `Cannot split: count names the task ${task}, which must have episodes, current value is ` +
        `${[...byTask.keys()].sort().join(", ") || "no episode at all"}.`,
    );
  }
}

function validationCount(
  task: string,
  episodes: number,
  fraction: number,
  count: SplitOptions["count"],
): number {
  const wanted = typeof count === "object" ? count[task] : count;
  if (wanted === undefined) {
    return episodes < 2 ? 0 : Math.min(episodes - 1, Math.max(1, Math.round(fraction * episodes)));
  }
  if (Number.isSafeInteger(wanted) && wanted >= 0 && wanted < episodes) return wanted;
  throw new RangeError(
    `Cannot split: the task ${task} has ${episodes} episodes, so that 0 to ${
      episodes - 1
    } of them ` +
      `may validate, current value is ${wanted}.`,
  );
}
