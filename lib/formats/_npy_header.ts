import { fail } from "./_fail.ts";
import { formatShape, type NpyLayout, parseDescr } from "./_npy_dtype.ts";
import { type Fail, parsePythonLiteral, type PythonLiteral } from "./_python_literal.ts";
import type { RandomAccessFile } from "./random_access_file.ts";

/** What the header of an `.npy` file says. */
export interface NpyHeader {
  readonly layout: NpyLayout;
  readonly shape: readonly number[];
  /** Whether the first axis varies fastest in the file. */
  readonly fortranOrder: boolean;
  /** Number of elements. */
  readonly count: number;
  /** Byte offset of the first element. */
  readonly dataOffset: number;
}

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]; // \x93NUMPY
/** NumPy aligns the data for memory maps. */
const ALIGN = 64;
/** Room that NumPy leaves for a growing first axis: the digits of 2⁶⁴, and one. */
const GROWTH_DIGITS = 21;
/** A header larger than this is damage, not a description. */
const MAX_HEADER_BYTES = 1 << 20;
const MAX_AXES = 64;

/**
 * Reads the header of an `.npy` file and checks that the data after it have the length it says.
 *
 * Format: NumPy's `numpy.lib.format`, versions 1.0, 2.0 and 3.0 (NEP 1).
 *
 * @throws {SyntaxError} with path and byte offset
 */
export function readNpyHeader(file: RandomAccessFile): NpyHeader {
  const { path } = file;
  if (file.bytes < 10) fail(path, 0, "it is too short for an .npy file", `${file.bytes} bytes`);
  const start = file.read(0, 8);
  if (MAGIC.some((byte, i) => start[i] !== byte)) {
    fail(path, 0, "an .npy file should begin with \\x93NUMPY", hex(start.subarray(0, 6)));
  }
  const [major, minor] = [start[6]!, start[7]!];
  if (major < 1 || major > 3 || minor !== 0) {
    fail(path, 6, "its format version should be 1.0, 2.0 or 3.0", `${major}.${minor}`);
  }
  const lengthBytes = major === 1 ? 2 : 4, textOffset = 8 + lengthBytes;
  if (file.bytes < textOffset) fail(path, 8, "its header is cut short", `${file.bytes} bytes`);
  const field = new DataView(file.read(8, lengthBytes).buffer);
  const length = major === 1 ? field.getUint16(0, true) : field.getUint32(0, true);
  if (length > file.bytes - textOffset) {
    fail(path, 8, "its header is cut short", `${file.bytes - textOffset} of ${length} bytes`);
  }
  if (length > MAX_HEADER_BYTES) fail(path, 8, "its header is too large", `${length} bytes`);
  const header = parseHeader(file.read(textOffset, length), major, path, textOffset);
  checkLength(file, header);
  return header;
}

function parseHeader(
  bytes: Uint8Array<ArrayBuffer>,
  version: number,
  path: string,
  offset: number,
): NpyHeader {
  const text = version === 3 ? decodeUtf8(bytes, path, offset) : decodeLatin1(bytes);
  const place: Fail = (at, state, value) => {
    const before = version === 3 ? new TextEncoder().encode(text.slice(0, at)).length : at;
    return fail(path, offset + before, `in its header, ${state}`, value);
  };
  const header = parsePythonLiteral(text, place, version < 3);
  const { descr, fortran_order, shape } = headerValues(header, place);
  const layout = parseDescr(descr, place);
  if (typeof fortran_order !== "boolean") {
    return place(0, "fortran_order should be True or False", JSON.stringify(fortran_order));
  }
  const sizes = checkShape(shape, layout.bytes, place);
  return {
    layout,
    shape: sizes,
    fortranOrder: fortran_order,
    count: sizes.reduce((product, size) => product * size, 1),
    dataOffset: offset + bytes.length,
  };
}

function headerValues(header: PythonLiteral, place: Fail) {
  const entries = typeof header === "object" && header.kind === "dict"
    ? header.entries
    : place(0, "a dict should stand here", JSON.stringify(header).slice(0, 40));
  const keys = entries.map(([key]) => key);
  if (keys.toSorted().join() !== "descr,fortran_order,shape") {
    place(0, "the keys should be descr, fortran_order and shape, each once", keys.join(", "));
  }
  return Object.fromEntries(entries) as Record<
    "descr" | "fortran_order" | "shape",
    PythonLiteral
  >;
}

function checkShape(shape: PythonLiteral, bytes: number, place: Fail): readonly number[] {
  const sizes = typeof shape === "object" && shape.kind === "tuple" ? shape.items : undefined;
  const shown = JSON.stringify(sizes ?? shape);
  if (!sizes?.every((size) => typeof size === "number" && size >= 0)) {
    return place(0, "shape should be a tuple of sizes from 0", shown);
  }
  if (sizes.length > MAX_AXES) place(0, `shape should have at most ${MAX_AXES} axes`, sizes.length);
  // As NumPy does, without the empty axes: (0, 2⁶⁰) is no array either.
  const total = (sizes as number[]).reduce((product, size) => product * (size || 1), bytes);
  if (!Number.isSafeInteger(total)) place(0, "shape is impossibly large", shown);
  return sizes as number[];
}

function checkLength(file: RandomAccessFile, header: NpyHeader): void {
  const { shape, layout, count, dataOffset } = header;
  const expected = count * layout.bytes, found = file.bytes - dataOffset;
  if (found === expected) return;
  fail(
    file.path,
    dataOffset,
    `${expected} bytes of data should follow (${layout.name}, shape ${formatShape(shape)})`,
    `${found} bytes`,
    found < expected
      ? "It was cut short; copy or save it again."
      : "Something was added to it, or its header was changed.",
  );
}

/**
 * The bytes before the data, exactly as NumPy writes them. Their number does not depend on the
 * length of the first axis.
 */
export function encodeNpyHeader(
  layout: NpyLayout,
  shape: readonly number[],
): Uint8Array<ArrayBuffer> {
  const growth = shape.length === 0 ? 0 : GROWTH_DIGITS - String(shape[0]).length;
  const text =
    `{'descr': ${layout.descr}, 'fortran_order': False, 'shape': ${formatShape(shape)}, }` +
    " ".repeat(growth);
  const isLatin1 = [...text].every((character) => character.codePointAt(0)! <= 0xff);
  const body = isLatin1
    ? Uint8Array.from(text, (character) => character.charCodeAt(0))
    : new TextEncoder().encode(text);
  for (const version of isLatin1 ? [1, 2] : [3]) {
    const textOffset = version === 1 ? 10 : 12;
    // NumPy adds a whole block of spaces where none is needed.
    const unpadded = textOffset + body.length + 1;
    const length = unpadded + ALIGN - unpadded % ALIGN - textOffset;
    if (version === 1 && length > 0xffff) continue;
    const bytes = new Uint8Array(textOffset + length).fill(0x20);
    bytes.set([...MAGIC, version, 0]);
    const view = new DataView(bytes.buffer);
    if (version === 1) view.setUint16(8, length, true);
    else view.setUint32(8, length, true);
    bytes.set(body, textOffset);
    bytes[bytes.length - 1] = 0x0a;
    return bytes;
  }
  throw new RangeError("Cannot write the header of an array: its dtype has too many fields.");
}

function decodeUtf8(bytes: Uint8Array, path: string, offset: number): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return fail(path, offset, "its header should be UTF-8", `bytes that are not`);
  }
}

/** Not TextDecoder's "latin1", which is windows-1252. */
function decodeLatin1(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 4096) {
    text += String.fromCharCode(...bytes.subarray(at, at + 4096));
  }
  return text;
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
}
