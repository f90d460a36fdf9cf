import { basename, join } from "node:path";
import type { Feature, FeatureExtractor } from "../extractor.ts";
import { Catalogue } from "./_catalogue.ts";
import { removeDeadPartials } from "./_leftovers.ts";
import { decodeFeature, decodeHeader, encodeRecord, HEADER, isIntact } from "./_record.ts";
import { readCacheSettings, writeCacheSettings } from "./settings.ts";
import { SHARD_BYTES, ShardWriter } from "./_shard_writer.ts";
import { problemOf } from "./_validate.ts";

/** A feature to be stored. */
export interface StoredFeature {
  /** `featureKey`. */
  readonly key: string;
  /** What it is. */
  readonly feature: Feature;
}

/** What a store must know of an extractor to check its features. */
export type FeatureShape = Pick<FeatureExtractor, "width" | "dtype" | "norm">;

/** What a store has done since it was opened. */
export interface StoreCounts {
  /** Records that were found damaged. */
  corrupt: number;
  /** Bytes of records written. */
  written: number;
}

/** What a store holds. */
export interface StoreSize {
  /** Features that can be read. */
  readonly entries: number;
  /** Bytes of all shards. */
  readonly bytes: number;
  /** Shards. */
  readonly shards: number;
  /** Records that stand in a shard a second time. */
  readonly duplicates: number;
  /** Records in quarantine. */
  readonly quarantined: number;
}

/**
 * Features by key in packed shards, one folder for any number of processes. A record is there as a
 * whole or not at all, is checked whenever it is read, and never changes. A damaged one goes into
 * quarantine, which makes it a miss that is built again.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { featureKey, FeatureStore } from "./mod.ts";
 *
 * const folder = Deno.makeTempDirSync();
 * const shape = { width: 3, dtype: "float32", norm: [0, 10] } as const;
 * const key = featureKey("an extractor", "Insert", []);
 * {
 *   using store = await FeatureStore.openForWriting(folder);
 *   const feature = { tokens: 1, visualTokens: 0, values: Float32Array.of(1, 2, 3) };
 *   store.write([{ key, feature }], shape);
 * }
 * using store = FeatureStore.open(folder);
 * assert.deepEqual([...store.read(key, shape)!.values], [1, 2, 3]);
 * assert.equal(store.read(featureKey("another", "Insert", []), shape), undefined);
 * ```
 */
export class FeatureStore implements Disposable {
  /** The folder. */
  readonly folder: string;
  /** What was done since it was opened. */
  readonly counts: StoreCounts = { corrupt: 0, written: 0 };
  readonly #catalogue: Catalogue;
  readonly #shardBytes: number;
  #lock: Deno.FsFile | undefined;
  #writer: ShardWriter | undefined;

  private constructor(folder: string, lock?: Deno.FsFile, shardBytes = SHARD_BYTES) {
    this.folder = folder;
    this.#catalogue = new Catalogue(join(folder, "shards"), join(folder, "quarantine"));
    this.#shardBytes = shardBytes;
    this.#lock = lock;
  }

  /**
   * Opens a store for reading.
   *
   * @param folder of the cache; where there is none, nothing is found in it
   * @returns the store; close it, or hold it with `using`
   * @throws {SyntaxError} when the folder's `cache.json` is damaged or of another version
   */
  static open(folder: string): FeatureStore {
    readCacheSettings(folder);
    const store = new FeatureStore(folder);
    store.refresh();
    return store;
  }

  /**
   * Opens a store for reading and writing. Several processes may do so at once; while another one
   * collects garbage, it waits.
   *
   * @param folder of the cache; made where there is none
   * @param options bytes beyond which a shard takes no more records; default 256 MiB
   * @returns the store; close it, or hold it with `using`
   * @throws {SyntaxError} when the folder's `cache.json` is damaged or of another version
   */
  static async openForWriting(
    folder: string,
    options: { readonly shardBytes?: number } = {},
  ): Promise<FeatureStore> {
    Deno.mkdirSync(join(folder, "shards"), { recursive: true });
    writeCacheSettings(folder, readCacheSettings(folder));
    const lock = Deno.openSync(join(folder, "lock"), { create: true, write: true, read: true });
    await lock.lock(false);
    const store = new FeatureStore(folder, lock, options.shardBytes);
    removeDeadPartials(folder);
    ShardWriter.recover(join(folder, "shards"));
    store.refresh();
    return store;
  }

  /** What it holds. */
  get size(): StoreSize {
    const { locations, bytes, shards, duplicates, quarantine } = this.#catalogue;
    return { entries: locations.size, bytes, shards, duplicates, quarantined: quarantine.size };
  }

