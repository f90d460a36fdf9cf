import { type NpyArray, type NpyDType } from "../../lib/formats/mod.ts";

/** What NumPy reads from a file: texts, columns, or the elements' bytes, little-endian in C order. */
export interface Content {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes?: string;
  readonly texts?: readonly string[];
  readonly columns?: readonly (readonly [name: string, column: Content])[];
}

interface Case extends Content {
  readonly name: string;
  readonly file: string;
  /** Whether `numpy.save` gives these bytes for these contents. */
  readonly same: boolean;
}

interface Fixture {
  readonly cases: readonly Case[];
  readonly wide: { readonly fields: number; readonly sha256: string };
  readonly refused: Readonly<Record<string, string>>;
  readonly arrays: Readonly<Record<string, Content>>;
  readonly archives: Readonly<Record<string, string>>;
}

const url = new URL("../../data-fixtures/formats/npy/npy.json", import.meta.url);
export const FIXTURE: Fixture = JSON.parse(Deno.readTextFileSync(url));

export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.fromBase64(text);
}

/** The class of the data of each dtype with a fixed name. */
const CLASSES = {
  bool: Uint8Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
  float16: Float16Array,
  float32: Float32Array,
  float64: Float64Array,
  complex64: Float32Array,
  complex128: Float64Array,
};

/** The array that a fixture describes. */
export function arrayOf({ dtype, shape, bytes, texts, columns }: Content): NpyArray {
  if (columns !== undefined) {
    const data = Object.fromEntries(columns.map(([name, column]) => [name, arrayOf(column)]));
    return { dtype: "structured", shape, data };
  }
  const Class = dtype in CLASSES ? CLASSES[dtype as keyof typeof CLASSES] : BigInt64Array;
  const data = texts ?? new Class(fromBase64(bytes!).buffer);
  return { dtype: dtype as NpyDType, shape, data } as NpyArray;
}

/** An array in a form in which `deepEqual` tells all bits apart, and says something when it fails. */
export function bits({ dtype, shape, data }: NpyArray): unknown {
  if (Array.isArray(data)) return { dtype, shape, data };
  if (!ArrayBuffer.isView(data)) {
    const columns = Object.entries(data).map(([name, column]) => [name, bits(column as NpyArray)]);
    return { dtype, shape, columns };
  }
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return { dtype, shape, class: data.constructor.name, bytes: bytes.toHex() };
}

/** Numbers for seeded loops; Mulberry32. */
export function randomNumbers(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor(((t ^ (t >>> 14)) >>> 0) / 2 ** 32 * below);
  };
}
