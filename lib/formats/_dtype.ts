import type { NpyDataTypes } from "./npy_types.ts";

/** The typed array that holds a NumPy array of each dtype; bool is one byte, complex is interleaved. */
export type DtypeData = Omit<NpyDataTypes, "structured">;

/** NumPy's name of a numeric dtype. */
export type NumericDtype = keyof DtypeData;

/** Any typed array that holds numbers of a NumPy array. */
export type NumericData = DtypeData[NumericDtype];

/** How the elements of a NumPy dtype lie in memory. */
export interface DtypeLayout<D extends NumericDtype = NumericDtype> {
  /** NumPy's name. */
  readonly name: D;
  /** Kind and bytes as in array protocol strings, e.g. `f4`. */
  readonly code: string;
  /** Bytes of one element. */
  readonly bytes: number;
  /** Bytes of one number: half an element for complex, else the same. */
  readonly wordBytes: number;
  /** Numbers in one element: 2 for complex, else 1. */
  readonly words: number;
  /** Views bytes as numbers in native order; `offset` must be a multiple of `wordBytes`. */
  readonly view: (buffer: ArrayBuffer, offset: number, words: number) => DtypeData[D];
  /** Whether `data` is the typed array that belongs to this dtype. */
  readonly holds: (data: unknown) => boolean;
}

type Constructor<T> = {
  new (buffer: ArrayBuffer, offset: number, words: number): T;
  readonly BYTES_PER_ELEMENT: number;
};

function layout<D extends NumericDtype>(
  name: D,
  kind: string,
  array: Constructor<DtypeData[D]>,
  words = 1,
): DtypeLayout<D> {
  const wordBytes = array.BYTES_PER_ELEMENT, bytes = wordBytes * words;
  return {
    name,
    code: kind + bytes,
    bytes,
    wordBytes,
    words,
    view: (buffer, offset, words) => new array(buffer, offset, words),
    holds: (data) => data instanceof array,
  };
}

/** Layout of every numeric dtype, by name. */
export const DTYPES: { readonly [D in NumericDtype]: DtypeLayout<D> } = {
  bool: layout("bool", "b", Uint8Array),
  int8: layout("int8", "i", Int8Array),
  int16: layout("int16", "i", Int16Array),
  int32: layout("int32", "i", Int32Array),
  int64: layout("int64", "i", BigInt64Array),
  uint8: layout("uint8", "u", Uint8Array),
  uint16: layout("uint16", "u", Uint16Array),
  uint32: layout("uint32", "u", Uint32Array),
  uint64: layout("uint64", "u", BigUint64Array),
  float16: layout("float16", "f", Float16Array),
  float32: layout("float32", "f", Float32Array),
  float64: layout("float64", "f", Float64Array),
  complex64: layout("complex64", "c", Float32Array, 2),
  complex128: layout("complex128", "c", Float64Array, 2),
};

const BY_CODE = new Map(Object.values(DTYPES).map((dtype) => [dtype.code, dtype]));

/** The layout of a dtype given as kind and bytes, e.g. `f4`; undefined when it is not numeric. */
export function dtypeOfCode(code: string): DtypeLayout | undefined {
  return BY_CODE.get(code) as DtypeLayout | undefined;
}

/** The layout of a dtype given by NumPy's name; undefined when it is not numeric. */
export function dtypeOfName(name: string): DtypeLayout | undefined {
  return Object.hasOwn(DTYPES, name) ? DTYPES[name as NumericDtype] as DtypeLayout : undefined;
}

/** Whether this machine stores the lowest byte first. */
export const LITTLE_ENDIAN: boolean = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** Number of elements of an array; NaN when a size is not a whole number from 0, or too large. */
export function elementCount(shape: readonly number[]): number {
  let count = 1;
  for (const size of shape) {
    if (!Number.isSafeInteger(size) || size < 0) return NaN;
    count *= size;
  }
  return Number.isSafeInteger(count) ? count : NaN;
}
