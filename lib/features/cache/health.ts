import { recordBytes } from "./_record.ts";
import type { EpisodePlan, FeaturePlan } from "./plan.ts";
import { readCacheSettings } from "./settings.ts";
import type { FeatureStore } from "./store.ts";

/** The stored features of an episode, in the order of its observations. */
export interface EpisodeHealth {
  /** Path of the episode. */
  readonly path: string;
  /** `(K)` times of its observations, s. */
  readonly time: Float64Array<ArrayBuffer>;
  /** Different images among the observations, all cameras together. */
  readonly images: number;
  /** Different features that they need. */
  readonly features: number;
  /** Observations whose feature is there and intact. */
  readonly present: number;
  /** `(K)` mean L2 norm of the tokens; NaN where there is no feature. */
  readonly norm: Float64Array<ArrayBuffer>;
  /** `(K)` cosine with the observation before, NaN for the first and where one is missing. */
  readonly cosine: Float64Array<ArrayBuffer>;
  /** Observations of other images than the one before whose feature is the same to the bit. */
  readonly frozen: number;
}

/** What a cache holds of what a plan asks for, and whether it looks as features should. */
export interface FeatureHealth {
  /** Features that are asked for. */
  readonly planned: number;
  /** Those that are there and intact. */
  readonly present: number;
  /** Those that are damaged or in quarantine. */
  readonly damaged: number;
  /** Observations whose images cannot be read. */
  readonly failures: number;
  /** Bytes of the records that are asked for. */
  readonly bytes: number;
  /** Bytes of all shards, of other plans too. */
  readonly storeBytes: number;
  /** Bytes that the shards may take. */
  readonly limitBytes: number;
  /** By episode, in the plan's order. */
  readonly episodes: readonly EpisodeHealth[];
}

/**
 * Reads all stored features of a plan and looks at them: how many are there, how long they are, and how
 * much they change from one observation to the next. Features that stay the same although the images
 * change were made of the wrong images, however good their checksums are.
 *
 * @param plan which features
 * @param store where they are; damaged ones go into quarantine, as always when they are read
 * @returns figures and curves
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { featureHealth, FeatureStore, pixel2048, planFeatures } from "../mod.ts";
 *
 * const folder = Deno.makeTempDirSync();
 * using store = FeatureStore.open(folder);
 * const { planned, present } = featureHealth(await planFeatures([], pixel2048(), folder), store);
 * assert.deepEqual([planned, present], [0, 0]);
 * ```
 */
export function featureHealth(plan: FeaturePlan, store: FeatureStore): FeatureHealth {
  const { extractor: { width, dtype }, items, failures } = plan;
  const episodes = plan.episodes.map((episode) => episodeHealth(episode, plan, store));
  const damaged = store.quarantined;
  return {
    planned: items.length,
    present: items.filter(({ key }) => store.has(key)).length,
    damaged: items.filter(({ key }) => damaged.has(key)).length,
    failures: failures.length,
    bytes: items.reduce((sum, { tokens }) => sum + recordBytes(tokens, width, dtype), 0),
    storeBytes: store.size.bytes,
    limitBytes: readCacheSettings(plan.folder).limitBytes,
    episodes,
  };
}

function episodeHealth(
  { episode, observations }: EpisodePlan,
  { extractor }: FeaturePlan,
  store: FeatureStore,
): EpisodeHealth {
  const count = observations.length;
  const norm = new Float64Array(count).fill(NaN), cosine = new Float64Array(count).fill(NaN);
  let before: Float32Array | undefined, keyBefore = "", present = 0, frozen = 0;
  observations.forEach(({ key }, i) => {
    const feature = store.read(key, extractor), values = feature?.values;
    if (feature !== undefined) {
      present++;
      norm[i] = meanNorm(feature.values, feature.tokens);
    }
    if (values !== undefined && before?.length === values.length) {
      cosine[i] = cosineOf(before, values);
      if (key !== keyBefore && values.every((value, k) => value === before![k])) frozen++;
    }
    [before, keyBefore] = [values, key];
  });
  const images = observations.flatMap(({ digests }) => digests.filter((digest) => digest !== null));
  return {
    path: episode.path,
    time: Float64Array.from(observations, ({ time }) => time),
    images: new Set(images).size,
    features: new Set(observations.map(({ key }) => key)).size,
    ...{ present, norm, cosine, frozen },
  };
}

function meanNorm(values: Float32Array, tokens: number): number {
  const width = values.length / tokens;
  let sum = 0;
  for (let token = 0; token < tokens; token++) {
    let squares = 0;
    for (let i = token * width; i < (token + 1) * width; i++) squares += values[i]! ** 2;
    sum += Math.sqrt(squares);
  }
  return sum / tokens;
}

function cosineOf(a: Float32Array, b: Float32Array): number {
  let product = 0, squaresA = 0, squaresB = 0;
  for (let i = 0; i < a.length; i++) {
    product += a[i]! * b[i]!;
    squaresA += a[i]! ** 2;
    squaresB += b[i]! ** 2;
  }
  return product / Math.sqrt(squaresA * squaresB);
}
