import type { DatasetGroup, EpisodeDataset, SampleOrder } from "../../datasets/mod.ts";
import type { FeatureBatch } from "../../features/mod.ts";
import type { FeatureRequest } from "../../features/extractor.ts";
import type { TrainableFeatures } from "../../features/trainable.ts";
import { type SensorRead, SensorReader, SensorReadError } from "./_sensor_reader.ts";
import {
  createLoadedBatch,
  type FillableBatch,
  type LoadedBatch,
  type LoadedShape,
  padBatch,
} from "./loaded_batch.ts";

/** Where visual features come from; `DatasetFeatures` is one. */
export interface FeatureSource {
  /** Values per token, D. */
  readonly width: number;
  /** Tokens of the longest feature, S. */
  readonly tokens: number;
  /** Cameras. */
  readonly views: readonly string[];
  /**
   * Reads the features of samples.
   *
   * @param indices of the samples
   */
  readBatch(indices: ArrayLike<number>): Promise<FeatureBatch>;
  /**
   * What the features of samples are made of; asked for where they are computed in training.
   *
   * @param indices of the samples
   */
  requests?(indices: ArrayLike<number>): FeatureRequest[];
}

/** How a {@linkcode Loader} loads. */
export interface LoaderOptions {
  /** Samples per batch, B. */
  readonly batchSize: number;
  /** Features of the same data set; default none. */
  readonly features?: FeatureSource | null;
  /** Prepares images and prompts in place of reading features; default none. */
  readonly visual?: Pick<TrainableFeatures, "read"> | null;
  /** Data sets of the collection, for the confidence in their samples; default none. */
  readonly groups?: readonly DatasetGroup[];
  /** Batches read ahead, each with memory of its own; default 1. With 0 all is read when asked for. */
  readonly prefetch?: number;
  /** Stops the loading. */
  readonly signal?: AbortSignal;
}

/** What loading has cost so far. */
export interface LoaderMetrics {
  /** Batches delivered. */
  readonly batches: number;
  /** How long the loop waited for them, ms. */
  readonly waited: number;
}

/**
 * Loads batches in the order of a sampler. While a batch is used, a thread reads the sensor windows of
 * the next ones, which are nearly all of the bytes; everything else is put in place when a batch is
 * asked for. Memory is that of `prefetch + 1` batches, whatever the size of the data set.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { EpisodeDataset, SequentialOrder } from "../../datasets/mod.ts";
 * import { Loader } from "./mod.ts";
 *
 * const dataset = new EpisodeDataset([{
 *   path: "/data/red/one",
 *   manifest: { name: "one", task: "red", instruction: "Insert the needle" },
 *   robotTime: Float64Array.of(0, 0.1, 0.2),
 *   robotState: new Float32Array(3 * 12),
 *   action: new Float32Array(3 * 7),
 *   actionTime: Float64Array.of(0, 0.1, 0.1, 0.2, 0.2, 0.3),
 *   segment: new Int32Array(3),
 *   images: [],
 *   sensor: null,
 * }]);
 * using loader = new Loader(dataset, new SequentialOrder(dataset.length), { batchSize: 2 });
 * const seen: number[][] = [];
 * for await (const { index, position } of loader.batches(0)) seen.push([...index, position]);
 * assert.deepEqual(seen, [[0, 1, 2], [2, -1, 3]]);
 * ```
 */
export class Loader implements Disposable {
  /** Sizes of one sample. */
  readonly shape: LoadedShape;
  readonly #dataset: EpisodeDataset;
  readonly #order: SampleOrder;
  readonly #options: LoaderOptions;
  /** Of each episode its data set; −1 without. */
  readonly #groupOf: Int32Array;
  readonly #free: FillableBatch[] = [];
  #reader: SensorReader | undefined;
  #isLoading = false;
  #isClosed = false;
  #batches = 0;
  #waited = 0;

