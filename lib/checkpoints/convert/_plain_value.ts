import type { JsonValue } from "../../features/canonical_json.ts";
import { elementCount } from "../../formats/_dtype.ts";
import { inputBytes, TENSOR_DTYPES } from "../../formats/_tensor_dtype.ts";
import {
  isNumpyArray,
  NumpyScalar,
  PickleFloat,
  PickleReference,
  PickleTuple,
  pickleTypeName,
} from "../../formats/pickle_values.ts";
import type { TensorArray, TensorDtype } from "../../formats/tensor_types.ts";
import type { TorchInput } from "../../formats/torch_checkpoint_writer.ts";
import {
  TorchDevice,
  TorchOrderedDict,
  TorchSize,
  TorchTensor,
} from "../../formats/torch_values.ts";

/** States of random number generators take a few kilobytes; what is larger belongs to a file of tensors. */
const MOST_TENSOR_BYTES = 2 ** 16;
const MAX_DEPTH = 50;
/** One object may stand in many places of a pickle at no cost. */
const MOST_VALUES = 100_000;

/**
 * A Python value of a checkpoint as JSON, from which {@linkcode fromPlain} makes the same value again:
 * objects with one member that begins with `$` stand for what JSON has no word for.
 *
 * @param place of the value, for messages
 * @throws {SyntaxError} naming the place of what has no JSON
 */
export function toPlain(place: string, value: unknown): JsonValue {
  return plain(place, value, { depth: 0, values: 0 });
}

function plain(place: string, value: unknown, at: { depth: number; values: number }): JsonValue {
  if (at.depth > MAX_DEPTH || ++at.values > MOST_VALUES) {
    refuse(place, `at most ${MOST_VALUES} values of at most ${MAX_DEPTH} levels`, "more");
  }
  const inner = (item: unknown, key: unknown) => {
    at.depth++;
    const made = plain(`${place}.${typeof key === "object" ? "key" : String(key)}`, item, at);
    at.depth--;
    return made;
  };
  const list = (items: Iterable<unknown>) => [...items].map(inner);
  if (value === null || typeof value === "boolean") return value;
  if (typeof value === "number") return Number.isSafeInteger(value) ? value : float(value);
  if (typeof value === "bigint") return { $int: String(value) };
  if (typeof value === "string") return value.isWellFormed() ? value : text(place);
  if (value instanceof PickleFloat) return float(value.value);
  if (value instanceof NumpyScalar) return scalar(place, value);
  if (value instanceof Uint8Array) return { $bytes: value.toBase64() };
  if (value instanceof TorchSize) return { $size: list(value.items) };
  if (value instanceof PickleTuple) return { $tuple: list(value.items) };
  if (value instanceof TorchDevice) return { $device: value.name };
  if (value instanceof PickleReference) return { $name: value.name };
  if (value instanceof TorchTensor) return tensor(place, value);
  if (isNumpyArray(value)) return tensor(place, value as TensorArray);
  if (Array.isArray(value)) return list(value);
  if (value instanceof Set) return { $set: list(value) };
  if (!(value instanceof Map)) return refuse(place, "plain data", pickleTypeName(value));
  if (isObject(value)) {
    return Object.fromEntries([...value].map(([key, item]) => [String(key), inner(item, key)]));
  }
  const entries = [...value].map(([key, item]) => [inner(key, "key"), inner(item, key)]);
  return value instanceof TorchOrderedDict ? { $ordered: entries } : { $dict: entries };
}

/**
 * The Python value that {@linkcode toPlain} wrote as JSON. Other JSON becomes dicts and lists.
 *
 * @throws {SyntaxError} naming the place of what is written wrongly
 */
