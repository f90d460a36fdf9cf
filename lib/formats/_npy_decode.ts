import { reverseWords } from "./_byte_order.ts";
import { dtypeOfName } from "./_dtype.ts";
import { fail } from "./_fail.ts";
import type { NpyLayout } from "./_npy_dtype.ts";
import { fortranToC } from "./_transpose.ts";
import type { NpyArray, NpyData } from "./npy_types.ts";

/** Where elements stand in a file, for error messages. */
export interface Place {
  readonly path: string;
  readonly offset: number;
}

/**
 * Turns the bytes of elements into their data.
 *
 * @param buffer the elements as the file has them; may be changed, and becomes part of the result
 * @param shape of these elements
 */
export function decodeElements(
  buffer: ArrayBuffer,
  layout: NpyLayout,
  shape: readonly number[],
  fortranOrder: boolean,
  place: Place,
): NpyData {
  if (layout.name === "bool") checkBooleans(new Uint8Array(buffer), place);
  const ordered = fortranOrder ? fortranToC(buffer, shape, layout.bytes) : buffer;
  if (layout.swapped) reverseWords(ordered, 0, ordered.byteLength, layout.wordBytes);
  const { kind, bytes } = layout;
  if (kind === "structured") return decodeColumns(ordered, layout, shape, place);
  if (kind === "text") return decodeTexts(ordered, bytes / 4, place, layout);
  if (kind === "bytes") return decodeByteTexts(ordered, bytes);
  if (kind === "time") return new BigInt64Array(ordered);
  const dtype = dtypeOfName(layout.name)!;
  return dtype.view(ordered, 0, ordered.byteLength / dtype.wordBytes);
}

/** Whether every byte is 0 or 1, which is all that NumPy writes. */
export function checkBooleans(bytes: Uint8Array, place: Place): void {
  const { buffer, byteOffset, length } = bytes;
  // Four at a time, if they lie so; what is found is looked at again one by one.
  const words = byteOffset % 4 === 0 ? new Uint32Array(buffer, byteOffset, length >> 2) : [];
  let bits = 0;
  for (let i = 0; i < words.length; i++) bits |= words[i]!;
  for (let i = 4 * words.length; i < length; i++) bits |= bytes[i]!;
  if ((bits & 0xfefefefe) === 0) return;
  const at = bytes.findIndex((byte) => byte > 1);
  fail(place.path, place.offset + at, "a bool should be 0 or 1", bytes[at]);
}

function decodeColumns(
  buffer: ArrayBuffer,
  layout: NpyLayout,
  shape: readonly number[],
  place: Place,
): NpyData<"structured"> {
  const elements = new Uint8Array(buffer), count = elements.length / layout.bytes;
  return Object.fromEntries(layout.fields.map(({ name, layout: inner, shape: own, ...field }) => {
    const column = new Uint8Array(count * field.bytes);
    for (let i = 0, to = 0; i < count; i++) {
      const from = i * layout.bytes + field.offset;
      for (let byte = 0; byte < field.bytes; byte++) column[to++] = elements[from + byte]!;
    }
    const fullShape = [...shape, ...own];
    const data = decodeElements(column.buffer, inner, fullShape, false, place);
    return [name, { dtype: inner.name, shape: fullShape, data } as NpyArray];
  }));
}

/** UTF-32 texts of a fixed width, filled up with zeros. */
function decodeTexts(
  buffer: ArrayBuffer,
  width: number,
  place: Place,
  layout: NpyLayout,
): readonly string[] {
  const points = new Uint32Array(buffer);
  const texts = new Array<string>(points.length / width);
  for (let i = 0; i < texts.length; i++) {
    let end = (i + 1) * width;
    while (end > i * width && points[end - 1] === 0) end--;
    let text = "";
    for (let at = i * width; at < end; at++) {
      const point = points[at]!;
      if (point > 0x10ffff) {
        fail(place.path, place.offset, `element ${i} (${layout.name}) should be Unicode`, point);
      }
      text += String.fromCodePoint(point);
    }
    texts[i] = text;
  }
  return texts;
}

/** Byte texts of a fixed width, filled up with zeros; a character per byte. */
function decodeByteTexts(buffer: ArrayBuffer, width: number): readonly string[] {
  const bytes = new Uint8Array(buffer);
  const texts = new Array<string>(bytes.length / width);
  for (let i = 0; i < texts.length; i++) {
    let end = (i + 1) * width;
    while (end > i * width && bytes[end - 1] === 0) end--;
    let text = "";
    for (let at = i * width; at < end; at++) text += String.fromCharCode(bytes[at]!);
    texts[i] = text;
  }
  return texts;
}