  /**
   * Prepares the memory; nothing is read yet.
   *
   * @param dataset whose samples
   * @param order which of them, when
   * @param options batch size, features, data sets, how far ahead
   * @throws {RangeError} when an option is out of range
   */
  constructor(dataset: EpisodeDataset, order: SampleOrder, options: LoaderOptions) {
    const { features = null, groups = [], prefetch = 1, batchSize, visual = null } = options;
    if (!(Number.isSafeInteger(prefetch) && prefetch >= 0)) {
      throw new RangeError(
        `Cannot load batches: prefetch should be a whole number, current value is ${prefetch}.`,
      );
    }
    this.#dataset = dataset;
    this.#order = order;
    this.#options = options;
    const { horizon, views, sensorWindow, proprioceptionWindow } = dataset;
    this.shape = {
      ...{ horizon, views, sensorWindow, proprioceptionWindow },
      tokens: visual === null ? features?.tokens ?? 0 : 0, // else they are computed in training
      visionDim: visual === null ? features?.width ?? 0 : 0,
      visionViews: features?.views ?? [],
    };
    this.#groupOf = new Int32Array(dataset.episodes.length).fill(-1);
    groups.forEach(({ ranges }, g) => ranges.forEach(({ episode }) => this.#groupOf[episode] = g));
    for (let i = 0; i <= prefetch; i++) this.#free.push(createLoadedBatch(batchSize, this.shape));
  }

  /** What loading has cost so far. */
  get metrics(): LoaderMetrics {
    return { batches: this.#batches, waited: this.#waited };
  }

  /**
   * Loads the batches of an epoch. The last one may have fewer samples.
   *
   * @param epoch 0, 1, …
   * @param position samples of the epoch that were used before; default none
   * @returns batches, each valid until the next one is asked for
   * @throws {Error} of the reading, naming sample, episode and action
   * @throws {DOMException} `AbortError` when the signal fires
   * @throws {TypeError} when another epoch is being loaded, or the loader was closed
   */
  async *batches(epoch: number, position = 0): AsyncGenerator<LoadedBatch, void, void> {
    const { signal, batchSize } = this.#options;
    if (this.#isLoading || this.#isClosed) {
      throw new TypeError(
        `Cannot load epoch ${epoch}: the loader should be idle, current value is ` +
          `${this.#isClosed ? "closed" : "loading an epoch; let that end or leave its loop"}.`,
      );
    }
    this.#order.read(epoch, position, new Int32Array(0)); // checks both
    this.#isLoading = true;
    const loading: Promise<FillableBatch>[] = [];
    let next = position;
    const loadAhead = () => {
      while (this.#free.length > 0 && next < this.#order.length) {
        const count = Math.min(batchSize, this.#order.length - next);
        const filled = this.#fill(this.#free.pop()!, epoch, next, count);
        filled.catch(() => {}); // it is thrown when its turn comes
        loading.push(filled);
        next += count;
      }
    };
    try {
      for (;;) {
        const start = performance.now();
        signal?.throwIfAborted();
        loadAhead();
        const batch = await loading[0];
        signal?.throwIfAborted();
        if (batch === undefined) return;
        batch.waited = performance.now() - start;
        this.#waited += batch.waited;
        this.#batches++;
        yield batch;
        this.#free.push((await loading.shift())!);
      }
    } finally {
      for (const outcome of await Promise.allSettled(loading)) {
        const isWhole = outcome.status === "fulfilled"; // else its memory may be lost
        this.#free.push(isWhole ? outcome.value : createLoadedBatch(batchSize, this.shape));
      }
      this.#isLoading = false;
    }
  }

  /** Ends the thread; closing twice is harmless. */
  close(): void {
    this.#isClosed = true;
    this.#reader?.[Symbol.dispose]();
    this.#reader = undefined;
  }

  /** Ends the thread. */
  [Symbol.dispose](): void {
    this.close();
  }

  async #fill(
    batch: FillableBatch,
    epoch: number,
    position: number,
    count: number,
  ): Promise<FillableBatch> {
    const samples = batch.index.subarray(0, count);
    this.#order.read(epoch, position, samples);
    const reads = this.#readRows(batch, samples);
    batch.count = count;
    batch.position = position + count;
    for (let row = 0; row < count; row++) {
      batch.reuse[row] = this.#dataset.reuseStep(samples[row]!);
      const group = this.#groupOf[batch.episode[row]!]!;
      batch.group[row] = Math.max(0, group);
      batch.confidence[row] = this.#options.groups?.[group]?.confidence ?? 1;
      batch.hasSensor[row] = batch.sensorRows[row]! > 0 ? 1 : 0;
    }
    padBatch(batch, count);
    await Promise.all([this.#readSensor(batch, reads), this.#readFeatures(batch, samples)]);
    return batch;
  }

  /** Fills all but features; returns what is left to the thread. */
  #readRows(batch: FillableBatch, samples: Int32Array): SensorRead[] {
    const isAhead = (this.#options.prefetch ?? 1) > 0;
    const rowLength = batch.sensor.length / batch.size;
    const reads: SensorRead[] = [];
    this.#dataset.readBatch(samples, batch, (episode, start, target) => {
      const { file, readRowsInto } = this.#dataset.episodes[episode]!.sensor!;
      const { length, byteOffset } = target, offset = byteOffset / target.BYTES_PER_ELEMENT;
      const row = Math.floor(offset / rowLength);
      if (file !== undefined && isAhead) reads.push({ file, start, offset, length, row });
      else {
        try {
          readRowsInto(start, target);
        } catch (error) {
          throw this.#named(batch, row, error as Error);
        }
      }
    });
    return reads;
  }

  async #readSensor(batch: FillableBatch, reads: readonly SensorRead[]): Promise<void> {
    if (reads.length === 0) return;
    this.#reader ??= new SensorReader();
    try {
      const buffer = await this.#reader.read(batch.sensor.buffer as ArrayBuffer, reads);
      batch.sensor = new Float32Array(buffer);
    } catch (error) {
      if (!(error instanceof SensorReadError)) throw error;
      throw this.#named(batch, error.row, error.cause as Error);
    }
  }

  async #readFeatures(batch: FillableBatch, samples: Int32Array): Promise<void> {
    const { features, visual } = this.#options, { tokens, visionDim } = this.shape;
    if (features === undefined || features === null) return;
    if (visual != null && features.requests !== undefined) {
      batch.visual = await visual.read(features.requests(samples), batch.size);
      return;
    }
    const found = await features.readBatch(samples);
    batch.viewMask.set(found.viewMask);
    for (let row = 0; row < samples.length; row++) {
      const values = found.values.subarray(
        row * found.tokens * visionDim,
        (row + 1) * found.tokens * visionDim,
      );
      const mask = found.tokenMask.subarray(row * found.tokens, (row + 1) * found.tokens);
      batch.vision.set(values, row * tokens * visionDim);
      batch.visionMask.set(mask, row * tokens);
      const end = row * tokens + found.tokens; // a batch's own longest feature may be shorter
      batch.vision.fill(0, end * visionDim, (row + 1) * tokens * visionDim);
      batch.visionMask.fill(0, end, (row + 1) * tokens);
    }
  }

  #named(batch: FillableBatch, row: number, cause: Error): Error {
    const { path } = this.#dataset.episodes[batch.episode[row]!]!;
    const Class = cause.constructor as ErrorConstructor; // what kind of fault it is
    return new Class(
      `Cannot load sample ${batch.index[row]} (${path}, action ${batch.action[row]}): ` +
        cause.message,
      { cause },
    );
  }
}
