import { crc32 } from "node:zlib";
import { writeFileAtomic } from "../../formats/atomic_write.ts";
import { writeAll } from "../../formats/_partial_file.ts";

/**
 * Index of a shard, a file beside it: 16 bytes of magic, bytes covered (float64), number of records
 * (float64); then of each record its offset (float64), bytes of values (float64) and key (32 bytes);
 * CRC-32 of all that in 8 bytes. It can be made again from the shard at any time.
 */
const MAGIC = new TextEncoder().encode("trocar shard idx");
const HEAD = 32, ENTRY = 48, TAIL = 8;

/** Where a record lies. */
export interface IndexEntry {
  readonly key: string;
  readonly offset: number;
  /** Bytes of the values. */
  readonly bytes: number;
}

/** The first part of a shard, in which nothing changes any more. */
export interface ShardIndex {
  /** Its length in bytes. */
  readonly covered: number;
  readonly entries: readonly IndexEntry[];
}

export function indexPath(shard: string): string {
  return shard.replace(/\.shard$/, ".idx");
}

export function writeShardIndex(path: string, { covered, entries }: ShardIndex): void {
  const bytes = new Uint8Array(HEAD + ENTRY * entries.length + TAIL);
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  view.setFloat64(16, covered, true);
  view.setFloat64(24, entries.length, true);
  entries.forEach((entry, i) => {
    const at = HEAD + i * ENTRY;
    view.setFloat64(at, entry.offset, true);
    view.setFloat64(at + 8, entry.bytes, true);
    bytes.set(Uint8Array.fromHex(entry.key), at + 16);
  });
  view.setUint32(bytes.length - TAIL, crc32(bytes.subarray(0, -TAIL)), true);
  writeFileAtomic(path, (file) => writeAll(file, bytes));
}

/** How much of its shard an index says it covers; undefined where there is none. */
export function coveredBytes(path: string): number | undefined {
  try {
    using file = Deno.openSync(path);
    const head = new Uint8Array(HEAD);
    if (file.readSync(head) !== HEAD) return undefined;
    return new DataView(head.buffer).getFloat64(16, true);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** The index of a shard of so many bytes; undefined where it is missing, damaged or of another shard. */
export function readShardIndex(path: string, shardBytes: number): ShardIndex | undefined {
  let bytes: Uint8Array;
  try {
    bytes = Deno.readFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  if (bytes.length < HEAD + TAIL || MAGIC.some((byte, i) => bytes[i] !== byte)) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(bytes.length - TAIL, true) !== crc32(bytes.subarray(0, -TAIL))) {
    return undefined;
  }
  const covered = view.getFloat64(16, true), count = view.getFloat64(24, true);
  if (bytes.length !== HEAD + ENTRY * count + TAIL || covered > shardBytes) return undefined;
  const entries = Array.from({ length: count }, (_, i) => {
    const at = HEAD + i * ENTRY;
    return {
      offset: view.getFloat64(at, true),
      bytes: view.getFloat64(at + 8, true),
      key: bytes.subarray(at + 16, at + ENTRY).toHex(),
    };
  });
  return { covered, entries };
}
