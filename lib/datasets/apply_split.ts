import { type EpisodeIdentity, episodeLabel } from "./_digest.ts";
import type { EpisodeData } from "./_episode.ts";
import { entryOf, identifyAll, keyOf } from "./_split_entries.ts";
import type { Split, SplitEntry } from "./split.ts";

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
 * import { applySplit } from "./apply_split.ts";
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

/**
 * Where episodes stand in a split: policies are judged on those that did not train them. A copy of a
 * training episode has trained, whatever its name; of splits that do not hold `contents` yet, this is
 * told of copies of those training episodes that are given too.
 *
 * @param split from training
 * @param episodes open episodes, of it or others
 * @returns for each episode its part; `new` for those that the split does not know as they are now
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { splitParts } from "./apply_split.ts";
 * import { divideEpisodes } from "./split.ts";
 *
 * assert.deepEqual(splitParts(divideEpisodes([], () => true), []), []);
 * ```
 */
export function splitParts(
  split: Split,
  episodes: readonly EpisodeData[],
): ("training" | "validation" | "new")[] {
  const digests = (part: readonly SplitEntry[]) => new Set(part.map(({ digest }) => digest));
  const training = digests(split.training), validation = digests(split.validation);
  const entries = episodes.map(entryOf);
  const trained = new Set(
    [...split.training, ...entries.filter(({ digest }) => training.has(digest))]
      .flatMap(({ contents }) => contents ?? []),
  );
  return entries.map(({ digest, contents }) =>
    trained.has(contents) ? "training" : validation.has(digest) ? "validation" : "new"
  );
}
