import { join } from "node:path";
import { identify } from "../../datasets/_digest.ts";
import { openEpisode } from "../../episodes/episode.ts";
import type { Location } from "./_catalogue.ts";
import { type IndexHeader, indexName, type PlanIndex, readPlanIndices } from "./_plan_index.ts";
import { paddedBytes } from "./_record.ts";
import type { FeaturePlan } from "./plan.ts";
import { readCacheSettings } from "./settings.ts";

/**
 * Keys of the features that must stay. Removes the indices that need none: of episodes that have
 * changed since, of missing ones if asked for, and, least recently used first, of so many that the
 * rest fits into the limit.
 */
export function neededKeys(
  folder: string,
  locations: ReadonlyMap<string, Location>,
  { keep, dropMissing = false }: { readonly keep?: FeaturePlan; readonly dropMissing?: boolean },
): ReadonlySet<string> {
  const protectedNames = new Set(keep?.episodes.map((episode) => indexName(keep, episode)));
  const remove = ({ name }: PlanIndex) => Deno.removeSync(join(folder, "index", name));
  const indices = readPlanIndices(folder).filter((index) => {
    if (protectedNames.has(index.name)) return true;
    const state = stateOf(index.header);
    if (state === "valid" || (state === "missing" && !dropMissing)) return true;
    remove(index);
    return false;
  });
  const needs = new Map<string, number>();
  const count = (key: string, by: number) => needs.set(key, (needs.get(key) ?? 0) + by);
  for (const { key } of keep?.items ?? []) count(key, 1);
  for (const { keys } of indices) for (const key of new Set(keys)) count(key, 1);
  const sizeOf = (key: string) => {
    const location = locations.get(key);
    return location === undefined ? 0 : paddedBytes(location.bytes);
  };
  let bytes = [...needs.keys()].reduce((sum, key) => sum + sizeOf(key), 0);
  const { limitBytes } = readCacheSettings(folder);
  for (const index of indices.toSorted((a, b) => a.used - b.used)) {
    if (bytes <= limitBytes) break;
    if (protectedNames.has(index.name)) continue;
    remove(index);
    for (const key of new Set(index.keys)) {
      count(key, -1);
      if (needs.get(key) !== 0) continue;
      needs.delete(key);
      bytes -= sizeOf(key);
    }
  }
  return new Set(needs.keys());
}

/** Whether the episode of an index is still the one it was made of. */
function stateOf({ episode: { path, digest, instruction } }: IndexHeader) {
  try {
    using episode = openEpisode(path);
    const isSame = identify(episode).digest === digest &&
      episode.manifest.instruction === instruction;
    return isSame ? "valid" : "changed";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "missing";
    if (error instanceof SyntaxError) return "valid"; // damaged: it may be mended
    throw error;
  }
}
