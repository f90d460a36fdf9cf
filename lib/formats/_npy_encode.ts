import { reverseWords } from "./_byte_order.ts";
import { dtypeOfName, elementCount } from "./_dtype.ts";
import { refuse } from "./_fail.ts";
import { dtypeOfData, layoutOf, type NpyField, type NpyLayout } from "./_npy_dtype.ts";
import { structuredLayout } from "./_npy_dtype.ts";
import type { NpyInput } from "./npy_types.ts";

/** An input whose dtype, shape and data belong together. */
export interface CheckedArray {
  readonly layout: NpyLayout;
  readonly shape: readonly number[];
  /** The bytes as the file will have them; where possible those of the input itself. */
  readonly bytes: Uint8Array;
}

/**
 * Checks an array and gives its bytes as an `.npy` file has them.
 *
 * @throws {TypeError} when dtype, shape and data do not belong together
 */
export function encodeElements(array: NpyInput): CheckedArray {
  const { data } = array;
  if (Array.isArray(data)) return encodeTexts(array, data as readonly string[]);
  if (typeof data !== "object" || data === null) refuse("it has no data", data);
  if (!ArrayBuffer.isView(data)) return encodeColumns(array);
  const own = dtypeOfData(data) ?? refuse("its data are of an unknown class", className(data));
  const layout = layoutOf(array.dtype ?? own) ?? refuse("its dtype is unknown", array.dtype);
  checkClass(layout, data);
  const shape = checkShape(array.shape ?? [data.length], data.length / numbersOf(layout), layout);
  const bytes = numberBytes(layout, data);
  return { layout, shape, bytes };
}

/** Throws when typed data are not of the class that the dtype has. */
export function checkClass(layout: NpyLayout, data: unknown): void {
  const fits = layout.kind === "number"
    ? dtypeOfName(layout.name)!.holds(data)
    : layout.kind === "time" && data instanceof BigInt64Array;
  if (!fits) refuse(`its data should be those of ${layout.name}`, className(data));
  if (layout.name !== "bool") return;
  const wrong = (data as Uint8Array).findIndex((value) => value > 1);
  if (wrong >= 0) {
    refuse(`element ${wrong} of a bool array should be 0 or 1`, (data as Uint8Array)[wrong]);
  }
}

/** Numbers in one element: 2 for complex dtypes, else 1. */
export function numbersOf(layout: NpyLayout): number {
  return layout.kind === "number" ? dtypeOfName(layout.name)!.words : 1;
}

/** The bytes of typed data in the file's byte order, without a copy on little-endian machines. */
export function numberBytes(layout: NpyLayout, data: ArrayBufferView): Uint8Array {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (!layout.swapped) return bytes;
  const copy = new Uint8Array(bytes);
  reverseWords(copy.buffer, 0, copy.length, layout.wordBytes);
  return copy;
}

function encodeTexts(array: NpyInput, texts: readonly string[]): CheckedArray {
  const name = array.dtype ?? "U";
  const code = name[0] as "U" | "S";
  const layout = layoutOf(name === "U" || name === "S" ? `${code}${widest(texts, code)}` : name);
  if (layout === undefined || (layout.kind !== "text" && layout.kind !== "bytes")) {
    return refuse("its data are texts, its dtype should be U or S with a width", array.dtype);
  }
  const shape = checkShape(array.shape ?? [texts.length], texts.length, layout);
  return { layout, shape, bytes: textBytes(layout, texts) };
}

/** The width that all texts fit into; what is no text is refused later. */
function widest(texts: readonly string[], code: "U" | "S"): number {
  return texts.reduce(
    (width, text) => Math.max(width, code === "U" ? points(`${text}`) : `${text}`.length),
    1,
  );
}

function points(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

/** Texts of a fixed width, filled up with zeros. */
export function textBytes(layout: NpyLayout, texts: readonly string[]): Uint8Array {
  const width = layout.bytes / layout.wordBytes;
  const limit = layout.kind === "text" ? 0x10ffff : 0xff;
  const values = layout.kind === "text"
    ? new Uint32Array(texts.length * width)
    : new Uint8Array(texts.length * width);
  texts.forEach((text, i) => {
    if (typeof text !== "string") refuse(`element ${i} should be a text`, typeof text);
    let at = i * width;
    for (const character of text) {
      const point = character.codePointAt(0)!;
      if (at === (i + 1) * width) refuse(`text ${i} should fit into ${layout.name}`, quoted(text));
      if (point > limit) refuse(`text ${i} of ${layout.name} should hold bytes`, quoted(text));
      values[at++] = point;
    }
    // Zeros at the end cannot be told from the filling.
    if (text.endsWith("\0")) refuse(`text ${i} should not end with a zero`, quoted(text));
  });
  return numberBytes(layout, values);
}

function encodeColumns(array: NpyInput): CheckedArray {
  if (array.dtype !== undefined && array.dtype !== "structured") {
    refuse("its data are columns, its dtype should be structured", array.dtype);
  }
  const columns = Object.entries(array.data as Readonly<Record<string, NpyInput>>)
    .map(([name, column]) => ({ name, ...encodeElements(column) }));
  const shape = array.shape ?? columns[0]?.shape ?? refuse("it has no columns", "{}");
  const fields: NpyField[] = [];
  let bytes = 0;
  for (const { name, layout, shape: full } of columns) {
    const own = full.slice(shape.length);
    if (name === "") refuse("its columns should have names", '""');
    if (layout.kind === "structured") refuse(`column ${name} should not have columns itself`, name);
    if (own.includes(0) || shape.some((size, axis) => size !== full[axis])) {
      refuse(`the shape of column ${name} should begin with ${shape}`, full);
    }
    const field = own.reduce((product, size) => product * size, layout.bytes);
    fields.push({ name, layout, shape: own, offset: bytes, bytes: field });
    bytes += field;
  }
  const count = elementCount(shape), result = new Uint8Array(count * bytes);
  fields.forEach((field, k) => {
    const column = columns[k]!.bytes;
    for (let i = 0, from = 0; i < count; i++) {
      const to = i * bytes + field.offset;
      for (let byte = 0; byte < field.bytes; byte++) result[to + byte] = column[from++]!;
    }
  });
  return { layout: structuredLayout(fields, bytes), shape, bytes: result };
}

function checkShape(shape: readonly number[], found: number, layout: NpyLayout): readonly number[] {
  const count = elementCount(shape);
  if (Number.isNaN(count)) refuse("its shape should be sizes from 0", `[${shape}]`);
  if (count !== found) {
    refuse(`shape [${shape}] of ${layout.name} should have ${count} elements`, found);
  }
  return shape;
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 40));
}

function className(data: unknown): string {
  return (data as object | null)?.constructor?.name ?? typeof data;
}
