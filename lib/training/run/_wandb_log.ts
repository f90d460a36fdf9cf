/**
 * The log of `.wandb` files: LevelDB's (doc/log_format.md there) with a header of its own and CRC-32
 * instead of CRC-32C.
 */
import { crc32 } from "node:zlib";

/** `:W&B`, a magic number, version 0. */
export const LOG_HEADER = Uint8Array.of(0x3a, 0x57, 0x26, 0x42, 0xe1, 0xbe, 0);

const BLOCK = 32768, PIECE_HEADER = 7;
const FULL = 1, FIRST = 2, MIDDLE = 3, LAST = 4;

/**
 * A record as it stands in the log: pieces that do not cross blocks.
 *
 * @param at byte offset in the file at which it will stand
 */
export function logPieces(record: Uint8Array, at: number): Uint8Array {
  const pieces: Uint8Array[] = [];
  let place = at;
  const append = (bytes: Uint8Array) => {
    pieces.push(bytes);
    place += bytes.length;
  };
  for (let done = 0, isFirst = true; isFirst || done < record.length; isFirst = false) {
    if (BLOCK - place % BLOCK < PIECE_HEADER) append(new Uint8Array(BLOCK - place % BLOCK));
    const room = BLOCK - place % BLOCK - PIECE_HEADER;
    const data = record.subarray(done, done + room);
    done += data.length;
    const isLast = done === record.length;
    append(piece(data, isFirst ? isLast ? FULL : FIRST : isLast ? LAST : MIDDLE));
  }
  return concatenate(pieces);
}

/** A whole record of a log. */
export interface LogRecord {
  /** Byte offset at which the next one begins. */
  readonly end: number;
  /** Its contents. */
  readonly data: Uint8Array;
}

/** The records of a log up to the first that is damaged or cut; none if it is no log. */
export function* readLog(bytes: Uint8Array): Generator<LogRecord> {
  if (LOG_HEADER.some((byte, i) => bytes[i] !== byte)) return;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let pieces: Uint8Array[] = [];
  for (let at = LOG_HEADER.length;;) {
    const left = BLOCK - at % BLOCK;
    if (left < PIECE_HEADER) at += left;
    if (at + PIECE_HEADER > bytes.length) return;
    const start = at + PIECE_HEADER, end = start + view.getUint16(at + 4, true);
    if (end > bytes.length || checksum(bytes.subarray(at + 6, end)) !== view.getUint32(at, true)) {
      return;
    }
    const type = bytes[at + 6]!;
    if ((type === FULL || type === FIRST) !== (pieces.length === 0)) return;
    pieces.push(bytes.subarray(start, end));
    if (type === FULL || type === LAST) {
      yield { end, data: concatenate(pieces) };
      pieces = [];
    }
    at = end;
  }
}

function piece(data: Uint8Array, type: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(PIECE_HEADER + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(4, data.length, true);
  bytes[6] = type;
  bytes.set(data, PIECE_HEADER);
  view.setUint32(0, checksum(bytes.subarray(6)), true);
  return bytes;
}

/** Of type and data. */
function checksum(bytes: Uint8Array): number {
  return crc32(bytes) >>> 0;
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0]!;
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
