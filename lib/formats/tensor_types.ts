import type { NpyDataTypes } from "./npy_types.ts";

/** The typed array that holds a tensor of each dtype, in C order. */
export interface TensorDataTypes extends Omit<NpyDataTypes, "structured"> {
  /** The upper half of a float32's bits; `widenBfloat16` and `narrowToBfloat16` convert. */
  bfloat16: Uint16Array<ArrayBuffer>;
  /** 8 bits: sign, 4 of exponent, 3 of mantissa; kept as they are. */
  float8_e4m3fn: Uint8Array<ArrayBuffer>;
  /** 8 bits: sign, 5 of exponent, 2 of mantissa; kept as they are. */
  float8_e5m2: Uint8Array<ArrayBuffer>;
  /** 8 bits of exponent; kept as they are. */
  float8_e8m0fnu: Uint8Array<ArrayBuffer>;
}

/** The name of a tensor's dtype, as PyTorch and NumPy call it. */
export type TensorDtype = keyof TensorDataTypes;

/** A tensor of one dtype in memory; {@linkcode TensorArray} is what functions return. */
export interface TensorArrayOf<D extends TensorDtype> {
  /** PyTorch's name of the dtype. */
  readonly dtype: D;
  /** Length along each axis; empty for a single value. */
  readonly shape: readonly number[];
  /** The elements in C order. */
  readonly data: TensorDataTypes[D];
}

/**
 * A tensor in memory. Compare `dtype` to know the class of `data`.
 *
 * @typeParam D the dtypes it may have
 */
export type TensorArray<D extends TensorDtype = TensorDtype> = D extends TensorDtype
  ? TensorArrayOf<D>
  : never;

/**
 * A tensor in a file, of which nothing but its description was read.
 *
 * @typeParam D the dtypes it may have
 */
export interface StoredTensor<D extends TensorDtype = TensorDtype> {
  /** PyTorch's name of the dtype. */
  readonly dtype: D;
  /** Length along each axis; empty for a single value. */
  readonly shape: readonly number[];
  /** Bytes of all its elements. */
  readonly bytes: number;
  /**
   * Reads all elements, in C order, into new memory.
   *
   * @returns dtype, shape and data
   * @throws {SyntaxError} when the file is damaged
   */
  read(): TensorArray<D>;
  /**
   * Reads all elements, in C order, into memory of the caller.
   *
   * @param target of the dtype's class or a `Uint8Array`; exactly as many bytes as the tensor
   * @throws {TypeError} when it is of another class or size
   * @throws {SyntaxError} when the file is damaged
   */
  readInto(target: ArrayBufferView<ArrayBuffer>): void;
  /**
   * Reads the elements of some indices of the first axis; a single value counts as one row.
   *
   * @param start first row
   * @param end row after the last
   * @returns the elements of these rows, in C order
   * @throws {RangeError} when there are no such rows
   * @throws {SyntaxError} when the file is damaged
   */
  readRows(start: number, end: number): TensorDataTypes[D];
}

/** What a tensor should be; anything else is an error. */
export interface TensorExpect<D extends TensorDtype = TensorDtype> {
  /** The dtype. Default any. */
  readonly dtype?: D;
  /** The length along each axis, `null` for any. Default any shape. */
  readonly shape?: readonly (number | null)[];
}

/** A tensor to write: in memory, or in a file and read when its turn comes. */
export type TensorInput = TensorArray | Pick<StoredTensor, "dtype" | "shape" | "read">;
