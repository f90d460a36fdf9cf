import type { NpyArray, NpyDataTypes } from "./npy_types.ts";

/** NumPy's names of the dtypes that arrays and scalars of a pickle may have. */
export type PickleDtype =
  | Exclude<keyof NpyDataTypes, "structured">
  | `U${number}`
  | `S${number}`;

/**
 * A value of a pickle. Python's `None` is `null`, `list` an array, `dict` a `Map`, `set` and
 * `frozenset` a `Set`, `bytes` and `bytearray` a `Uint8Array`, a NumPy array an object with `dtype`,
 * `shape` and `data`. Whole numbers beyond ±(2⁵³ − 1) are `bigint`.
 *
 * @typeParam Custom what {@linkcode PickleGlobal} functions of the caller add
 */
export type PickleValue<Custom = never> =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array<ArrayBuffer>
  | PickleFloat
  | PickleTuple<Custom>
  | PickleReference
  | NumpyScalar
  | NumpyDtype
  | NpyArray<PickleDtype>
  | PickleValue<Custom>[]
  | Map<PickleValue<Custom>, PickleValue<Custom>>
  | Set<PickleValue<Custom>>
  | Custom;

/**
 * A Python `tuple`; a plain array is a `list`.
 *
 * @typeParam Custom as in {@linkcode PickleValue}
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { encodePickle, PickleTuple, readPickle } from "./mod.ts";
 *
 * const value = readPickle(encodePickle(new PickleTuple([1, "two"])));
 * assert(value instanceof PickleTuple);
 * assert.deepEqual([...value], [1, "two"]);
 * ```
 */
export class PickleTuple<Custom = never> implements Iterable<PickleValue<Custom>> {
  /** The values in order. */
  readonly items: readonly PickleValue<Custom>[];

  /**
   * Makes a tuple.
   *
   * @param items its values in order
   */
  constructor(items: readonly PickleValue<Custom>[]) {
    this.items = items;
  }

  /**
   * Goes through the values in order.
   *
   * @returns the iterator
   */
  [Symbol.iterator](): Iterator<PickleValue<Custom>> {
    return this.items[Symbol.iterator]();
  }
}

/**
 * A Python `float`, where a number alone would not tell: JavaScript's 2 is written as the `int` 2,
 * `new PickleFloat(2)` as the `float` 2.0. Reading gives plain numbers, or these with the option
 * `floats: "tagged"`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { encodePickle, PickleFloat, readPickle } from "./mod.ts";
 *
 * const bytes = encodePickle([2, new PickleFloat(2)]);
 * assert.deepEqual(readPickle(bytes), [2, 2]);
 * assert.deepEqual(readPickle(bytes, { floats: "tagged" }), [2, new PickleFloat(2)]);
 * ```
 */
export class PickleFloat {
  /** The number. */
  readonly value: number;

  /**
   * Marks a number as a `float`.
   *
   * @param value the number
   */
  constructor(value: number) {
    this.value = value;
  }
}

/**
 * The name of something in Python that a pickle mentions without calling it, such as
 * `torch.FloatStorage`. Only names that the reader was given occur.
 */
export class PickleReference {
  /** Module and name, joined by a dot. */
  readonly name: string;

  /**
   * Refers to a name.
   *
   * @param name module and name, joined by a dot
   */
  constructor(name: string) {
    this.name = name;
  }
}

/**
 * A NumPy dtype that stands by itself, such as `np.dtype("float32")`.
 */
export class NumpyDtype {
  /** Byte order, kind and bytes, e.g. `<f4`. */
  readonly descr: string;

  /**
   * Describes a dtype.
   *
   * @param descr byte order, kind and bytes, as in NumPy's array interface
   */
  constructor(descr: string) {
    this.descr = descr;
  }
}

/** What a {@linkcode NumpyScalar} of each kind holds. */
export type NumpyScalarValue = number | bigint | boolean | string | readonly [number, number];

/**
 * A NumPy scalar such as `np.float64(2)`. Python's `complex` is read as `complex128`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { encodePickle, NumpyScalar, readPickle } from "./mod.ts";
 *
 * const rate = new NumpyScalar("float64", 99.5);
 * assert.deepEqual(readPickle(encodePickle(rate)), rate);
 * ```
 */
