import { constants, crc32, deflateRawSync } from "node:zlib";
import { combineCrc32 } from "./_crc32.ts";
import { writeAll } from "./_partial_file.ts";

/** Sizes from here on are written in zip64 fields, as Python's zipfile does. */
const ZIP64_LIMIT = 2 ** 31 - 1;
const ZIP64_COUNT = 0xffff;
/** What is deflated at a time; each block can be unpacked once the ones before it were. */
const BLOCK = 1 << 20;
/** 1980-01-01 00:00, the earliest there is: equal arrays give equal files. */
const DATE = (1 << 5) | 1;
/** "FB", as PyTorch marks the field whose only purpose is its length. */
const PADDING_FIELD = 0x4246;
const VERSION = 45, UNIX = 3, PERMISSIONS = 0o600, UTF8_NAME = 0x800;

interface Written {
  readonly name: Uint8Array;
  readonly method: number;
  readonly crc: number;
  readonly size: number;
  readonly compressedSize: number;
  readonly offset: number;
  /** Bytes of the field that aligns the data, 0 for none. */
  readonly padding: number;
}

/** A zip archive that is being written, one entry after another. */
export interface ZipWriter {
  /**
   * Begins an entry.
   *
   * @param head its first bytes; `end` may give others of the same number in their place
   */
  begin(name: string, head: Uint8Array): void;
  write(bytes: Uint8Array): void;
  end(head: Uint8Array): void;
  /** Writes the directory. */
  finish(): void;
}

/** How an archive is laid out. */
export interface ZipForm {
  /** Bytes of which the place of stored data is a multiple. Default any place. */
  readonly alignment?: number;
  /** Lower limits let small archives have the form of huge ones. */
  readonly bytes?: number;
  readonly count?: number;
}

/**
 * Writes a zip archive as Python's zipfile writes one for NumPy: sizes in a zip64 field of each
 * local header, a fixed date.
 */
export function createZipWriter(
  file: Pick<Deno.FsFile, "writeSync" | "seekSync">,
  compressed: boolean,
  form: ZipForm = {},
): ZipWriter {
  const limit = form.bytes ?? ZIP64_LIMIT, countLimit = form.count ?? ZIP64_COUNT;
  const entries: Written[] = [];
  let offset = 0, at = 0, size = 0, crc = 0, headBytes = 0, padding = 0;
  let name = new Uint8Array(0);
  const held = new Uint8Array(compressed ? BLOCK : 0);
  let heldBytes = 0;

  const put = (bytes: Uint8Array) => {
    writeAll(file, bytes);
    at += bytes.length;
  };
  const deflate = (bytes: Uint8Array, last: boolean) =>
    put(
      deflateRawSync(bytes, { finishFlush: last ? constants.Z_FINISH : constants.Z_SYNC_FLUSH }),
    );
  const hold = (bytes: Uint8Array) => {
    for (let done = 0; done < bytes.length;) {
      if (heldBytes === 0 && bytes.length - done > BLOCK) {
        deflate(bytes.subarray(done, done += BLOCK), false);
        continue;
      }
      const part = bytes.subarray(done, done + BLOCK - heldBytes);
      held.set(part, heldBytes);
      done += part.length;
      heldBytes += part.length;
      if (heldBytes < BLOCK) continue;
      deflate(held, false);
      heldBytes = 0;
    }
  };
  /** Writes at a place before the end. */
  const patch = (place: number, bytes: Uint8Array) => {
    file.seekSync(place, Deno.SeekMode.Start);
    writeAll(file, bytes);
    file.seekSync(at, Deno.SeekMode.Start);
  };

  return {
    begin(text, head) {
      name = new TextEncoder().encode(text);
      offset = at;
      size = crc = heldBytes = 0;
      headBytes = head.length;
      padding = paddingBytes(offset + localBytes(name, 0), form.alignment);
      const method = compressed ? 8 : 0;
      put(localHeader({ name, method, crc, size: 0, compressedSize: 0, offset, padding }));
      put(compressed ? storedBlocks(head) : head);
    },
    write(bytes) {
      crc = crc32(bytes, crc);
      size += bytes.length;
      if (compressed) hold(bytes);
      else put(bytes);
    },
    end(head) {
      if (compressed) deflate(held.subarray(0, heldBytes), true);
      const start = offset + localBytes(name, padding);
      const entry = {
        name,
        method: compressed ? 8 : 0,
        crc: combineCrc32(crc32(head), crc, size),
        size: headBytes + size,
        compressedSize: at - start,
        offset,
        padding,
      };
      patch(start, compressed ? storedBlocks(head) : head);
      patch(offset, localHeader(entry));
      entries.push(entry);
    },
    finish() {
      const start = at;
      for (const entry of entries) put(centralHeader(entry, limit));
      put(endRecords(entries.length, start, at - start, limit, countLimit));
    },
  };
}

