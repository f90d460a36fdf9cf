import type { EpisodeData } from "../../datasets/_episode.ts";
import { observationAction } from "../../datasets/image_choice.ts";
import type { SampleTable } from "../../datasets/sample_table.ts";
import type { Feature, FeatureExtractor, FeatureRequest } from "../extractor.ts";
import { buildCommand } from "./_build_command.ts";
import { collate, type Row } from "./_collate.ts";
import { assertRoom } from "./_room.ts";
import { loadRequest } from "./_request.ts";
import type { CacheMode, FeatureBatch, FeatureMetrics } from "./feature_batch.ts";
import { FeatureMissError, type MissingFeature } from "./miss_error.ts";
import { type FeaturePlan, planFeatures, type PlanItem, type PlanOptions } from "./plan.ts";
import { recordBytes } from "./_record.ts";
import { problemOf } from "./_validate.ts";
import { touchPlanIndex, writePlanIndex } from "./_plan_index.ts";
import { FeatureStore } from "./store.ts";

/** How the features of a data set are read. */
export interface DatasetFeaturesOptions extends Omit<PlanOptions, "reuse"> {
  /** Default strict. */
  readonly mode?: CacheMode;
  /**
   * What is read stays in memory if all features of the data set together have no more bytes than
   * this; default 1 GB.
   */
  readonly memoryBytes?: number;
}

/** What is read of a data set; an `EpisodeDataset` is one. */
export interface ObservedDataset {
  /** Open episodes. */
  readonly episodes: readonly EpisodeData[];
  /** Where samples begin. */
  readonly samples: SampleTable;
  /** Consecutive starts that share one observation, R. */
  readonly visionReuse: number;
  /** Actions from looking to the first use of what was seen; default 0. */
  readonly visionDelay?: number;
}

const TIMES = 4096;
const MEMORY_BYTES = 1e9;

/**
 * The features of a data set's samples, from the cache.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { EpisodeDataset } from "../../datasets/mod.ts";
 * import { DatasetFeatures, pixel2048 } from "../mod.ts";
 *
 * const dataset = new EpisodeDataset([]);
 * const folder = Deno.makeTempDirSync();
 * using features = await DatasetFeatures.open(dataset, pixel2048(), folder);
 * assert.equal(features.width, 2048);
 * assert.equal(features.metrics.hits, 0);
 * ```
 */
export class DatasetFeatures implements Disposable {
  /** Name of the extractor. */
  readonly name: string;
  /** Values per token, D. */
  readonly width: number;
  /** Cameras, in the order of the columns of `viewMask` and `imageAge`. */
  readonly views: readonly string[];
  /** The most tokens that a feature of the data set has. */
  readonly tokens: number;
  readonly #dataset: ObservedDataset;
  readonly #plan: FeaturePlan;
  readonly #store: FeatureStore;
  readonly #mode: CacheMode;
  /** Of each episode the place of an action's observation, −1 where there is none. */
  readonly #places: readonly Int32Array[];
  readonly #items: ReadonlyMap<string, PlanItem>;
  /** Features that were read, by key; null where they are read anew each time. */
  readonly #kept: Map<string, Feature> | null;
  readonly #times = new Float64Array(TIMES);
  #hits = 0;
  #misses = 0;
  #bytes = 0;

