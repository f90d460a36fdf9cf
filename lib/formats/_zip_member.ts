import { crc32 } from "node:zlib";
import { createInflate, type Inflate } from "./_inflate.ts";
import type { RandomAccessFile } from "./random_access_file.ts";
import { failZip, zipDataOffset, type ZipEntry } from "./zip.ts";

/** The unpacked bytes of a member, best read from front to back. */
export interface MemberStream extends RandomAccessFile {
  /** After all was read once from front to back: compares size and CRC-32. */
  finish(): void;
}

/** Packed bytes held at a time, and bytes checked at a time while they are in the cache. */
const PIECE = 1 << 18;
/** Deflate never unpacks to more than this many times its size (zlib's technical details). */
const MAX_RATIO = 1032;

/** The bytes of a stored member at any place; closing it leaves the archive open. */
export function storedMember(archive: RandomAccessFile, entry: ZipEntry): RandomAccessFile {
  const start = zipDataOffset(archive, entry);
  const readInto = (target: ArrayBufferView, offset: number) => {
    if (offset + target.byteLength > entry.size) outside(archive, start, entry, offset, target);
    archive.readInto(target, start + offset);
  };
  return memberFile(archive, entry, readInto, () => {});
}

/**
 * The bytes of a member from front to back, stored or deflated. Going on further back skips, going
 * forth begins anew.
 */
export function streamMember(archive: RandomAccessFile, entry: ZipEntry): MemberStream {
  const { path } = archive;
  const start = zipDataOffset(archive, entry);
  const { name, compressedSize, size } = entry;
  if (entry.method === 8 && size > (compressedSize + 1) * MAX_RATIO) {
    failZip(path, start, `${name} cannot unpack to ${size} bytes`, `${compressedSize} bytes`);
  }
  let position = 0, crc = 0;
  let packed = emptyPacked();
  let inflate: Inflate | undefined;

  const begin = () => {
    position = crc = 0;
    packed = emptyPacked();
    inflate?.[Symbol.dispose]();
    inflate = undefined;
  };
  const step = (target: Uint8Array, last: boolean): number => {
    inflate ??= createInflate();
    if (packed.bytes.length === 0 && packed.read < compressedSize) {
      const length = Math.min(PIECE, compressedSize - packed.read);
      packed.bytes = packed.buffer.subarray(0, length);
      archive.readInto(packed.bytes, start + packed.read);
      packed.read += length;
    }
    try {
      const { taken, given } = inflate.step(packed.bytes, target, last);
      packed.bytes = packed.bytes.subarray(taken);
      if (taken + given > 0 || last) return given;
    } catch (error) {
      return damaged(`${name} holds damaged deflate data`, (error as Error).message);
    }
    return damaged(`${name} should hold ${size} bytes`, `${position} bytes`);
  };
  const damaged = (state: string, value: unknown) => {
    const at = start + packed.read - packed.bytes.length;
    return failZip(path, at, state, value);
  };
  /** The next bytes, all of them checked while they are in the processor's cache. */
  const fill = (target: Uint8Array) => {
    for (let done = 0; done < target.length;) {
      const piece = target.subarray(done, done + PIECE);
      let given = piece.length;
      if (entry.method === 0) archive.readInto(piece, start + position);
      else given = step(piece, false);
      crc = crc32(piece.subarray(0, given), crc);
      position += given;
      done += given;
    }
  };
  const readInto = (target: ArrayBufferView, offset: number) => {
    const { buffer, byteOffset, byteLength } = target;
    if (offset + byteLength > size) outside(archive, start, entry, offset, target);
    if (offset < position) begin();
    const scratch = new Uint8Array(Math.min(PIECE, offset - position));
    while (position < offset) fill(scratch.subarray(0, offset - position));
    fill(new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength));
    if (position === size) finish();
  };
  const finish = () => {
    if (entry.method === 8) {
      const over = new Uint8Array(1);
      while (packed.read < compressedSize || packed.bytes.length > 0) {
        const before = packed.read - packed.bytes.length;
        if (step(over, true) > 0) damaged(`${name} should hold ${size} bytes`, "more");
        if (packed.read - packed.bytes.length === before) {
          damaged(`${name} ends before its data do`, `${before} of ${compressedSize} bytes`);
        }
      }
      if (step(over, true) > 0) damaged(`${name} should hold ${size} bytes`, "more");
    }
    if (position !== size) damaged(`${name} should hold ${size} bytes`, position);
    if (crc !== entry.crc32) {
      damaged(`${name} should have the CRC-32 ${hex(entry.crc32)}`, hex(crc));
    }
  };
  return { ...memberFile(archive, entry, readInto, begin), finish };
}

interface Packed {
  readonly buffer: Uint8Array<ArrayBuffer>;
  /** What was read and not yet unpacked. */
  bytes: Uint8Array<ArrayBuffer>;
  /** Bytes read from the archive. */
  read: number;
}

function emptyPacked(): Packed {
  return { buffer: new Uint8Array(PIECE), bytes: new Uint8Array(0), read: 0 };
}

function memberFile(
  archive: RandomAccessFile,
  entry: ZipEntry,
  readInto: (target: ArrayBufferView, offset: number) => void,
  close: () => void,
): RandomAccessFile {
  return {
    path: `${archive.path}, member ${entry.name}`,
    bytes: entry.size,
    read(offset, length) {
      const target = new Uint8Array(length);
      readInto(target, offset);
      return target;
    },
    readInto,
    close,
    [Symbol.dispose]: close,
  };
}

function outside(
  archive: RandomAccessFile,
  start: number,
  entry: ZipEntry,
  offset: number,
  target: ArrayBufferView,
): never {
  failZip(
    archive.path,
    start,
    `${entry.name} should hold ${offset + target.byteLength} bytes`,
    `${entry.size} bytes`,
  );
}

function hex(value: number): string {
  return value.toString(16).padStart(8, "0");
}
