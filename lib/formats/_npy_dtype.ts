import { dtypeOfCode, dtypeOfName, DTYPES, LITTLE_ENDIAN } from "./_dtype.ts";
import type { NpyDType, NpyDTypePattern } from "./npy_types.ts";
import {
  type Fail,
  formatPythonString,
  type PythonLiteral,
  type PythonSequence,
} from "./_python_literal.ts";

/** How the elements of an array lie in an `.npy` file. */
export interface NpyLayout {
  readonly name: NpyDType;
  /** As the header describes it, a Python literal; always little-endian. */
  readonly descr: string;
  /** Bytes of one element. */
  readonly bytes: number;
  /** Unit whose bytes are reversed when the byte order is another. */
  readonly wordBytes: number;
  /** Whether the bytes of each word must be reversed on this machine. */
  readonly swapped: boolean;
  readonly kind: "number" | "text" | "bytes" | "time" | "structured";
  /** Of a structured dtype. */
  readonly fields: readonly NpyField[];
}

/** One column of a structured dtype. */
export interface NpyField {
  readonly name: string;
  readonly layout: NpyLayout;
  /** Of the field itself; empty for a single value. */
  readonly shape: readonly number[];
  /** Bytes from the start of the element. */
  readonly offset: number;
  /** Bytes of the field in one element. */
  readonly bytes: number;
}

const UNIT = "(?:\\[(?:[1-9]\\d*)?(?:Y|M|W|D|h|m|s|ms|us|ns|ps|fs|as)\\])?";
const DESCR = new RegExp(`^([<>|=]?)([A-Za-z?])(\\d*)(${UNIT})$`);
const NAME = new RegExp(`^(?:([US])(\\d*)|(datetime64|timedelta64)(${UNIT}))$`);
const REFUSED: Readonly<Record<string, string>> = {
  O: "it holds Python objects, which only Python can read; save it from NumPy with a dtype of " +
    "numbers or texts",
  V: "it holds raw bytes without a meaning (void), which are not read here",
};
/** Elements larger than this are damage, not data. */
const MAX_ELEMENT_BYTES = 2 ** 31 - 1;

/** The layout that a header's `descr` describes. */
export function parseDescr(descr: PythonLiteral, fail: Fail): NpyLayout {
  if (typeof descr === "string") return parseScalar(descr, fail);
  if (typeof descr === "object" && descr.kind === "list") return parseFields(descr, fail);
  return fail(0, "its dtype should be a text or a list of fields", JSON.stringify(descr));
}

function parseScalar(descr: string, fail: Fail): NpyLayout {
  const shown = JSON.stringify(descr);
  const [, order = "", code = "", digits = "", unit = ""] = DESCR.exec(descr) ??
    fail(0, "its dtype is unknown", shown);
  if (code in REFUSED) fail(0, REFUSED[code]!, shown);
  const bytes = Number(digits);
  const isTime = code === "M" || code === "m";
  const layout = isTime && bytes === 8
    ? timeLayout(code === "M" ? "datetime64" : "timedelta64", unit)
    : code === "U" || code === "S"
    ? textLayout(code, bytes)
    : numberLayout(code + digits);
  if (layout === undefined || (unit !== "" && !isTime)) {
    return fail(0, "its dtype is unknown or not read here", shown);
  }
  if (layout.bytes < 1 || layout.bytes > MAX_ELEMENT_BYTES) {
    fail(0, "its elements should hold between 1 byte and 2 GB", shown);
  }
  if (layout.wordBytes === 1) return layout;
  if (order !== "<" && order !== ">") {
    fail(0, 'its byte order should be "<" or ">"', shown);
  }
  return { ...layout, swapped: (order === "<") !== LITTLE_ENDIAN };
}

function numberLayout(code: string): NpyLayout | undefined {
  const dtype = dtypeOfCode(code);
  if (dtype === undefined) return undefined;
  const { name, bytes, wordBytes } = dtype;
  const descr = `'${wordBytes === 1 ? "|" : "<"}${code}'`;
  return { name, descr, bytes, wordBytes, swapped: !LITTLE_ENDIAN, kind: "number", fields: [] };
}