  /** Keys of all features that can be read. */
  keys(): IterableIterator<string> {
    return this.#catalogue.locations.keys();
  }

  /** Keys whose records were damaged and that cannot be read. */
  get quarantined(): Set<string> {
    const { quarantine, locations } = this.#catalogue;
    return quarantine.keys.difference(locations);
  }

  /**
   * Whether a feature is there.
   *
   * @param key of the feature
   */
  has(key: string): boolean {
    return this.#catalogue.locations.has(key);
  }

  /**
   * Reads a feature and checks it.
   *
   * @param key of the feature
   * @param shape width, type and range of the norm
   * @returns the feature; undefined when it is not there, or damaged and no longer believed
   */
  read(key: string, shape: FeatureShape): Feature | undefined {
    if (!this.has(key)) return undefined;
    const found = this.#readAt(key) ?? this.#readAgain(key);
    if (found === undefined) {
      this.counts.corrupt++; // its header is damaged, so that nobody will find it again
      return undefined;
    }
    if (found.isIntact) {
      const { header, payload } = found;
      const feature = decodeFeature(header, payload);
      const problem = header.dtype === shape.dtype
        ? problemOf(feature, shape)
        : `its type should be ${shape.dtype}, current value is ${header.dtype}`;
      if (problem === undefined) return feature;
      this.quarantine(key, problem);
    } else {
      this.quarantine(key, "its values do not have the checksum they were written with");
    }
    return undefined;
  }

  /** The record of a key, undefined where there is none of this key. */
  #readAt(key: string) {
    const location = this.#catalogue.locations.get(key);
    if (location === undefined) return undefined;
    const { shard, offset, bytes } = location;
    const record = shard.file.read(offset, HEADER + bytes);
    const header = decodeHeader(record);
    if (header?.key !== key || header.bytes !== bytes) return undefined;
    const payload = record.subarray(HEADER);
    return { header, payload, isIntact: isIntact(header, payload) };
  }

  /** Another process may have put the shards in order meanwhile. */
  #readAgain(key: string) {
    this.#catalogue.forget();
    this.#catalogue.refresh();
    const found = this.#readAt(key);
    if (found === undefined && this.has(key)) {
      this.#catalogue.condemn(key, "its header is damaged");
    }
    return found;
  }

  /**
   * Writes features; when it returns they are on the disk. A key that is there already is left out.
   *
   * @param features any number
   * @param shape width, type and range of the norm
   * @throws {TypeError} when the store was opened for reading
   * @throws {RangeError} naming the key, when a feature is not as it should be; none is written then
   */
  write(features: readonly StoredFeature[], shape: FeatureShape): void {
    if (this.#lock === undefined) {
      throw new TypeError(
        `Cannot write features: the store ${this.folder} was opened for reading.`,
      );
    }
    const fresh = new Map(features.map((stored) => [stored.key, stored.feature]));
    const records = [...fresh].filter(([key]) => !this.has(key)).map(([key, feature]) => {
      const problem = problemOf(feature, shape);
      if (problem !== undefined) {
        throw new RangeError(`Cannot store the feature ${key}: ${problem}.`);
      }
      const record = encodeRecord(key, feature, shape.dtype);
      return { key, record, bytes: decodeHeader(record)!.bytes };
    });
    if (records.length === 0) return;
    if (this.#writer?.isFull) this.#closeWriter();
    this.#writer ??= ShardWriter.open(join(this.folder, "shards"), this.#shardBytes);
    const offsets = this.#writer.append(records);
    const shard = basename(this.#writer.path);
    records.forEach(({ key, bytes, record }, i) => {
      this.#catalogue.add(shard, { key, bytes, offset: offsets[i]! });
      this.counts.written += record.length;
    });
  }

  /**
   * Marks a record as damaged for every process; it is a miss from now on.
   *
   * @param key of the feature
   * @param reason what is wrong with it
   */
  quarantine(key: string, reason: string): void {
    if (!this.has(key)) return;
    this.#catalogue.condemn(key, reason);
    this.counts.corrupt++;
  }

  /** Looks for what other processes have written since. */
  refresh(): void {
    this.#catalogue.refresh();
  }

  /** Closes files and writes the index of its shard; closing twice is harmless. */
  close(): void {
    this.#closeWriter();
    this.#catalogue.forget();
    this.#lock?.close();
    this.#lock = undefined;
  }

  /** Closes it. */
  [Symbol.dispose](): void {
    this.close();
  }

  #closeWriter(): void {
    this.#writer?.[Symbol.dispose]();
    this.#writer = undefined;
  }
}
