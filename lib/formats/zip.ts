import type { RandomAccessFile } from "./random_access_file.ts";

/** One file inside a zip archive, as its central directory describes it. */
export interface ZipEntry {
  /** Path inside the archive. */
  readonly name: string;
  /** 0 stored, 8 deflate. */
  readonly method: number;
  /** General purpose bits; bit 0 is set when it is encrypted. */
  readonly flags: number;
  /** Check sum of the unpacked bytes. */
  readonly crc32: number;
  /** Bytes inside the archive. */
  readonly compressedSize: number;
  /** Bytes when unpacked. */
  readonly size: number;
  /** Byte offset of the local header. */
  readonly headerOffset: number;
  /** Unix permission bits, 0 when the archive holds none. */
  readonly mode: number;
}

const END = 0x06054b50, END64 = 0x06064b50, LOCATOR64 = 0x07064b50;
const CENTRAL = 0x02014b50, LOCAL = 0x04034b50;
const END_BYTES = 22, LOCATOR_BYTES = 20, END64_BYTES = 56, CENTRAL_BYTES = 46, LOCAL_BYTES = 30;
/** A directory larger than this is not one of ours: refuse rather than fill the memory. */
const MAX_DIRECTORY_BYTES = 256 * 2 ** 20;

/**
 * Reads the central directory of a zip archive (with or without zip64).
 *
 * Format: PKWARE APPNOTE.TXT 6.3.10, sections 4.3.12 to 4.3.16.
 *
 * @param file the open archive
 * @returns its entries, in the directory's order
 * @throws {SyntaxError} with path and byte offset when the archive is damaged or of a kind that is
 * not read here (split over several files)
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { openRandomAccess, readZipDirectory, writeNpz } from "./mod.ts";
 *
 * const path = `${Deno.makeTempDirSync()}/arrays.npz`;
 * writeNpz(path, { pose: { data: new Float32Array(6) } });
 * using file = openRandomAccess(path);
 * assert.deepEqual(readZipDirectory(file).map(({ name, size }) => [name, size]), [
 *   ["pose.npy", 128 + 6 * 4],
 * ]);
 * ```
 */
export function readZipDirectory(file: RandomAccessFile): ZipEntry[] {
  const { path, bytes } = file;
  const tailStart = Math.max(0, bytes - END_BYTES - 0xffff);
  const tail = readView(file, tailStart, bytes - tailStart);
  const at = findEnd(tail);
  if (at < 0) {
    failZip(path, bytes, "the archive has no end record, it may be cut short", `${bytes} bytes`);
  }
  const endOffset = tailStart + at;
  let count = tail.getUint16(at + 10, true);
  let size = tail.getUint32(at + 12, true);
  let start = tail.getUint32(at + 16, true);
  if (tail.getUint16(at + 4, true) !== 0 && tail.getUint16(at + 4, true) !== 0xffff) {
    failZip(path, endOffset + 4, "it is split over several files", tail.getUint16(at + 4, true));
  }
  if (count === 0xffff || size === 0xffffffff || start === 0xffffffff) {
    const zip64 = readEnd64(file, endOffset);
    if (zip64 !== undefined) [count, size, start] = zip64;
  }
  if (start + size > endOffset) {
    failZip(path, endOffset, "its directory lies outside the file", `${start} + ${size} bytes`);
  }
  if (size > MAX_DIRECTORY_BYTES) {
    failZip(path, start, "its directory is too large", `${size} bytes`);
  }
  return parseDirectory(readView(file, start, size), path, start, count);
}

/**
 * Where the data of an entry begin.
 *
 * @returns byte offset in the archive
 * @throws {SyntaxError} when the entry is encrypted, packed in a way that is not read here, or its
 * local header is not there
 */
export function zipDataOffset(file: RandomAccessFile, entry: ZipEntry): number {
  const { path, bytes } = file;
  const { name, headerOffset, method, compressedSize, size } = entry;
  if ((entry.flags & 1) !== 0) {
    failZip(path, headerOffset, `${name} is encrypted`, `flags ${entry.flags}`);
  }
  if (method !== 0 && method !== 8) {
    failZip(path, headerOffset, `${name} is packed in an unknown way`, `method ${method}`);
  }
  if (headerOffset + LOCAL_BYTES > bytes) {
    failZip(path, headerOffset, `${name} lies outside the file`, `${bytes} bytes`);
  }
  const header = readView(file, headerOffset, LOCAL_BYTES);
  if (header.getUint32(0, true) !== LOCAL) {
    failZip(path, headerOffset, `${name} has no local header`, hex(header.getUint32(0, true)));
  }
  const nameBytes = header.getUint16(26, true);
  const start = headerOffset + LOCAL_BYTES + nameBytes + header.getUint16(28, true);
  if (start + compressedSize > bytes) {
    failZip(path, start, `${name} runs past the end of the file`, `${bytes} bytes`);
  }
  const local = decodeName(file.read(headerOffset + LOCAL_BYTES, nameBytes));
  if (local !== name) {
    failZip(path, headerOffset, `${name} should have the same name in its local header`, local);
  }
  if (method === 0 && compressedSize !== size) {
    failZip(path, start, `${name} is stored, it should hold ${size} bytes`, compressedSize);
  }
  return start;
}

