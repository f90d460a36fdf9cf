import { crc32 } from "node:zlib";
import type { Feature, FeatureDtype } from "../extractor.ts";
import { BYTES, decodeValues, encodeValues } from "./_values.ts";

/**
 * A record of a shard: 64 bytes of header, then the values, filled up to a multiple of 8.
 *
 *    0 magic · 4 CRC-32 of bytes 8 to 63 · 8 key (32 bytes) · 40 type · 44 tokens · 48 width
 *   52 visual tokens · 56 CRC-32 of the values · 60 0
 */
export const HEADER = 64;
export const ALIGNMENT = 8;
const MAGIC = 0x31524654; // "TFR1"
const DTYPES: readonly FeatureDtype[] = ["float32", "float16", "bfloat16"];
/** No feature has more values: guards against headers that say nonsense. */
const MOST_VALUES = 2 ** 28;

/** What the header of a record says. */
export interface RecordHeader {
  readonly key: string;
  readonly dtype: FeatureDtype;
  readonly tokens: number;
  readonly width: number;
  readonly visualTokens: number;
  /** Bytes of the values. */
  readonly bytes: number;
  readonly crc: number;
}

/** Bytes of a record with so many bytes of values. */
export function paddedBytes(bytes: number): number {
  return Math.ceil((HEADER + bytes) / ALIGNMENT) * ALIGNMENT;
}

/** Bytes a feature takes in a shard. */
export function recordBytes(tokens: number, width: number, dtype: FeatureDtype): number {
  return paddedBytes(tokens * width * BYTES[dtype]);
}

export function encodeRecord(
  key: string,
  { tokens, visualTokens, values }: Feature,
  dtype: FeatureDtype,
): Uint8Array {
  const width = values.length / tokens;
  const record = new Uint8Array(recordBytes(tokens, width, dtype));
  const payload = encodeValues(values, dtype);
  record.set(payload, HEADER);
  const view = new DataView(record.buffer);
  view.setUint32(0, MAGIC, true);
  record.set(Uint8Array.fromHex(key), 8);
  view.setUint8(40, DTYPES.indexOf(dtype));
  view.setUint32(44, tokens, true);
  view.setUint32(48, width, true);
  view.setUint32(52, visualTokens, true);
  view.setUint32(56, crc32(payload), true);
  view.setUint32(4, crc32(record.subarray(8, HEADER)), true);
  return record;
}

/** The header at a place of some bytes, undefined where none is. */
export function decodeHeader(bytes: Uint8Array, at = 0): RecordHeader | undefined {
  if (at + HEADER > bytes.length) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, HEADER);
  if (view.getUint32(0, true) !== MAGIC) return undefined;
  if (crc32(bytes.subarray(at + 8, at + HEADER)) !== view.getUint32(4, true)) return undefined;
  const dtype = DTYPES[view.getUint8(40)];
  const tokens = view.getUint32(44, true), width = view.getUint32(48, true);
  if (dtype === undefined || tokens * width === 0 || tokens * width > MOST_VALUES) return undefined;
  return {
    key: bytes.subarray(at + 8, at + 40).toHex(),
    dtype,
    tokens,
    width,
    visualTokens: view.getUint32(52, true),
    bytes: tokens * width * BYTES[dtype],
    crc: view.getUint32(56, true),
  };
}

/** Whether the values that follow a header are those that were written. */
export function isIntact(header: RecordHeader, payload: Uint8Array): boolean {
  return payload.length === header.bytes && crc32(payload) === header.crc;
}

/** `(tokens, width)` of a record's values. */
export function decodeFeature(header: RecordHeader, payload: Uint8Array<ArrayBuffer>): Feature {
  const { tokens, visualTokens, width, dtype } = header;
  const values = new Float32Array(tokens * width);
  decodeValues(payload, dtype, values);
  return { tokens, visualTokens, values };
}
