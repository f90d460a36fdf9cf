import { elementCount } from "./_dtype.ts";
import { fail } from "./_fail.ts";
import { JsonCursor } from "./_json_cursor.ts";
import { shapeText, TENSOR_DTYPES, type TensorLayout } from "./_tensor_dtype.ts";
import type { RandomAccessFile } from "./random_access_file.ts";
import type { TensorDtype } from "./tensor_types.ts";

/** Names of the format, from the dtype that is written first to the one written last. */
export const CODES = {
  U64: "uint64",
  I64: "int64",
  F64: "float64",
  C64: "complex64",
  F32: "float32",
  U32: "uint32",
  I32: "int32",
  BF16: "bfloat16",
  F16: "float16",
  U16: "uint16",
  I16: "int16",
  F8_E8M0: "float8_e8m0fnu",
  F8_E4M3: "float8_e4m3fn",
  F8_E5M2: "float8_e5m2",
  I8: "int8",
  U8: "uint8",
  BOOL: "bool",
} as const satisfies Readonly<Record<string, TensorDtype>>;

/** As large as the reference implementation allows. */
export const MAX_HEADER_BYTES = 100_000_000;
/** The key of what is not a tensor. */
export const METADATA = "__metadata__";
export const LENGTH_BYTES = 8;

/** Where a tensor lies. */
export interface SafetensorsEntry {
  readonly name: string;
  readonly layout: TensorLayout;
  readonly shape: readonly number[];
  /** Byte offset in the file. */
  readonly start: number;
  /** Byte offset in the file of what follows. */
  readonly end: number;
}

export interface SafetensorsHeader {
  readonly metadata: Readonly<Record<string, string>>;
  /** By name, in the order of the data. */
  readonly entries: ReadonlyMap<string, SafetensorsEntry>;
}

/** Reads and checks the header: every byte after it belongs to exactly one tensor. */
export function readHeader(file: RandomAccessFile): SafetensorsHeader {
  const { path } = file;
  const text = readText(file);
  const cursor = new JsonCursor(text, (index, state, found) => {
    const before = new TextEncoder().encode(text.slice(0, index)).length;
    return fail(path, LENGTH_BYTES + before, state, found);
  });
  const dataStart = LENGTH_BYTES + new TextEncoder().encode(text).length;
  let metadata: Record<string, string> = {};
  const entries: SafetensorsEntry[] = [];
  cursor.object((name, at) => {
    if (name === METADATA) metadata = parseMetadata(cursor);
    else entries.push(parseEntry(cursor, name, at, dataStart));
  });
  cursor.end();
  entries.sort((a, b) => a.start - b.start || a.end - b.end);
  checkCover(file, entries, dataStart);
  return { metadata, entries: new Map(entries.map((entry) => [entry.name, entry])) };
}

function readText(file: RandomAccessFile): string {
  const { path, bytes } = file;
  if (bytes < LENGTH_BYTES + 2) {
    fail(path, 0, "a safetensors file should hold at least 10 bytes", bytes);
  }
  const start = new DataView(file.read(0, LENGTH_BYTES + 1).buffer);
  const length = start.getBigUint64(0, true);
  const limit = Math.min(MAX_HEADER_BYTES, bytes - LENGTH_BYTES);
  if (length > limit) {
    fail(
      path,
      0,
      `its header should hold at most ${limit} bytes`,
      length,
      "It is no safetensors file, or was cut short.",
    );
  }
  const first = String.fromCharCode(start.getUint8(LENGTH_BYTES));
  if (first !== "{") {
    fail(path, LENGTH_BYTES, 'the header should begin with "{"', JSON.stringify(first));
  }
  const header = file.read(LENGTH_BYTES, Number(length));
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(header);
  } catch {
    return fail(path, LENGTH_BYTES, "the header should be UTF-8", "others");
  }
}

function parseMetadata(cursor: JsonCursor): Record<string, string> {
  const metadata: Record<string, string> = Object.create(null);
  cursor.object((key) => metadata[key] = cursor.string());
  return metadata;
}

function parseEntry(
  cursor: JsonCursor,
  name: string,
  at: number,
  dataStart: number,
): SafetensorsEntry {
  const refuse = (state: string, found: string) =>
    cursor.fail(at, `${JSON.stringify(name)} should ${state}`, found);
  let code: string | undefined;
  let shape: number[] | undefined, offsets: number[] | undefined;
  cursor.object((key) => {
    if (key === "dtype") code = cursor.string();
    else if (key === "shape") shape = cursor.naturals();
    else if (key === "data_offsets") offsets = cursor.naturals();
    else refuse("have dtype, shape and data_offsets only", JSON.stringify(key));
  });
  if (code === undefined || shape === undefined || offsets === undefined) {
    return refuse("have dtype, shape and data_offsets", `${code}, ${shape}, ${offsets}`);
  }
  if (!Object.hasOwn(CODES, code)) {
    refuse(`have one of the dtypes ${Object.keys(CODES).join(" ")}`, JSON.stringify(code));
  }
  const layout = TENSOR_DTYPES[CODES[code as keyof typeof CODES]];
  const [start = NaN, end = NaN] = offsets;
  const bytes = elementCount(shape) * layout.bytes;
  if (offsets.length !== 2 || end - start !== bytes) {
    const size = Number.isNaN(bytes) ? "fewer than 2⁵³" : bytes;
    refuse(`take ${size} bytes for ${code} ${shapeText(shape)}`, `data_offsets [${offsets}]`);
  }
  return { name, layout, shape, start: dataStart + start, end: dataStart + end };
}

function checkCover(
  { path, bytes }: RandomAccessFile,
  entries: readonly SafetensorsEntry[],
  dataStart: number,
): void {
  let end = dataStart;
  for (const entry of entries) {
    if (entry.start !== end) {
      const state = entry.start < end ? "overlaps the tensor before it" : "leaves a hole before it";
      const name = JSON.stringify(entry.name);
      fail(path, end, `${name} should begin here but ${state}`, `byte ${entry.start}`);
    }
    end = entry.end;
  }
  if (end !== bytes) {
    const advice = bytes < end ? "It was cut short; copy or write it again." : "";
    fail(path, end, "the file should end here", `${bytes} bytes`, advice);
  }
}
