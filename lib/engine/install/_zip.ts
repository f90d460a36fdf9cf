import { Buffer } from "node:buffer";
import { createReadStream } from "node:fs";
import { crc32, createInflateRaw } from "node:zlib";

/** One file inside a zip archive, as its central directory describes it. */
export interface ZipEntry {
  readonly name: string;
  /** 0 stored, 8 deflate. */
  readonly method: number;
  readonly flags: number;
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
 * @throws {SyntaxError} with path and byte offset when the archive is damaged or of a kind that is
 * not read here (encrypted, split over several files)
 */
export async function readZipDirectory(path: string): Promise<ZipEntry[]> {
  using file = await Deno.open(path);
  const bytes = (await file.stat()).size;
  const tailStart = Math.max(0, bytes - END_BYTES - 0xffff);
  const tail = await readAt(file, path, tailStart, bytes - tailStart);
  const at = findEnd(tail);
  if (at < 0) {
    fail(path, bytes, "the archive has no end record, it may be cut short", `${bytes} bytes`);
  }
  const endOffset = tailStart + at;
  let count = tail.getUint16(at + 10, true);
  let size = tail.getUint32(at + 12, true);
  let start = tail.getUint32(at + 16, true);
  if (tail.getUint16(at + 4, true) !== 0 && tail.getUint16(at + 4, true) !== 0xffff) {
    fail(path, endOffset + 4, "it is split over several files", tail.getUint16(at + 4, true));
  }
  if (count === 0xffff || size === 0xffffffff || start === 0xffffffff) {
    const zip64 = await readEnd64(file, path, endOffset);
    if (zip64 !== undefined) [count, size, start] = zip64;
  }
  if (start + size > endOffset) {
    fail(path, endOffset, "its directory lies outside the file", `${start} + ${size} bytes`);
  }
  if (size > MAX_DIRECTORY_BYTES) fail(path, start, "its directory is too large", `${size} bytes`);
  return parseDirectory(await readAt(file, path, start, size), path, start, count);
}

/**
 * The contents of one entry, piece by piece; never more than a few hundred kilobytes in memory.
 * The last piece is given only after size and CRC-32 were compared.
 *
 * @throws {SyntaxError} when the data are damaged
 */
export async function* readZipEntry(
  path: string,
  entry: ZipEntry,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, void> {
  if ((entry.flags & 1) !== 0) {
    fail(path, entry.headerOffset, `${entry.name} is encrypted`, `flags ${entry.flags}`);
  }
  if (entry.method !== 0 && entry.method !== 8) {
    fail(path, entry.headerOffset, `${entry.name} is packed in an unknown way`, entry.method);
  }
  const start = await dataOffset(path, entry);
  let crc = 0, size = 0;
  let held: Uint8Array<ArrayBuffer> | undefined;
  for await (const piece of inflated(path, entry, start)) {
    size += piece.length;
    if (size > entry.size) break;
    crc = crc32(piece, crc);
    if (held !== undefined) yield held;
    held = piece;
  }
  if (size !== entry.size) {
    fail(path, start, `${entry.name} should hold ${entry.size} bytes`, `${size} or more bytes`);
  }
  if (crc !== entry.crc32) {
    fail(path, start, `${entry.name} should have the CRC-32 ${hex(entry.crc32)}`, hex(crc));
  }
  if (held !== undefined) yield held;
}

async function* inflated(path: string, entry: ZipEntry, start: number) {
  if (entry.compressedSize === 0) {
    // createReadStream cannot read an empty range.
    if (entry.method === 8) fail(path, start, `${entry.name} has no deflate data`, "0 bytes");
    return;
  }
  const source = createReadStream(path, {
    start,
    end: start + entry.compressedSize - 1,
    highWaterMark: 1 << 20,
  });
  try {
    if (entry.method === 0) {
      for await (const piece of source) yield plain(piece as Buffer);
      return;
    }
    const inflate = createInflateRaw({ chunkSize: 1 << 18 });
    source.on("error", (error) => inflate.destroy(error));
    source.pipe(inflate);
    for await (const piece of inflate) yield plain(piece as Buffer);
    if (inflate.bytesWritten !== entry.compressedSize) {
      fail(path, start, `${entry.name} ends before its data do`, `${inflate.bytesWritten} bytes`);
    }
  } catch (error) {
    if (error instanceof SyntaxError) throw error;
    const code = (error as { code?: string }).code ?? "";
    if (!code.startsWith("Z_") && !code.startsWith("ERR_")) throw error;
    fail(path, start, `${entry.name} holds damaged deflate data`, (error as Error).message);
  } finally {
    source.destroy();
  }
}

function plain(buffer: Buffer): Uint8Array<ArrayBuffer> {
  return new Uint8Array(buffer.buffer as ArrayBuffer, buffer.byteOffset, buffer.byteLength);
}

async function dataOffset(path: string, entry: ZipEntry): Promise<number> {
  using file = await Deno.open(path);
  const header = await readAt(file, path, entry.headerOffset, LOCAL_BYTES);
  if (header.getUint32(0, true) !== LOCAL) {
    fail(path, entry.headerOffset, `${entry.name} has no local header`, header.getUint32(0, true));
  }
  const start = entry.headerOffset + LOCAL_BYTES + header.getUint16(26, true) +
    header.getUint16(28, true);
  const bytes = (await file.stat()).size;
  if (start + entry.compressedSize > bytes) {
    fail(path, start, `${entry.name} runs past the end of the file`, `${bytes} bytes`);
  }
  return start;
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

async function readEnd64(
  file: Deno.FsFile,
  path: string,
  endOffset: number,
): Promise<[count: number, size: number, start: number] | undefined> {
  if (endOffset < LOCATOR_BYTES) return undefined;
  const locator = await readAt(file, path, endOffset - LOCATOR_BYTES, LOCATOR_BYTES);
  if (locator.getUint32(0, true) !== LOCATOR64) return undefined;
  const at = toNumber(locator.getBigUint64(8, true), path, endOffset);
  if (at + END64_BYTES > endOffset) {
    fail(path, endOffset, "its zip64 end record lies outside the file", at);
  }
  const end = await readAt(file, path, at, END64_BYTES);
  if (end.getUint32(0, true) !== END64) {
    fail(path, at, "its zip64 end record is damaged", hex(end.getUint32(0, true)));
  }
  return [32, 40, 48].map((field) => toNumber(end.getBigUint64(field, true), path, at)) as [
    number,
    number,
    number,
  ];
}

function parseDirectory(view: DataView, path: string, start: number, count: number): ZipEntry[] {
  const entries: ZipEntry[] = [];
  for (let at = 0; entries.length < count;) {
    if (at + CENTRAL_BYTES > view.byteLength || view.getUint32(at, true) !== CENTRAL) {
      fail(path, start + at, `its directory should hold ${count} entries`, entries.length);
    }
    const nameBytes = view.getUint16(at + 28, true), extraBytes = view.getUint16(at + 30, true);
    const next = at + CENTRAL_BYTES + nameBytes + extraBytes + view.getUint16(at + 32, true);
    if (next > view.byteLength) {
      fail(path, start + at, "an entry of its directory is cut short", `${view.byteLength} bytes`);
    }
    entries.push(parseEntry(view, at, nameBytes, extraBytes, path, start));
    at = next;
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
  const name = new TextDecoder().decode(
    new Uint8Array(view.buffer as ArrayBuffer, view.byteOffset + at + CENTRAL_BYTES, nameBytes),
  );
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
          fail(path, start + field, `the zip64 sizes of ${name} are cut short`, fieldEnd - field);
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

async function readAt(
  file: Deno.FsFile,
  path: string,
  offset: number,
  length: number,
): Promise<DataView<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  await file.seek(offset, Deno.SeekMode.Start);
  for (let done = 0; done < length;) {
    const read = await file.read(bytes.subarray(done));
    if (read === null) fail(path, offset + done, "the file ends too early", `${done} bytes`);
    done += read;
  }
  return new DataView(bytes.buffer);
}

function toNumber(value: bigint, path: string, at: number): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) fail(path, at, "a size is impossible", value);
  return Number(value);
}

function hex(value: number): string {
  return (value >>> 0).toString(16).padStart(8, "0");
}

function fail(path: string, offset: number, state: string, value: unknown): never {
  throw new SyntaxError(
    `Cannot read the archive ${path} at byte ${offset}: ${state}, current value is ${value}.`,
  );
}