export function fromPlain(place: string, value: JsonValue): TorchInput {
  if (value === null || typeof value !== "object") return value;
  const list = (items: JsonValue): TorchInput[] =>
    Array.isArray(items)
      ? items.map((item, i) => fromPlain(`${place}.${i}`, item))
      : refuse(place, "a list", JSON.stringify(items));
  if (Array.isArray(value)) return list(value);
  const members = Object.entries(value);
  const [first] = members;
  if (members.length !== 1 || !first![0].startsWith("$")) {
    return new Map(members.map(([key, item]) => [key, fromPlain(`${place}.${key}`, item)]));
  }
  const [tag, item] = first!;
  const content = typeof item === "string" ? item : "";
  const pairs = () =>
    list(item).map((pair) =>
      Array.isArray(pair) && pair.length === 2
        ? pair as [TorchInput, TorchInput]
        : refuse(place, "pairs of key and value", JSON.stringify(item))
    );
  switch (tag) {
    case "$float":
      return new PickleFloat(content === "nan" ? NaN : Number(content));
    case "$int":
      return BigInt(content);
    case "$bytes":
      return Uint8Array.fromBase64(content);
    case "$size":
      return new TorchSize(list(item) as never[]);
    case "$tuple":
      return new PickleTuple(list(item) as never[]);
    case "$device":
      return new TorchDevice(content);
    case "$name":
      return new PickleReference(content);
    case "$set":
      return new Set(list(item));
    case "$dict":
      return new Map(pairs());
    case "$ordered":
      return new TorchOrderedDict(pairs() as never);
    case "$tensor":
      return tensorOf(place, item);
  }
  return refuse(place, "a value of a checkpoint", tag);
}

/** Whether an object has the same keys in the same order: it puts whole numbers first. */
function isObject(value: ReadonlyMap<unknown, unknown>): boolean {
  if (value instanceof TorchOrderedDict) return false;
  const keys = [...value.keys()];
  const isName = (key: unknown) =>
    typeof key === "string" && key.isWellFormed() && !key.startsWith("$") && key !== "__proto__";
  if (!keys.every(isName)) return false;
  const ordered = Object.keys(Object.fromEntries(keys.map((key) => [key, 0])));
  return keys.every((key, i) => key === ordered[i]);
}

/** Whole floats would come back as `int`. */
function float(value: number): JsonValue {
  if (Number.isFinite(value) && !Number.isInteger(value)) return value;
  if (Number.isNaN(value)) return { $float: "nan" };
  return { $float: Object.is(value, -0) ? "-0" : String(value) };
}

function scalar(place: string, { dtype, value }: NumpyScalar): JsonValue {
  if (typeof value === "number") return dtype.startsWith("float") ? float(value) : value;
  if (typeof value === "bigint") return { $int: String(value) };
  if (typeof value === "boolean" || typeof value === "string") return value;
  return refuse(place, "a real number", dtype);
}

function tensor(place: string, value: TorchTensor | TensorArray): JsonValue {
  const { dtype, shape } = value;
  const bytes = elementCount(shape) * TENSOR_DTYPES[dtype].bytes;
  if (bytes > MOST_TENSOR_BYTES) {
    refuse(place, `a tensor of at most ${MOST_TENSOR_BYTES} bytes`, `${bytes} bytes`);
  }
  const data = new Uint8Array(inputBytes(place, place, value)).toBase64();
  return { $tensor: { dtype, shape, data } };
}

function tensorOf(place: string, value: JsonValue): TorchInput {
  const { dtype, shape, data } = { ...value as object } as {
    dtype: TensorDtype;
    shape: number[];
    data: string;
  };
  const layout = TENSOR_DTYPES[dtype] ?? refuse(place, "a dtype", String(dtype));
  const bytes = Uint8Array.fromBase64(data);
  const elements = layout.view(bytes.buffer, 0, bytes.byteLength / layout.wordBytes);
  return { dtype, shape, data: elements } as TensorArray;
}

function text(place: string): never {
  return refuse(place, "valid Unicode", "half a surrogate pair");
}

function refuse(place: string, expected: string, found: string): never {
  throw new SyntaxError(
    `Cannot convert ${place}: it should be ${expected}, current value is ${found}.`,
  );
}