function textLayout(code: "U" | "S", width: number): NpyLayout {
  const wordBytes = code === "U" ? 4 : 1;
  return {
    name: `${code}${width}`,
    descr: `'${code === "U" ? "<" : "|"}${code}${width}'`,
    bytes: width * wordBytes,
    wordBytes,
    swapped: !LITTLE_ENDIAN && wordBytes > 1,
    kind: code === "U" ? "text" : "bytes",
    fields: [],
  };
}

function timeLayout(name: "datetime64" | "timedelta64", unit: string): NpyLayout {
  return {
    name: `${name}${unit}`,
    descr: `'<${name === "datetime64" ? "M" : "m"}8${unit}'`,
    bytes: 8,
    wordBytes: 8,
    swapped: !LITTLE_ENDIAN,
    kind: "time",
    fields: [],
  };
}

function parseFields(descr: PythonSequence, fail: Fail): NpyLayout {
  const fields: NpyField[] = [];
  let offset = 0;
  for (const item of descr.items) {
    const [name, type, shape] = fieldParts(item, fail);
    // NumPy describes the gaps of an aligned dtype as nameless raw bytes.
    const gap = name === "" && shape.length === 0 ? /^\|V(\d+)$/.exec(String(type)) : null;
    if (gap !== null) {
      offset += Number(gap[1]);
      continue;
    }
    const place: Fail = (at, state, value) =>
      fail(at, `its field ${JSON.stringify(name)}: ${state}`, value);
    if (typeof type !== "string") {
      place(0, "a structured dtype inside another is not read here", JSON.stringify(type));
    }
    if (fields.some((field) => field.name === name)) place(0, "its name should be unique", name);
    const layout = parseScalar(type as string, place);
    const bytes = shape.reduce((product, size) => product * size, layout.bytes);
    fields.push({ name, layout, shape, offset, bytes });
    offset += bytes;
    if (offset > MAX_ELEMENT_BYTES) place(0, "its elements should hold at most 2 GB", offset);
  }
  if (fields.length === 0 || offset === 0) fail(0, "its dtype has no fields", "[]");
  return structuredLayout(fields, offset);
}

function fieldParts(
  item: PythonLiteral,
  fail: Fail,
): [name: string, type: PythonLiteral, shape: readonly number[]] {
  const parts = typeof item === "object" && item.kind === "tuple" ? item.items : [];
  const [name, type, shape] = parts;
  if (typeof name !== "string" || type === undefined || parts.length > 3) {
    return fail(0, "a field of its dtype should be (name, dtype[, shape])", JSON.stringify(item));
  }
  if (shape === undefined) return [name, type, []];
  const sizes = typeof shape === "object" && shape.kind === "tuple" ? shape.items : undefined;
  if (!sizes?.every((size) => typeof size === "number" && size > 0)) {
    return fail(0, `the shape of its field "${name}" is wrong`, JSON.stringify(shape));
  }
  return [name, type, sizes as number[]];
}

/** The layout of a structured dtype. */
export function structuredLayout(fields: readonly NpyField[], bytes: number): NpyLayout {
  const parts = fields.map(({ name, layout, shape }) => {
    const sizes = shape.length === 0 ? "" : `, ${formatShape(shape)}`;
    return `(${formatPythonString(name)}, ${layout.descr}${sizes})`;
  });
  return {
    name: "structured",
    descr: `[${parts.join(", ")}]`,
    bytes,
    wordBytes: 1,
    swapped: false,
    kind: "structured",
    fields,
  };
}

/** A tuple of sizes as Python's `repr` writes it. */
export function formatShape(shape: readonly number[]): string {
  return `(${shape.join(", ")}${shape.length === 1 ? "," : ""})`;
}

/** The layout of a dtype given by name; undefined when there is none, or a text has no width. */
export function layoutOf(name: NpyDTypePattern): NpyLayout | undefined {
  const dtype = dtypeOfName(name);
  if (dtype !== undefined) return numberLayout(dtype.code);
  const [, text, width, time, unit = ""] = NAME.exec(name) ?? [];
  if (time !== undefined) return timeLayout(time as "datetime64" | "timedelta64", unit);
  if (text !== undefined && Number(width) > 0) return textLayout(text as "U" | "S", Number(width));
  return undefined;
}

/** The name of the dtype that a typed array has by itself. */
export function dtypeOfData(data: unknown): NpyDType | undefined {
  if (data instanceof Uint8Array) return "uint8";
  return Object.values(DTYPES).find((dtype) => dtype.holds(data))?.name;
}
