import { join } from "node:path";
import { Catalogue, type Location } from "./_catalogue.ts";
import { removeDeadPartials } from "./_leftovers.ts";
import { neededKeys } from "./_needed_keys.ts";
import { clearQuarantine } from "./_quarantine.ts";
import { decodeHeader, HEADER, isIntact, paddedBytes } from "./_record.ts";
import { SHARD_MAGIC } from "./_shard_file.ts";
import { indexPath } from "./_shard_index.ts";
import { type EncodedRecord, ShardWriter } from "./_shard_writer.ts";
import type { FeaturePlan } from "./plan.ts";

/** Bytes that are copied at once. */
const BLOCK = 8 * 2 ** 20;

/** What garbage collection keeps. */
export interface GarbageOptions {
  /** Its features stay whatever else goes. */
  readonly keep?: FeaturePlan;
  /** Whether features of episodes that are no longer at their place go; default false. */
  readonly dropMissing?: boolean;
  /** Stops between shards. */
  readonly signal?: AbortSignal;
  /** Called before each shard. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** What garbage collection did. */
export interface GarbageReport {
  /** Features that stayed. */
  readonly kept: number;
  /** Features that went because nothing needs them or there was no room. */
  readonly dropped: number;
  /** Damaged records that went. */
  readonly quarantined: number;
  /** Bytes that were freed. */
  readonly bytes: number;
}

/**
 * Puts a cache in order: removes features that no episode's index names any more, damaged and double
 * records, and what killed processes left. Where it is still beyond its limit, the indices that were
 * used least recently go with their features. Readers are not disturbed; while a process builds,
 * it does not begin.
 *
 * @param folder of the cache
 * @param options what is kept
 * @returns what was done
 * @throws {Error} when a process is building
 * @throws {SyntaxError} when an index is damaged, so that nobody knows what it needs
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { collectGarbage, FeatureStore } from "./mod.ts";
 *
 * const folder = Deno.makeTempDirSync();
 * const shape = { width: 1, dtype: "float32", norm: [0, 1] } as const;
 * const feature = { tokens: 1, visualTokens: 0, values: Float32Array.of(1) };
 * {
 *   using store = await FeatureStore.openForWriting(folder);
 *   store.write([{ key: "0".repeat(64), feature }], shape);
 *   await assert.rejects(collectGarbage(folder), /a process is building/);
 * }
 * assert.equal((await collectGarbage(folder)).dropped, 1); // no episode needs it
 * ```
 */
export async function collectGarbage(
  folder: string,
  options: GarbageOptions = {},
): Promise<GarbageReport> {
  const { signal, onProgress } = options;
  const shards = join(folder, "shards"), quarantine = join(folder, "quarantine");
  Deno.mkdirSync(shards, { recursive: true });
  using lock = Deno.openSync(join(folder, "lock"), { create: true, write: true, read: true });
  if (!lock.tryLockSync(true)) {
    throw new Error(
      `Cannot collect garbage in ${folder}: a process is building features there. Wait for its end.`,
    );
  }
  removeDeadPartials(folder);
  const catalogue = new Catalogue(shards, quarantine);
  catalogue.refresh();
  const { locations } = catalogue;
  const before = catalogue.bytes, entries = locations.size;
  const needed = neededKeys(folder, locations, options);
  const copier = new Copier(shards);
  let kept = 0, quarantined = catalogue.quarantine.size;
  try {
    const byShard = Map.groupBy(locations, ([, { shard }]) => shard);
    for (const [done, shard] of catalogue.all.entries()) {
      await new Promise((resume) => setTimeout(resume));
      signal?.throwIfAborted();
      onProgress?.(done, catalogue.shards);
      const records = (byShard.get(shard) ?? []).filter(([key]) => needed.has(key));
      kept += records.length;
      const bytes = records.reduce((sum, [, { bytes }]) => sum + paddedBytes(bytes), 0);
      if (SHARD_MAGIC.length + bytes === shard.file.bytes) continue; // nothing to leave out
      const damaged = copier.copy(records);
      kept -= damaged;
      quarantined += damaged;
      Deno.removeSync(shard.file.path);
      removeIfThere(indexPath(shard.file.path));
      clearQuarantine(quarantine, shard.name, 0);
    }
  } finally {
    copier[Symbol.dispose]();
    catalogue.forget();
  }
  catalogue.refresh();
  const bytes = before - catalogue.bytes;
  catalogue.forget();
  return { kept, dropped: entries - kept, quarantined, bytes };
}

/** Copies records into new shards; when it returns they are on the disk. */
class Copier implements Disposable {
  readonly #folder: string;
  #writer: ShardWriter | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** @returns number of records that were damaged and left out */
  copy(records: readonly (readonly [string, Location])[]): number {
    let damaged = 0, block: EncodedRecord[] = [], bytes = 0;
    for (const [key, location] of records) {
      const record = readRecord(key, location);
      if (record === undefined) {
        damaged++;
        continue;
      }
      block.push({ key, record, bytes: location.bytes });
      bytes += record.length;
      if (bytes < BLOCK) continue;
      this.#append(block);
      [block, bytes] = [[], 0];
    }
    this.#append(block);
    return damaged;
  }

  #append(block: readonly EncodedRecord[]): void {
    if (block.length === 0) return;
    if (this.#writer?.isFull) this[Symbol.dispose]();
    this.#writer ??= ShardWriter.create(this.#folder);
    this.#writer.append(block);
  }

  [Symbol.dispose](): void {
    this.#writer?.[Symbol.dispose]();
    this.#writer = undefined;
  }
}

function readRecord(key: string, { shard, offset, bytes }: Location): Uint8Array | undefined {
  const record = shard.file.read(offset, paddedBytes(bytes));
  const header = decodeHeader(record);
  const isSound = header?.key === key && header.bytes === bytes &&
    isIntact(header, record.subarray(HEADER, HEADER + bytes));
  return isSound ? record : undefined;
}

function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
