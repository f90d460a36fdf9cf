/** The data of each dtype whose name is fixed; C order, the machine's byte order. */
export interface NpyDataTypes {
  /** One byte each, 0 or 1. */
  bool: Uint8Array<ArrayBuffer>;
  /** Signed, 1 byte. */
  int8: Int8Array<ArrayBuffer>;
  /** Signed, 2 bytes. */
  int16: Int16Array<ArrayBuffer>;
  /** Signed, 4 bytes. */
  int32: Int32Array<ArrayBuffer>;
  /** Signed, 8 bytes. */
  int64: BigInt64Array<ArrayBuffer>;
  /** Unsigned, 1 byte. */
  uint8: Uint8Array<ArrayBuffer>;
  /** Unsigned, 2 bytes. */
  uint16: Uint16Array<ArrayBuffer>;
  /** Unsigned, 4 bytes. */
  uint32: Uint32Array<ArrayBuffer>;
  /** Unsigned, 8 bytes. */
  uint64: BigUint64Array<ArrayBuffer>;
  /** IEEE 754 half precision. */
  float16: Float16Array<ArrayBuffer>;
  /** IEEE 754 single precision. */
  float32: Float32Array<ArrayBuffer>;
  /** IEEE 754 double precision. */
  float64: Float64Array<ArrayBuffer>;
  /** Real and imaginary part in turn: twice as many numbers as elements. */
  complex64: Float32Array<ArrayBuffer>;
  /** Real and imaginary part in turn: twice as many numbers as elements. */
  complex128: Float64Array<ArrayBuffer>;
  /** A column per field, by name; a field with a shape of its own has it at the end of the shape. */
  structured: Readonly<Record<string, NpyArray>>;
}

/**
 * The name of a dtype, as NumPy calls it. Texts are `U12` (at most 12 code points) and `S12` (12
 * bytes); times carry their unit: `datetime64[ns]`, `timedelta64[25s]`.
 */
export type NpyDType =
  | keyof NpyDataTypes
  | `U${number}`
  | `S${number}`
  | `datetime64${string}`
  | `timedelta64${string}`;

/** A dtype as one may ask for it: `U` and `S` are texts of any width. */
export type NpyDTypePattern = NpyDType | "U" | "S";

/**
 * What holds the data of a dtype: a typed array; for texts an array of strings (of `S`, one
 * character per byte); for times `BigInt64Array`, not-a-time as −2⁶³.
 */
export type NpyData<D extends NpyDTypePattern = NpyDType> = D extends keyof NpyDataTypes
  ? NpyDataTypes[D]
  : D extends "U" | "S" | `U${number}` | `S${number}` ? readonly string[]
  : BigInt64Array<ArrayBuffer>;

/** The array of one dtype; {@linkcode NpyArray} is what functions return. */
export interface NpyArrayOf<D extends NpyDTypePattern> {
  /** NumPy's name of the dtype. */
  readonly dtype: D extends "U" ? `U${number}` : D extends "S" ? `S${number}` : D;
  /** Length along each axis; empty for a single value. */
  readonly shape: readonly number[];
  /** The elements in C order: the last axis varies fastest. */
  readonly data: NpyData<D>;
}

/** An n-dimensional array; `dtype` tells the type of `data`. */
export type NpyArray<D extends NpyDTypePattern = NpyDType> = D extends NpyDTypePattern
  ? NpyArrayOf<D>
  : never;

/** A typed array that can hold numbers, truth values or times of an `.npy` file. */
export type NpyTypedArray =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | Float16Array
  | Float32Array
  | Float64Array;

/** An array to write. */
export interface NpyInput {
  /**
   * NumPy's name of the dtype. Default: what the class of `data` says (`Uint8Array` is `uint8`, a
   * `Float32Array` `float32`, strings are `U` as wide as the longest).
   */
  readonly dtype?: NpyDTypePattern;
  /** Length along each axis. Default: one axis as long as `data`. */
  readonly shape?: readonly number[];
  /** The elements in C order, as {@linkcode NpyData} describes them. */
  readonly data: NpyTypedArray | readonly string[] | Readonly<Record<string, NpyInput>>;
}

/** What a file should hold; anything else is an error. */
export interface NpyExpect<D extends NpyDTypePattern = NpyDTypePattern> {
  /** The dtype. Default any. */
  readonly dtype?: D;
  /** The length along each axis, `null` for any. Default any shape. */
  readonly shape?: readonly (number | null)[];
}