export class NumpyScalar {
  /** NumPy's name of the dtype, e.g. `float64`; a text of three characters is `U3`. */
  readonly dtype: PickleDtype;
  /**
   * The value: whole numbers as in {@linkcode PickleValue}, `bool` as a boolean, complex numbers as
   * real and imaginary part.
   */
  readonly value: NumpyScalarValue;

  /**
   * Makes a scalar.
   *
   * @param dtype NumPy's name of the dtype
   * @param value of the type that belongs to the dtype
   */
  constructor(dtype: PickleDtype, value: NumpyScalarValue) {
    this.dtype = dtype;
    this.value = value;
  }
}

/**
 * Turns a `dict` with texts as keys into an object without a prototype, so that a key such as
 * `__proto__` is a key like any other.
 *
 * @param dict as {@linkcode readPickle} returns it
 * @returns its values by key, in the same order (whole numbers as keys come first)
 * @throws {TypeError} when it is not a `dict`, or a key is not a text
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { pickleRecord } from "./mod.ts";
 *
 * const record = pickleRecord(new Map([["rate", 10], ["__proto__", 1]]));
 * assert.equal(record.rate, 10);
 * assert.deepEqual(Object.keys(record), ["rate", "__proto__"]);
 * ```
 */
export function pickleRecord<Custom = never>(
  dict: PickleValue<Custom>,
): Record<string, PickleValue<Custom>> {
  if (!(dict instanceof Map)) {
    throw new TypeError(
      `Cannot make a record: a dict is needed, current value is ${pickleTypeName(dict)}.`,
    );
  }
  const record: Record<string, PickleValue<Custom>> = Object.create(null);
  for (const [key, value] of dict) {
    if (typeof key !== "string") {
      throw new TypeError(
        `Cannot make a record: keys should be str, current value is ${pickleTypeName(key)}.`,
      );
    }
    record[key] = value as PickleValue<Custom>;
  }
  return record;
}

/**
 * Names the type of a value as Python does.
 *
 * @param value of a pickle
 * @returns e.g. `int`, `dict`, `float32 array (3, 7)`
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { pickleTypeName } from "./mod.ts";
 *
 * assert.equal(pickleTypeName(new Map()), "dict");
 * assert.equal(pickleTypeName(0.5), "float");
 * ```
 */
export function pickleTypeName(value: unknown): string {
  if (value === null) return "None";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "number") return Number.isSafeInteger(value) ? "int" : "float";
  if (typeof value === "bigint") return "int";
  if (typeof value === "string") return "str";
  if (Array.isArray(value)) return "list";
  if (value instanceof Map) return "dict";
  if (value instanceof Set) return "set";
  if (value instanceof Uint8Array) return "bytes";
  if (value instanceof PickleTuple) return "tuple";
  if (value instanceof PickleFloat) return "float";
  if (value instanceof PickleReference) return value.name;
  if (value instanceof NumpyDtype) return "numpy.dtype";
  if (value instanceof NumpyScalar) return `numpy.${value.dtype}`;
  if (isNumpyArray(value)) return `${value.dtype} array (${value.shape.join(", ")})`;
  return typeof value === "object" ? value.constructor?.name ?? "object" : typeof value;
}

/**
 * Whether a value is a NumPy array: an object with `dtype`, `shape` and `data`, a typed array or texts.
 *
 * @param value anything
 * @returns true for what {@linkcode readPickle} and `readNpy` return for arrays
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { isNumpyArray } from "./mod.ts";
 *
 * assert(isNumpyArray({ dtype: "float32", shape: [2], data: new Float32Array(2) }));
 * assert(!isNumpyArray(new Float32Array(2)));
 * ```
 */
export function isNumpyArray(value: unknown): value is NpyArray<PickleDtype> {
  if (typeof value !== "object" || value === null) return false;
  const { dtype, shape, data } = value as Partial<NpyArray>;
  return typeof dtype === "string" && Array.isArray(shape) &&
    (ArrayBuffer.isView(data) || Array.isArray(data));
}
