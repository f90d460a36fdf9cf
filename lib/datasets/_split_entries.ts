/** Episodes as splits name them. */
import { contentsDigest, type EpisodeIdentity, episodeLabel, identify } from "./_digest.ts";
import type { EpisodeData } from "./_episode.ts";
import type { SplitEntry } from "./split.ts";

/** Refuses a collection that holds one recording twice: it could land on both sides. */
export function identifyAll(episodes: readonly EpisodeData[]): Required<SplitEntry>[] {
  const paths = new Map<string, string>();
  return episodes.map((episode) => {
    const { path } = episode, entry = entryOf(episode);
    const other = paths.get(keyOf(entry));
    if (other !== undefined) {
      throw new RangeError(
        `Cannot split: an episode must be there once, current value is ` +
          `${episodeLabel(entry)} twice, in ${other} and ${path}. Remove or rename one.`,
      );
    }
    paths.set(keyOf(entry), path);
    return entry;
  });
}

/** Which recording it is, and what of. */
export function entryOf(episode: EpisodeData): Required<SplitEntry> {
  return { ...identify(episode), contents: contentsDigest(episode) };
}

/** Task and name in one. */
export function keyOf({ task, name }: EpisodeIdentity): string {
  return JSON.stringify([task, name]);
}
