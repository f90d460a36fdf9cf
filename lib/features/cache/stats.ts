import { type PlanIndex, readPlanIndices } from "./_plan_index.ts";
import { readCacheSettings } from "./settings.ts";
import type { FeatureStore, StoreSize } from "./store.ts";

/** What a cache holds for an extractor. */
export interface ExtractorStats {
  /** Name of the extractor. */
  readonly name: string;
  /** `extractorDigest`: of one name there may be several, with other cameras for instance. */
  readonly digest: string;
  /** Model and revision. */
  readonly model: string;
  /** Cameras, in the order in which the model sees them. */
  readonly views: readonly string[];
  /** Episodes that were planned. */
  readonly episodes: number;
  /** Their steps that have an observation, each once however many plans name it. */
  readonly observations: number;
  /** Their features, each once. */
  readonly features: number;
  /** Those that are there. */
  readonly present: number;
}

/** What a cache holds. */
export interface CacheStats extends StoreSize {
  /** Its folder. */
  readonly folder: string;
  /** Bytes that its shards may take. */
  readonly limitBytes: number;
  /** By extractor. */
  readonly extractors: readonly ExtractorStats[];
}

/**
 * Says what a cache holds, by extractor.
 *
 * @param store the cache
 * @returns figures
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { cacheStats, FeatureStore } from "./mod.ts";
 *
 * using store = FeatureStore.open(Deno.makeTempDirSync());
 * assert.deepEqual(cacheStats(store).extractors, []);
 * ```
 */
export function cacheStats(store: FeatureStore): CacheStats {
  const { folder } = store;
  const groups = Map.groupBy(readPlanIndices(folder), ({ header }) => header.extractor.digest);
  const extractors = [...groups].map(([digest, indices]) => {
    const { name, model, revision, views } = indices[0]!.header.extractor;
    const keys = new Set(indices.flatMap((index) => index.keys));
    const byEpisode = Map.groupBy(indices, ({ header }) => header.episode.path);
    const stepsOf = (of: readonly PlanIndex[]) => new Set(of.flatMap(({ steps }) => steps)).size;
    return {
      name,
      digest,
      model: `${model} ${revision}`,
      views,
      episodes: byEpisode.size,
      observations: [...byEpisode.values()].reduce((sum, of) => sum + stepsOf(of), 0),
      features: keys.size,
      present: [...keys].filter((key) => store.has(key)).length,
    };
  });
  return { folder, ...readCacheSettings(folder), ...store.size, extractors };
}
