import { elementCount } from "./_dtype.ts";
import { decodeElements } from "./_npy_decode.ts";
import { type NpyLayout, parseDescr } from "./_npy_dtype.ts";
import { scalarValue } from "./_pickle_scalar.ts";
import { encodeLatin1 } from "./_pickle_text.ts";
import type { PickleContext, PickleGlobal } from "./pickle_globals.ts";
import type { NpyArray } from "./npy_types.ts";
import {
  NumpyDtype,
  NumpyScalar,
  type PickleDtype,
  PickleReference,
  PickleTuple,
  pickleTypeName,
  type PickleValue,
} from "./pickle_values.ts";

type Item = PickleValue<object>;

/** NumPy 2 allows no more. */
const MAX_DIMENSIONS = 64;

/** Names of NumPy 1; those of NumPy 2 begin with `numpy._core`. */
export const NUMPY_GLOBALS: Readonly<Record<string, PickleGlobal<object>>> = {
  "numpy.ndarray": {},
  "numpy.dtype": { construct: makeDtype, build: setDtype },
  "numpy.core.multiarray._reconstruct": { construct: makeArray, build: setArray },
  "numpy.core.multiarray.scalar": { construct: makeScalar },
  "numpy.core.numeric._frombuffer": { construct: fromBuffer },
};

/** `_reconstruct(ndarray, (0,), b"b")`: an empty array, which is filled by its state. */
function makeArray(args: readonly Item[], context: PickleContext): Item {
  const [type, shape] = args;
  const isPlain = type instanceof PickleReference && type.name === "numpy.ndarray" &&
    shape instanceof PickleTuple && shape.items.length === 1 && shape.items[0] === 0;
  if (!isPlain || args.length !== 3) {
    context.fail("an array should begin as _reconstruct(numpy.ndarray, (0,), b'b')", names(args));
  }
  context.charge(300);
  return { dtype: "int8", shape: [0], data: new Int8Array() };
}

/** State of an array: version, shape, dtype, whether in Fortran order, bytes of the elements. */
function setArray(array: Item, state: Item, context: PickleContext): void {
  const parts = state instanceof PickleTuple ? state.items : [];
  const [version, shape, dtype, fortranOrder, raw] = parts;
  if (version !== 1 || parts.length !== 5 || typeof fortranOrder !== "boolean") {
    context.fail("the state of an array should be (1, shape, dtype, bool, bytes)", names(parts));
  }
  if (Array.isArray(raw)) {
    context.fail(
      "an array of Python objects is not read here",
      `${raw.length} objects`,
      "Save it as a list (array.tolist()) or as an array of numbers.",
    );
  }
  const filled = decodeArray(raw, dtype, shape, fortranOrder ? "F" : "C", context);
  Object.assign(array as NpyArray, filled);
}

/** `_frombuffer(buffer, dtype, shape, order[, axes])`, as protocol 5 writes arrays. */
function fromBuffer(args: readonly Item[], context: PickleContext): Item {
  const [raw, dtype, shape, order, axes = null] = args;
  if (order === "K") {
    return decodeArray(raw, dtype, shape, axesOf(axes, shape, context), context);
  }
  if ((order !== "C" && order !== "F") || axes !== null || args.length > 5) {
    return context.fail(
      "an array should be (buffer, dtype, shape, 'C', 'F' or 'K')",
      names(args),
    );
  }
  return decodeArray(raw, dtype, shape, order, context);
}

/** `scalar(dtype, bytes)`. */
function makeScalar(args: readonly Item[], context: PickleContext): Item {
  const [dtype, raw] = args;
  if (args.length !== 2 || dtype instanceof NumpyDtype && dtype.descr.endsWith("O8")) {
    context.fail("a NumPy scalar should be scalar(dtype, bytes)", names(args));
  }
  const { dtype: name, data } = decodeArray(raw, dtype, new PickleTuple([]), "C", context);
  return new NumpyScalar(name as PickleDtype, scalarValue(name as PickleDtype, data));
}

/** `dtype("f8", align, copy)`; the byte order comes as state. */
function makeDtype(args: readonly Item[], context: PickleContext): Item {
  const [code] = args;
  const text = code instanceof Uint8Array ? String.fromCharCode(...code.subarray(0, 32)) : code;
  if (typeof text !== "string" || !/^[A-Za-z]\d{1,9}$/.test(text)) {
    return context.fail("a dtype should be a kind and bytes such as f8", text ?? names(args));
  }
  context.charge(64);
  return new NumpyDtype(`${/^[biu]1$|^S/.test(text) ? "|" : "<"}${text}`);
}

