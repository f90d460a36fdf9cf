import { dirname, join, resolve } from "node:path";
import { discoverRecordings } from "../episodes/discover.ts";
import { findPlaces } from "../episodes/doctor/_places.ts";
import { readManifest } from "../episodes/episode.ts";
import { quote } from "../formats/quote.ts";

/**
 * The episode containers below some roots. Recordings there that were not preprocessed are an error,
 * because features would silently be made of a part of the data.
 *
 * @param roots containers, recordings, folders of them, or wildcards
 * @returns paths of the containers, sorted, each once
 * @throws {RangeError} when a root holds no episode, or a recording without one
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { findEpisodes } from "./mod.ts";
 *
 * assert.throws(() => findEpisodes([Deno.makeTempDirSync()]), /deno task preprocess/);
 * ```
 */
export function findEpisodes(roots: readonly string[]): string[] {
  const found = new Set<string>();
  for (const root of roots) {
    const { containers } = findPlaces([root]);
    const sources = new Set(containers.flatMap((path) => [
      dirname(path),
      resolve(path, readManifest(path).source),
    ]));
    // The controller's own logs have no images.
    const unprocessed = discoverRecordings([root]).recordings
      .filter(({ path, layout }) => layout.name !== "meca500-log" && !sources.has(path));
    if (unprocessed.length > 0) {
      throw new RangeError(
        `Cannot make features of ${root}: ${unprocessed.length} of its recordings are not ` +
          `preprocessed, the first is ${unprocessed[0]!.path}. ` +
          `Preprocess them with: deno task preprocess --data ${quote(root)}`,
      );
    }
    if (containers.length === 0) {
      throw new RangeError(
        `Cannot make features of ${root}: it holds no episode. ` +
          "Make episodes of recordings with: deno task preprocess --data ROOT",
      );
    }
    for (const path of containers) found.add(join(path));
  }
  return [...found].sort();
}