/** Ends the reading of a damaged archive. */
export function failZip(path: string, offset: number, state: string, value: unknown): never {
  throw new SyntaxError(
    `Cannot read the archive ${path} at byte ${offset}: ${shown(state)}, current value is ` +
      `${shown(String(value))}.`,
  );
}

/** Names in a damaged archive can be long, and no text at all. */
function shown(text: string): string {
  const plain = text.replaceAll(/\p{Cc}/gu, "\ufffd");
  return plain.length > 200 ? `${plain.slice(0, 200)}…` : plain;
}

/** The last end record whose comment reaches exactly to the end of the file. */
function findEnd(tail: DataView): number {
  for (let at = tail.byteLength - END_BYTES; at >= 0; at--) {
    if (
      tail.getUint32(at, true) === END &&
      at + END_BYTES + tail.getUint16(at + 20, true) === tail.byteLength
    ) return at;
  }
  return -1;
}

function readEnd64(
  file: RandomAccessFile,
  endOffset: number,
): [count: number, size: number, start: number] | undefined {
  const { path } = file;
  if (endOffset < LOCATOR_BYTES) return undefined;
  const locator = readView(file, endOffset - LOCATOR_BYTES, LOCATOR_BYTES);
  if (locator.getUint32(0, true) !== LOCATOR64) return undefined;
  const at = toNumber(locator.getBigUint64(8, true), path, endOffset);
  if (at + END64_BYTES > endOffset) {
    failZip(path, endOffset, "its zip64 end record lies outside the file", at);
  }
  const end = readView(file, at, END64_BYTES);
  if (end.getUint32(0, true) !== END64) {
    failZip(path, at, "its zip64 end record is damaged", hex(end.getUint32(0, true)));
  }
  return [32, 40, 48].map((field) => toNumber(end.getBigUint64(field, true), path, at)) as [
    number,
    number,
    number,
  ];
}

function parseDirectory(view: DataView, path: string, start: number, count: number): ZipEntry[] {
  const entries: ZipEntry[] = [];
  let at = 0;
  while (entries.length < count) {
    if (at + CENTRAL_BYTES > view.byteLength || view.getUint32(at, true) !== CENTRAL) {
      failZip(path, start + at, `its directory should hold ${count} entries`, entries.length);
    }
    const nameBytes = view.getUint16(at + 28, true), extraBytes = view.getUint16(at + 30, true);
    const next = at + CENTRAL_BYTES + nameBytes + extraBytes + view.getUint16(at + 32, true);
    if (next > view.byteLength) {
      failZip(path, start + at, "an entry of its directory is cut short", view.byteLength);
    }
    entries.push(parseEntry(view, at, nameBytes, extraBytes, path, start));
    at = next;
  }
  if (at !== view.byteLength) {
    failZip(path, start + at, `its directory should end after ${count} entries`, "more bytes");
  }
  return entries;
}

function parseEntry(
  view: DataView,
  at: number,
  nameBytes: number,
  extraBytes: number,
  path: string,
  start: number,
): ZipEntry {
  const nameOffset = view.byteOffset + at + CENTRAL_BYTES;
  const name = decodeName(new Uint8Array(view.buffer as ArrayBuffer, nameOffset, nameBytes));
  let size = view.getUint32(at + 24, true);
  let compressedSize = view.getUint32(at + 20, true);
  let headerOffset = view.getUint32(at + 42, true);
  const end = at + CENTRAL_BYTES + nameBytes + extraBytes;
  for (let field = at + CENTRAL_BYTES + nameBytes; field + 4 <= end;) {
    const fieldEnd = field + 4 + view.getUint16(field + 2, true);
    if (view.getUint16(field, true) === 1) {
      // zip64: only the values that did not fit, in this order (section 4.5.3).
      let value = field + 4;
      const take = () => {
        if (value + 8 > Math.min(fieldEnd, end)) {
          failZip(
            path,
            start + field,
            `the zip64 sizes of ${name} are cut short`,
            fieldEnd - field,
          );
        }
        value += 8;
        return toNumber(view.getBigUint64(value - 8, true), path, start + field);
      };
      if (size === 0xffffffff) size = take();
      if (compressedSize === 0xffffffff) compressedSize = take();
      if (headerOffset === 0xffffffff) headerOffset = take();
      break;
    }
    field = fieldEnd;
  }
  return {
    name,
    method: view.getUint16(at + 10, true),
    flags: view.getUint16(at + 8, true),
    crc32: view.getUint32(at + 16, true),
    compressedSize,
    size,
    headerOffset,
    mode: view.getUint8(at + 5) === 3 ? (view.getUint32(at + 38, true) >>> 16) & 0o777 : 0,
  };
}

function decodeName(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}

function readView(file: RandomAccessFile, offset: number, length: number): DataView<ArrayBuffer> {
  return new DataView(file.read(offset, length).buffer);
}

function toNumber(value: bigint, path: string, at: number): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) failZip(path, at, "a size is impossible", value);
  return Number(value);
}

function hex(value: number): string {
  return (value >>> 0).toString(16).padStart(8, "0");
}