  private constructor(
    dataset: ObservedDataset,
    plan: FeaturePlan,
    store: FeatureStore,
    mode: CacheMode,
    memoryBytes: number,
  ) {
    const { extractor, items, episodes } = plan;
    this.name = extractor.name;
    this.width = extractor.width;
    this.views = extractor.identity.views;
    this.tokens = items.reduce((most, { tokens }) => Math.max(most, tokens), 1);
    this.#dataset = dataset;
    this.#plan = plan;
    this.#store = store;
    this.#mode = mode;
    const values = items.reduce((sum, { tokens }) => sum + tokens * extractor.width, 0);
    const bytes = Float32Array.BYTES_PER_ELEMENT * values;
    this.#kept = bytes <= memoryBytes ? new Map() : null;
    this.#items = new Map(items.map((item) => [item.key, item]));
    this.#places = episodes.map(({ episode, observations }) => {
      const places = new Int32Array(episode.segment.length).fill(-1);
      observations.forEach(({ step }, place) => places[step] = place);
      return places;
    });
  }

  /**
   * Plans the features of a data set. In mode `strict` all of them must be there.
   *
   * @param dataset whose samples
   * @param extractor whose features; frozen
   * @param folder of the cache
   * @param options mode, greatest age of an image
   * @returns the features; close them, or hold them with `using`
   * @throws {FeatureMissError} in mode `strict`, naming what is missing and the command that builds it
   * @throws {TypeError} when parameters behind the features are trained
   */
  static async open(
    dataset: ObservedDataset,
    extractor: FeatureExtractor,
    folder: string,
    options: DatasetFeaturesOptions = {},
  ): Promise<DatasetFeatures> {
    const { mode = "strict", memoryBytes = MEMORY_BYTES, ...planOptions } = options;
    if (extractor.frozen !== true) {
      throw new TypeError(
        `Cannot cache the features of ${extractor.name}: its parameters should be frozen, because ` +
          `features of parameters in training are stale at once, current value is ` +
          `${extractor.frozen}.`,
      );
    }
    const plan = await planFeatures(dataset.episodes, extractor, folder, {
      ...planOptions,
      reuse: dataset.visionReuse,
    });
    const store = mode === "readwrite"
      ? await FeatureStore.openForWriting(folder)
      : FeatureStore.open(folder);
    const features = new DatasetFeatures(dataset, plan, store, mode, memoryBytes);
    try {
      if (mode === "strict") features.#assertComplete();
      const note = mode === "readwrite" ? writePlanIndex : touchPlanIndex;
      if (mode !== "off") plan.episodes.forEach((episode) => note(plan, episode));
    } catch (error) {
      store.close();
      throw error;
    }
    return features;
  }

  /** How reading from the cache went so far; what is kept in memory is read once. */
  get metrics(): FeatureMetrics {
    const sorted = this.#times.slice(0, Math.min(this.#hits, TIMES)).sort();
    const quantile = (share: number) => sorted[Math.floor(share * (sorted.length - 1))] ?? NaN;
    return {
      hits: this.#hits,
      misses: this.#misses,
      corrupt: this.#store.counts.corrupt,
      bytes: this.#bytes,
      p50: quantile(0.5),
      p95: quantile(0.95),
    };
  }

  /**
   * Reads the features of samples.
   *
   * @param indices of the samples
   * @returns features, one row per index
   * @throws {RangeError} when there is no such sample
   * @throws {FeatureMissError} in mode `strict`, when a feature is damaged
   */
  async readBatch(indices: ArrayLike<number>): Promise<FeatureBatch> {
    const rows = Array.from(indices, (index) => ({ index, ...this.#observationOf(index) }));
    const found = new Map<string, Feature>();
    const misses = new Map<string, Row>();
    for (const row of rows) {
      const { key } = row.observation;
      if (found.has(key) || misses.has(key)) continue;
      const feature = this.#read(key);
      if (feature === undefined) misses.set(key, row);
      else found.set(key, feature);
    }
    for (const [key, feature] of await this.#make(misses)) found.set(key, feature);
    return collate(rows, found, this.#plan, this.#dataset.samples);
  }

  /**
   * What the features of samples are made of, with the images in memory.
   *
   * @param indices of the samples
   * @returns one for each index
   * @throws {RangeError} when there is no such sample
   * @throws {Deno.errors.NotFound} when an image is gone
   */
  requests(indices: ArrayLike<number>): FeatureRequest[] {
    const images = new Map<string, Uint8Array>();
    return Array.from(indices, (index) => {
      const { observation } = this.#observationOf(index);
      return loadRequest(this.#plan, this.#items.get(observation.key)!, images);
    });
  }

  /** Closes files; closing twice is harmless. */
  close(): void {
    this.#store.close();
  }

  /** Closes files. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Which samples' features are missing, each step once. */
  #assertComplete(): void {
    const missing = new Map<string, MissingFeature>();
    for (let index = 0; index < this.#dataset.samples.length; index++) {
      const { episode, step, observation } = this.#observationOf(index);
      if (this.#store.has(observation.key)) continue;
      const { path } = this.#plan.episodes[episode]!.episode;
      missing.set(`${episode} ${step}`, { episode: path, step });
    }
    if (missing.size > 0) throw this.#missError([...missing.values()]);
  }

  #missError(missing: readonly MissingFeature[]): FeatureMissError {
    return new FeatureMissError(missing, this.#plan.folder, buildCommand(this.#plan, missing));
  }

  #observationOf(index: number): Omit<Row, "index"> {
    const { samples, visionReuse, visionDelay } = this.#dataset;
    const step = observationAction(samples, index, visionReuse, visionDelay);
    const episode = samples.episode[index]!;
    const { observations, episode: { path } } = this.#plan.episodes[episode]!;
    const observation = observations[this.#places[episode]![step]!];
    if (observation !== undefined) return { episode, step, observation };
    const failure = this.#plan.failures.find((each) => each.episode === path && each.step === step);
    throw new Deno.errors.NotFound(
      `Cannot read the feature of ${path} step ${step}: ${failure?.message}. ` +
        "Restore the image, or leave the episode out.",
    );
  }

  #read(key: string): Feature | undefined {
    if (this.#mode === "off") return undefined;
    const kept = this.#kept?.get(key);
    if (kept !== undefined) return kept;
    const start = performance.now();
    const feature = this.#store.read(key, this.#plan.extractor);
    if (feature === undefined) return undefined;
    this.#times[this.#hits++ % TIMES] = performance.now() - start;
    this.#bytes += feature.values.byteLength;
    this.#kept?.set(key, feature);
    return feature;
  }

  async #make(misses: ReadonlyMap<string, Row>): Promise<Iterable<readonly [string, Feature]>> {
    if (misses.size === 0) return [];
    this.#misses += misses.size;
    const plan = this.#plan, rows = [...misses.values()];
    if (this.#mode === "strict") {
      throw this.#missError(rows.map(({ episode, step }) => ({
        episode: plan.episodes[episode]!.episode.path,
        step,
      })));
    }
    const images = new Map<string, Uint8Array>();
    const requests = rows.map(({ observation: { key } }) =>
      loadRequest(plan, this.#items.get(key)!, images)
    );
    const features = await plan.extractor.extract(requests);
    const made = [...misses.keys()].map((key, i) => [key, features[i]!] as const);
    made.forEach(([key, feature], i) => {
      const problem = problemOf(feature, plan.extractor, requests[i]);
      if (problem !== undefined) {
        throw new RangeError(
          `Cannot use the feature ${key} of ${plan.extractor.name}: ${problem}.`,
        );
      }
    });
    if (this.#mode === "readwrite") {
      const bytes = features.reduce(
        (sum, { tokens }) => sum + recordBytes(tokens, this.width, plan.extractor.dtype),
        0,
      );
      assertRoom(plan.folder, this.#store, bytes);
      this.#store.write(made.map(([key, feature]) => ({ key, feature })), plan.extractor);
    }
    return made;
  }
}