/** Deflate blocks that hold bytes as they are (RFC 1951, 3.2.4), so that they can be changed later. */
function storedBlocks(bytes: Uint8Array): Uint8Array {
  const blocks = Math.ceil(bytes.length / 0xffff);
  const result = new Uint8Array(bytes.length + 5 * blocks);
  for (let i = 0; i < blocks; i++) {
    const part = bytes.subarray(i * 0xffff, (i + 1) * 0xffff), at = i * (0xffff + 5);
    const view = new DataView(result.buffer, at, 5);
    view.setUint16(1, part.length, true);
    view.setUint16(3, ~part.length & 0xffff, true);
    result.set(part, at + 5);
  }
  return result;
}

function localBytes(name: Uint8Array, padding: number): number {
  return 30 + name.length + 20 + padding;
}

/** Bytes of a field that moves what follows it to a multiple of `alignment`. */
function paddingBytes(start: number, alignment = 1): number {
  const rest = start % alignment;
  if (rest === 0) return 0;
  // The field's own header takes 4.
  return rest + 4 > alignment ? 2 * alignment - rest : alignment - rest;
}

function flagsOf(name: Uint8Array): number {
  return name.some((byte) => byte > 0x7f) ? UTF8_NAME : 0;
}

/** APPNOTE 4.3.7; the sizes stand in a zip64 field (4.5.3), so that they can be written last. */
function localHeader(entry: Written): Uint8Array {
  const { name, method, crc, size, compressedSize, padding } = entry;
  const bytes = new Uint8Array(localBytes(name, padding)), view = new DataView(bytes.buffer);
  view.setUint32(0, 0x04034b50, true);
  view.setUint16(4, VERSION, true);
  view.setUint16(6, flagsOf(name), true);
  view.setUint16(8, method, true);
  view.setUint16(12, DATE, true);
  view.setUint32(14, crc, true);
  view.setUint32(18, 0xffffffff, true);
  view.setUint32(22, 0xffffffff, true);
  view.setUint16(26, name.length, true);
  view.setUint16(28, 20 + padding, true);
  bytes.set(name, 30);
  zip64Field(view, 30 + name.length, [size, compressedSize]);
  if (padding > 0) {
    view.setUint16(50 + name.length, PADDING_FIELD, true);
    view.setUint16(52 + name.length, padding - 4, true);
  }
  return bytes;
}

/** APPNOTE 4.3.12. */
function centralHeader(entry: Written, limit: number): Uint8Array {
  const { name, method, crc, size, compressedSize, offset } = entry;
  const isLarge = size > limit || compressedSize > limit, isFar = offset > limit;
  const large = [...(isLarge ? [size, compressedSize] : []), ...(isFar ? [offset] : [])];
  const extra = large.length === 0 ? 0 : 4 + 8 * large.length;
  const bytes = new Uint8Array(46 + name.length + extra), view = new DataView(bytes.buffer);
  view.setUint32(0, 0x02014b50, true);
  view.setUint8(4, VERSION);
  view.setUint8(5, UNIX);
  view.setUint16(6, VERSION, true);
  view.setUint16(8, flagsOf(name), true);
  view.setUint16(10, method, true);
  view.setUint16(14, DATE, true);
  view.setUint32(16, crc, true);
  view.setUint32(20, isLarge ? 0xffffffff : compressedSize, true);
  view.setUint32(24, isLarge ? 0xffffffff : size, true);
  view.setUint16(28, name.length, true);
  view.setUint16(30, extra, true);
  view.setUint32(38, PERMISSIONS << 16, true);
  view.setUint32(42, isFar ? 0xffffffff : offset, true);
  bytes.set(name, 46);
  if (extra > 0) zip64Field(view, 46 + name.length, large);
  return bytes;
}

function zip64Field(view: DataView, at: number, values: readonly number[]): void {
  view.setUint16(at, 1, true);
  view.setUint16(at + 2, 8 * values.length, true);
  values.forEach((value, i) => view.setBigUint64(at + 4 + 8 * i, BigInt(value), true));
}

/** APPNOTE 4.3.14 to 4.3.16. */
function endRecords(
  count: number,
  start: number,
  size: number,
  limit: number,
  countLimit: number,
): Uint8Array {
  const isLarge = count > countLimit || start > limit || size > limit;
  const bytes = new Uint8Array(22 + (isLarge ? 56 + 20 : 0)), view = new DataView(bytes.buffer);
  let at = 0;
  if (isLarge) {
    view.setUint32(0, 0x06064b50, true);
    view.setBigUint64(4, 44n, true);
    view.setUint16(12, VERSION, true);
    view.setUint16(14, VERSION, true);
    [count, count, size, start].forEach((value, i) =>
      view.setBigUint64(24 + 8 * i, BigInt(value), true)
    );
    view.setUint32(56, 0x07064b50, true);
    view.setBigUint64(64, BigInt(start + size), true);
    view.setUint32(72, 1, true);
    at = 76;
  }
  view.setUint32(at, 0x06054b50, true);
  view.setUint16(at + 8, Math.min(count, 0xffff), true);
  view.setUint16(at + 10, Math.min(count, 0xffff), true);
  view.setUint32(at + 12, Math.min(size, 0xffffffff), true);
  view.setUint32(at + 16, Math.min(start, 0xffffffff), true);
  return bytes;
}
