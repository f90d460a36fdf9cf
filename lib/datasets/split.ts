import { digestOf, type EpisodeIdentity, episodeLabel, sortedByIdentity } from "./_digest.ts";
import type { EpisodeData } from "./_episode.ts";
import { identifyAll } from "./_split_entries.ts";

/** How {@linkcode splitEpisodes} divides. */
export interface SplitOptions {
  /** Another seed gives another split; default 0. */
  readonly seed?: number;
  /** Share of each task's episodes that goes to validation, above 0 and below 1; default 0.1. */
  readonly fraction?: number;
  /** Validation episodes per task instead of a share: for all tasks, or by task. */
  readonly count?: number | Readonly<Record<string, number>>;
}

/** An episode of a split. */
export interface SplitEntry extends EpisodeIdentity {
  /**
   * SHA-256 of what was recorded, without task and name, hexadecimal: copies have it in common. Not in
   * files of earlier versions.
   */
  readonly contents?: string;
}

/** Which episodes train and which validate, as `split.json` holds it. */
export interface Split {
  /** Version of the file's layout. */
  readonly version: 1;
  /** The seed it was drawn with. */
  readonly seed: number;
  /** Sorted by task and name. */
  readonly training: readonly SplitEntry[];
  /** Sorted by task and name. */
  readonly validation: readonly SplitEntry[];
  /** SHA-256 over all of the above but `contents`, hexadecimal. */
  readonly digest: string;
}

/**
 * Splits a collection by episode, task by task. Samples of one episode overlap, so that a split by
 * sample would validate on what was trained on.
 *
 * Within a task the episodes are ordered by SHA-256 of seed, task and name, and the first of them
 * validate: the order of the input, and where the episodes lie, change nothing, and a new episode
 * leaves the order of the others as it is. Copies of one recording go where the first
 * of them goes.
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
 *   robotTime: Float64Array.of(task.length, Number(name)),
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
  const all = sortedByIdentity(identifyAll(episodes), (entry) => entry);
  const copies = Map.groupBy(all, ({ contents }) => contents); // the first of them stands for all
  const originals = [...copies.values()].map(([original]) => original!);
  const byTask = Map.groupBy(originals, ({ task }) => task);
  assertTasks(count, byTask);
  const training: SplitEntry[] = [], validation: SplitEntry[] = [];
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
      `Cannot split: at least one task must have 2 episodes that are no copies of others, current ` +
        `value is ${episodes.length} episodes in ${byTask.size} tasks. Record more.`,
    );
  }
  const withCopies = (part: readonly SplitEntry[]) =>
    part.flatMap(({ contents }) => copies.get(contents!)!);
  return sealSplit(seed, withCopies(training), withCopies(validation));
}

/**
 * A split that somebody else decided on.
 *
 * @param episodes open episodes
 * @param isValidation whether an episode validates
 * @returns the split; its seed is 0
 * @throws {RangeError} when two episodes have the same task and name, or a copy of a training episode
 * would validate
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { divideEpisodes } from "./split.ts";
 *
 * assert.deepEqual(divideEpisodes([], () => true).training, []);
 * ```
 */
export function divideEpisodes<T extends EpisodeData>(
  episodes: readonly T[],
  isValidation: (episode: T) => boolean,
): Split {
  const identities = identifyAll(episodes);
  const part = (validates: boolean) =>
    identities.filter((_, i) => isValidation(episodes[i]!) === validates);
  const training = part(false), validation = part(true);
  const trained = new Map(training.map((entry) => [entry.contents, entry]));
  for (const entry of validation) {
    const original = trained.get(entry.contents);
    if (original === undefined) continue;
    throw new RangeError(
      `Cannot split: what trains must not validate, current value is ${episodeLabel(entry)}, ` +
        `which is a copy of ${episodeLabel(original)}. Leave one out.`,
    );
  }
  return sealSplit(0, training, validation);
}

/** Sorts both parts and adds the digest. */
export function sealSplit(
  seed: number,
  training: readonly SplitEntry[],
  validation: readonly SplitEntry[],
): Split {
  const parts = {
    training: sortedByIdentity(training, (e) => e),
    validation: sortedByIdentity(validation, (e) => e),
  };
  const identities = (part: readonly SplitEntry[]) =>
    part.map(({ task, name, digest }) => ({ task, name, digest }));
  // Without `contents`, which the digests of the episodes cover: so runs of earlier versions go on.
  const digest = digestOf({
    version: 1,
    seed,
    training: identities(parts.training),
    validation: identities(parts.validation),
  });
  return { version: 1, seed, ...parts, digest };
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