/** State of a dtype: version, byte order, sub-array, names, fields, … */
function setDtype(dtype: Item, state: Item, context: PickleContext): void {
  const parts = state instanceof PickleTuple ? state.items : [];
  const [, orderPart, subarray, fieldNames, fields] = parts;
  const order = orderPart instanceof Uint8Array ? String.fromCharCode(orderPart[0]!) : orderPart;
  if (parts.length < 8 || typeof order !== "string" || !/^[<>|=]$/.test(order)) {
    context.fail("the state of a dtype should be (3, byte order, …)", names(parts));
  }
  if (subarray !== null || fieldNames !== null || fields !== null) {
    context.fail("a structured dtype is not read here", "one with fields", "Save its columns.");
  }
  if (parts.length > 8) {
    context.fail("a dtype of times or with metadata is not read here", names(parts));
  }
  const { descr } = dtype as NumpyDtype;
  // "=" is the byte order of the machine that wrote it, which is little-endian nowadays.
  const sign = order === "=" ? "<" : order;
  if (!descr.startsWith("|")) Object.assign(dtype as NumpyDtype, { descr: sign + descr.slice(1) });
}

type Order = "C" | "F" | readonly number[];

function decodeArray(
  raw: Item | undefined,
  dtype: Item | undefined,
  shape: Item | undefined,
  order: Order,
  context: PickleContext,
): NpyArray<PickleDtype> {
  const layout = layoutOf(dtype, context), sizes = shapeOf(shape, context);
  const bytes = typeof raw === "string" ? encodeLatin1(raw) : raw;
  if (!(bytes instanceof Uint8Array)) {
    return context.fail("the elements of an array should be bytes", pickleTypeName(raw));
  }
  const needed = elementCount(sizes) * layout.bytes;
  if (bytes.length !== needed) {
    context.fail(
      `an array (${sizes.join(", ")}) of ${layout.name} should hold ${needed} bytes`,
      bytes.length,
    );
  }
  context.charge(300 + needed * (layout.kind === "number" ? 1 : 8));
  const place = { path: context.path, offset: context.offset };
  const transposed = typeof order === "object";
  const ordered = transposed ? transpose(bytes, layout.bytes, sizes, order) : bytes.slice();
  const shaped = transposed ? order.map((axis) => sizes[axis]!) : sizes;
  const data = decodeElements(ordered.buffer, layout, shaped, order === "F", place);
  return { dtype: layout.name, shape: shaped, data } as NpyArray<PickleDtype>;
}

function layoutOf(dtype: Item | undefined, context: PickleContext): NpyLayout {
  if (!(dtype instanceof NumpyDtype)) {
    return context.fail("a dtype should stand here", pickleTypeName(dtype));
  }
  return parseDescr(dtype.descr, (_at, state, value) => context.fail(state, value));
}

function shapeOf(shape: Item | undefined, context: PickleContext): number[] {
  const sizes = shape instanceof PickleTuple ? shape.items : [NaN];
  if (Number.isNaN(elementCount(sizes as number[])) || sizes.length > MAX_DIMENSIONS) {
    context.fail(
      "a shape should be a tuple of sizes from 0",
      shape instanceof PickleTuple ? names(sizes) : pickleTypeName(shape),
    );
  }
  return [...sizes] as number[];
}

/** The axes to which Python would transpose an array. */
function axesOf(
  axes: Item,
  shape: Item | undefined,
  context: PickleContext,
): readonly number[] {
  const order = axes instanceof PickleTuple ? axes.items : [NaN];
  const dimensions = shape instanceof PickleTuple ? shape.items.length : NaN;
  if (order.length !== dimensions || order.some((_, axis) => !order.includes(axis))) {
    context.fail("axes should be a tuple that holds each axis once", pickleTypeName(axes));
  }
  return order as readonly number[];
}

/** Copies elements in C order of `shape` into C order of `axes.map((axis) => shape[axis])`. */
function transpose(
  bytes: Uint8Array,
  elementBytes: number,
  shape: readonly number[],
  axes: readonly number[],
): Uint8Array<ArrayBuffer> {
  const strides = shape.map((_, axis) =>
    shape.slice(axis + 1).reduce((product, size) => product * size, elementBytes)
  );
  const target = new Uint8Array(bytes.length), index = shape.map(() => 0);
  for (let to = 0, from = 0; to < target.length; to += elementBytes) {
    for (let byte = 0; byte < elementBytes; byte++) target[to + byte] = bytes[from + byte]!;
    for (let i = axes.length - 1; i >= 0; i--) {
      const axis = axes[i]!;
      from += strides[axis]!;
      if (++index[i]! < shape[axis]!) break;
      from -= strides[axis]! * shape[axis]!;
      index[i] = 0;
    }
  }
  return target;
}

function names(items: readonly Item[]): string {
  return `(${items.map(pickleTypeName).join(", ")})`;
}
