import type { ActionRepresentation } from "../episodes/manifest.ts";
import type { EpisodeData } from "./_episode.ts";

export type { ActionRepresentation };

/**
 * What an action is in all of the episodes.
 *
 * @returns null where no manifest says it
 * @throws {RangeError} when it is one thing here and another there
 */
export function commonActionRepresentation(
  episodes: readonly EpisodeData[],
): ActionRepresentation | null {
  const [first, ...others] = episodes.filter(({ manifest }) => manifest.action !== undefined);
  if (first === undefined) return null;
  const expected = meaning(first.manifest.action!);
  for (const { path, manifest } of others) {
    const found = meaning(manifest.action!);
    if (found === expected) continue;
    throw new RangeError(
      `Cannot put ${path} and ${first.path} into one collection: an action must mean ${expected} in ` +
        `both, current value is ${found}. Build one of them again with the other's options.`,
    );
  }
  return first.manifest.action!;
}

/** What two episodes must share; how they were searched for (tolerance, compat) is no part of it. */
function meaning({ kind, hz, dimensions, units, euler, angles }: ActionRepresentation): string {
  return JSON.stringify({ kind, hz, dimensions, units, euler, angles });
}
