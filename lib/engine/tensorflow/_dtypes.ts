/** TensorFlow's data types: number (`tf_datatype.h`), name, and the array that holds one in JavaScript. */

/** `TF_DataType` values by name. */
export const DT = {
  float32: 1,
  float64: 2,
  int32: 3,
  uint8: 4,
  int16: 5,
  int8: 6,
  string: 7,
  complex64: 8,
  int64: 9,
  bool: 10,
  bfloat16: 14,
  uint16: 17,
  complex128: 18,
  float16: 19,
  resource: 20,
  uint32: 22,
  uint64: 23,
} as const;

/** A typed array that can hold tensor elements. */
export type ElementArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

interface DtypeInfo {
  readonly name: string;
  /** Bytes of one element. */
  readonly size: number;
  readonly view: (buffer: ArrayBuffer) => ElementArray;
}

const INFO: ReadonlyMap<number, DtypeInfo> = new Map<number, DtypeInfo>([
  [DT.float32, { name: "float32", size: 4, view: (b) => new Float32Array(b) }],
  [DT.float64, { name: "float64", size: 8, view: (b) => new Float64Array(b) }],
  [DT.int32, { name: "int32", size: 4, view: (b) => new Int32Array(b) }],
  [DT.uint8, { name: "uint8", size: 1, view: (b) => new Uint8Array(b) }],
  [DT.int16, { name: "int16", size: 2, view: (b) => new Int16Array(b) }],
  [DT.int8, { name: "int8", size: 1, view: (b) => new Int8Array(b) }],
  [DT.complex64, { name: "complex64", size: 8, view: (b) => new Float32Array(b) }],
  [DT.int64, { name: "int64", size: 8, view: (b) => new BigInt64Array(b) }],
  [DT.bool, { name: "bool", size: 1, view: (b) => new Uint8Array(b) }],
  [DT.bfloat16, { name: "bfloat16", size: 2, view: (b) => new Uint16Array(b) }],
  [DT.uint16, { name: "uint16", size: 2, view: (b) => new Uint16Array(b) }],
  [DT.complex128, { name: "complex128", size: 16, view: (b) => new Float64Array(b) }],
  [DT.float16, { name: "float16", size: 2, view: (b) => new Uint16Array(b) }],
  [DT.uint32, { name: "uint32", size: 4, view: (b) => new Uint32Array(b) }],
  [DT.uint64, { name: "uint64", size: 8, view: (b) => new BigUint64Array(b) }],
]);

/** The name of a `TF_DataType`, `dtype N` when it has none here. */
export function dtypeName(dtype: number): string {
  if (dtype === DT.string) return "string";
  if (dtype === DT.resource) return "resource";
  return INFO.get(dtype)?.name ?? `dtype ${dtype}`;
}

/** Size and array type of a numeric `TF_DataType`; undefined for strings, resources and unknown types. */
export function dtypeInfo(dtype: number): DtypeInfo | undefined {
  return INFO.get(dtype);
}

/** `float32[2,3]`, as used in every error message. */
export function describe(dtype: number, shape: readonly number[]): string {
  return `${dtypeName(dtype)}[${shape.join(",")}]`;
}
