import { basename, dirname, join } from "node:path";
import { isFile } from "../../formats/_path.ts";
import { syncFolder, writeAll } from "../../formats/_partial_file.ts";
import { clearQuarantine } from "./_quarantine.ts";
import { scanShard, SHARD_MAGIC, ShardFile } from "./_shard_file.ts";
import {
  coveredBytes,
  type IndexEntry,
  indexPath,
  readShardIndex,
  writeShardIndex,
} from "./_shard_index.ts";

/** A shard that has grown beyond it takes no more records. */
export const SHARD_BYTES = 256 * 2 ** 20;

/** A record to be written. */
export interface EncodedRecord {
  readonly key: string;
  readonly record: Uint8Array;
  /** Bytes of the values. */
  readonly bytes: number;
}

/**
 * Appends records to a shard that no other process writes to: the operating system's lock on it is
 * the lease, which ends with the process however it ends. A shard that a killed process left is taken
 * over: its torn end is cut off, and it grows on.
 */
export class ShardWriter implements Disposable {
  readonly path: string;
  readonly #file: Deno.FsFile;
  readonly #entries: IndexEntry[];
  readonly #full: number;
  #end: number;

  private constructor(
    path: string,
    file: Deno.FsFile,
    { entries, end }: Repaired,
    full: number,
  ) {
    this.path = path;
    this.#file = file;
    this.#entries = entries;
    this.#end = end;
    this.#full = full;
  }

  /** Cuts off what killed processes began to write, in all shards without an owner. */
  static recover(folder: string): void {
    for (const { name } of [...Deno.readDirSync(folder)]) {
      if (!name.endsWith(".shard")) continue;
      const path = join(folder, name);
      if (coveredBytes(indexPath(path)) === Deno.statSync(path).size) continue;
      ShardWriter.#adopt(path, Infinity)?.[Symbol.dispose]();
    }
  }

  /** Takes over a shard that has room and no owner, or begins a new one. */
  static open(folder: string, full = SHARD_BYTES): ShardWriter {
    for (const { name } of [...Deno.readDirSync(folder)]) {
      if (!name.endsWith(".shard")) continue;
      const writer = ShardWriter.#adopt(join(folder, name), full);
      if (writer === undefined) continue;
      if (!writer.isFull) return writer;
      writer[Symbol.dispose](); // a full one whose index was missing
    }
    return ShardWriter.create(folder, full);
  }

  /** Begins a new shard. */
  static create(folder: string, full = SHARD_BYTES): ShardWriter {
    for (;;) {
      const unique = crypto.randomUUID().slice(0, 8);
      const path = join(folder, `${Date.now().toString(36)}-${unique}.shard`);
      Deno.openSync(path, { createNew: true, write: true }).close();
      const writer = ShardWriter.#adopt(path, full);
      if (writer === undefined) continue; // another process was faster to adopt it
      syncFolder(folder);
      return writer;
    }
  }

  static #adopt(path: string, full: number): ShardWriter | undefined {
    if (Deno.statSync(path).size >= full && isFile(indexPath(path))) return undefined;
    const file = Deno.openSync(path, { read: true, write: true });
    try {
      if (!file.tryLockSync(true)) {
        file.close();
        return undefined;
      }
      return new ShardWriter(path, file, repair(path, file), full);
    } catch (error) {
      file.close();
      throw error;
    }
  }

  /** Whether it takes more records. */
  get isFull(): boolean {
    return this.#end >= this.#full;
  }

  /**
   * Appends records; when it returns they are on the disk.
   *
   * @returns offset of each
   * @throws when the disk is full or fails; then none of them is there
   */
  append(records: readonly EncodedRecord[]): number[] {
    const start = this.#end;
    const offsets: number[] = [];
    try {
      this.#file.seekSync(start, Deno.SeekMode.Start);
      for (const { record } of records) {
        writeAll(this.#file, record);
        offsets.push(this.#end);
        this.#end += record.length;
      }
      this.#file.syncDataSync();
    } catch (error) {
      this.#end = start;
      this.#file.truncateSync(start);
      throw error;
    }
    records.forEach(({ key, bytes }, i) => this.#entries.push({ key, bytes, offset: offsets[i]! }));
    return offsets;
  }

  /** Writes the index and gives the shard back. */
  [Symbol.dispose](): void {
    try {
      writeShardIndex(indexPath(this.path), { covered: this.#end, entries: this.#entries });
    } finally {
      this.#file.close();
    }
  }
}

interface Repaired {
  readonly entries: IndexEntry[];
  readonly end: number;
}

/** Cuts off what a killed process began to write. */
function repair(path: string, file: Deno.FsFile): Repaired {
  using shard = new ShardFile(path);
  const size = shard.bytes;
  if (size < SHARD_MAGIC.length) {
    file.truncateSync(0);
    writeAll(file, SHARD_MAGIC);
    file.syncSync();
    return { entries: [], end: SHARD_MAGIC.length };
  }
  const index = readShardIndex(indexPath(path), size);
  const entries = [...index?.entries ?? []];
  const from = index?.covered ?? 0;
  const { end } = scanShard(
    shard,
    from,
    ({ key, bytes }, offset) => entries.push({ key, bytes, offset }),
    true,
  );
  if (end < size) {
    file.truncateSync(end);
    file.syncSync();
    // What comes to lie there now is sound.
    clearQuarantine(join(dirname(path), "..", "quarantine"), basename(path), end);
  }
  return { entries, end };
}
