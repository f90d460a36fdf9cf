import { fail } from "./_fail.ts";
import { fromBytes } from "./bytes_file.ts";
import { openRandomAccess, type RandomAccessFile } from "./random_access_file.ts";

/** What a JPEG file says about its image before the image itself. */
export interface JpegHeader {
  /** Pixels per row. */
  readonly width: number;
  /** Rows of pixels. */
  readonly height: number;
  /** Colour components: 1 grey, 3 colour, 4 CMYK. */
  readonly components: number;
  /** Bits per component, 8 or 12 in practice. */
  readonly bits: number;
  /** Whether the image is stored coarse first. */
  readonly progressive: boolean;
  /** Whether the file ends as a JPEG file should (EOI marker); else it was probably cut short. */
  readonly hasEnd: boolean;
}

const SOI = 0xd8, EOI = 0xd9, SOS = 0xda, TEM = 0x01;
/** Headers mostly end before this. */
const HEAD_BYTES = 1024;
/** Segments before the frame header: metadata come in pieces of at most 64 KiB. */
const MAX_SEGMENTS = 10_000;
/** Zeros that some writers append behind the end marker. */
const MAX_PADDING = 64;

/**
 * Reads the header of a JPEG image: a few bytes of the file, whatever its size.
 *
 * Format: ITU-T T.81 (ISO/IEC 10918-1), annex B.
 *
 * @param pathOrBytes the file, or its contents
 * @returns size and kind of the image
 * @throws {SyntaxError} with the byte offset, when it is no JPEG image or ends before its frame header
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { readJpegHeader } from "./mod.ts";
 *
 * const soi = [0xff, 0xd8], eoi = [0xff, 0xd9];
 * const frame = [0xff, 0xc0, 0, 11, 8, 2, 208, 5, 0, 1, 1, 0x11, 0]; // 720 rows of 1280 pixels
 * const { width, height, hasEnd } = readJpegHeader(new Uint8Array([...soi, ...frame, ...eoi]));
 * assert.deepEqual([width, height, hasEnd], [1280, 720, true]);
 * assert.throws(() => readJpegHeader(new Uint8Array(soi)), /at byte 2/);
 * ```
 */
export function readJpegHeader(pathOrBytes: string | Uint8Array): JpegHeader {
  using file = typeof pathOrBytes === "string"
    ? withHead(openRandomAccess(pathOrBytes))
    : fromBytes(pathOrBytes, "the JPEG bytes");
  const start = bytesAt(file, 0, 2);
  if (start[0] !== 0xff || start[1] !== SOI) {
    fail(file.path, 0, "a JPEG file begins with ff d8", hex(start));
  }
  let at = 2;
  for (let segment = 0; segment < MAX_SEGMENTS; segment++) {
    const marker = markerAt(file, at);
    at = marker.end;
    if (marker.code === TEM || (marker.code >= 0xd0 && marker.code <= 0xd7)) continue;
    if (marker.code === SOS || marker.code === EOI || marker.code === SOI) {
      fail(file.path, at - 2, "a frame header should come first", `ff ${hex([marker.code])}`);
    }
    const length = view(bytesAt(file, at, 2)).getUint16(0);
    if (length < 2) fail(file.path, at, "a segment has 2 bytes or more", length);
    if (isFrame(marker.code)) return frame(file, at, length, marker.code);
    at += length;
  }
  fail(file.path, at, `a frame header should stand among ${MAX_SEGMENTS} segments`, "none");
}

/** One read instead of many small ones: what lies in the first bytes is taken from memory. */
function withHead(file: RandomAccessFile): RandomAccessFile {
  const head = file.read(0, Math.min(HEAD_BYTES, file.bytes));
  return {
    ...file,
    read: (offset, length) =>
      offset + length <= head.length
        ? head.slice(offset, offset + length)
        : file.read(offset, length),
  };
}

/** The marker at `at`: one or more ff, then its code. */
function markerAt(file: RandomAccessFile, at: number): { code: number; end: number } {
  let [byte, code] = bytesAt(file, at, 2) as unknown as [number, number];
  if (byte !== 0xff) fail(file.path, at, "a marker begins with ff", hex([byte]));
  let end = at + 2;
  for (; code === 0xff; end++) { // fill bytes
    if (end - at > MAX_SEGMENTS) fail(file.path, at, "a marker should follow", "fill bytes only");
    [code] = bytesAt(file, end, 1) as unknown as [number];
  }
  if (code === 0) fail(file.path, end - 1, "a marker is not ff 00", "ff 00");
  return { code, end };
}

/** SOF0 to SOF15 without DHT, JPG and DAC, which lie among them. */
function isFrame(code: number): boolean {
  return code >= 0xc0 && code <= 0xcf && code !== 0xc4 && code !== 0xc8 && code !== 0xcc;
}

function frame(file: RandomAccessFile, at: number, length: number, code: number): JpegHeader {
  const fields = view(bytesAt(file, at, Math.max(8, length)));
  const bits = fields.getUint8(2), components = fields.getUint8(7);
  const height = fields.getUint16(3), width = fields.getUint16(5);
  if (length !== 8 + 3 * components || components === 0) {
    fail(file.path, at, `a frame header of ${components} components`, `${length} bytes`);
  }
  if (bits < 2 || bits > 16) fail(file.path, at + 2, "it should have 2 to 16 bits", bits);
  if (width === 0) fail(file.path, at + 5, "it should have a width", 0);
  if (height === 0) fail(file.path, at + 3, "it should have a height", 0);
  const progressive = (code & 3) === 2;
  return { width, height, components, bits, progressive, hasEnd: hasEnd(file, at + length) };
}

function hasEnd(file: RandomAccessFile, from: number): boolean {
  const length = Math.min(file.bytes - from, MAX_PADDING + 2);
  const tail = file.read(file.bytes - length, length);
  let end = tail.length;
  while (end > 0 && tail[end - 1] === 0) end--;
  return end >= 2 && tail[end - 2] === 0xff && tail[end - 1] === EOI;
}

function bytesAt(file: RandomAccessFile, at: number, length: number): Uint8Array<ArrayBuffer> {
  if (at + length > file.bytes) {
    const missing = `${Math.max(0, file.bytes - at)} bytes`;
    fail(file.path, at, `${length} bytes should follow`, missing, "The file was cut short.");
  }
  return file.read(at, length);
}

function view(bytes: Uint8Array<ArrayBuffer>): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function hex(bytes: Iterable<number>): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
}
