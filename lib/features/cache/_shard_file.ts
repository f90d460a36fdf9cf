import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import {
  ALIGNMENT,
  decodeHeader,
  HEADER,
  isIntact,
  paddedBytes,
  type RecordHeader,
} from "./_record.ts";

/** First bytes of a shard. */
export const SHARD_MAGIC = new TextEncoder().encode("trocar features\n");
/** Bytes looked at at once in search of the next record. */
const CHUNK = 2 ** 20;

/** A shard open for reading; another process may append to it meanwhile. */
export class ShardFile implements Disposable {
  readonly path: string;
  #descriptor: number | undefined;

  constructor(path: string) {
    this.path = path;
    this.#descriptor = openSync(path, "r");
  }

  /** Bytes it has now. */
  get bytes(): number {
    return fstatSync(this.#descriptor!).size;
  }

  /** Bytes from a place; fewer where the file ends. */
  read(offset: number, length: number): Uint8Array<ArrayBuffer> {
    const target = new Uint8Array(length);
    let done = 0;
    while (done < length) {
      const read = readSync(this.#descriptor!, target, done, length - done, offset + done);
      if (read === 0) break;
      done += read;
    }
    return target.subarray(0, done);
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** What a scan came upon. */
export interface Scan {
  /** Byte behind the last whole record: where the next one begins. */
  readonly end: number;
  /** Bytes between records that are no record. */
  readonly damaged: number;
}

/**
 * Finds the whole records from a place to the end of a shard. What is no record, because a process
 * was killed while it wrote or the disk forgot, is passed over.
 *
 * @param checksValues whether records whose values are damaged count as no record
 */
export function scanShard(
  shard: ShardFile,
  from: number,
  onRecord: (header: RecordHeader, offset: number) => void,
  checksValues = false,
): Scan {
  const size = shard.bytes;
  let end = Math.max(from, SHARD_MAGIC.length), damaged = 0;
  for (let at: number | undefined = end; at !== undefined && at + HEADER <= size;) {
    const header = decodeHeader(shard.read(at, HEADER));
    const next = header && at + paddedBytes(header.bytes);
    const isWhole = next !== undefined && next <= size &&
      (!checksValues || isIntact(header!, shard.read(at + HEADER, header!.bytes)));
    if (!isWhole) {
      at = nextHeader(shard, at + ALIGNMENT, size);
      continue;
    }
    onRecord(header!, at);
    damaged += at - end;
    end = at = next;
  }
  return { end, damaged };
}

function nextHeader(shard: ShardFile, from: number, size: number): number | undefined {
  for (let start = from; start + HEADER <= size; start += CHUNK) {
    const bytes = shard.read(start, CHUNK + HEADER);
    for (let at = 0; at < CHUNK && at + HEADER <= bytes.length; at += ALIGNMENT) {
      if (decodeHeader(bytes, at) !== undefined) return start + at;
    }
  }
  return undefined;
}
