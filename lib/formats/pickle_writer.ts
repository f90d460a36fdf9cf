import { PickleEncoder } from "./_pickle_encoder.ts";
import { numpyReducer } from "./_pickle_numpy_calls.ts";
import { writeAll } from "./_partial_file.ts";
import { writeFileAtomic } from "./atomic_write.ts";
import type { NpyTypedArray } from "./npy_types.ts";
import type {
  NumpyDtype,
  NumpyScalar,
  PickleFloat,
  PickleReference,
  PickleTuple,
} from "./pickle_values.ts";

/** A NumPy array to write. */
export interface PickleArrayInput {
  /** NumPy's name of the dtype, as in `PickleDtype`. */
  readonly dtype: string;
  /** Length along each axis; empty for a single value. */
  readonly shape: readonly number[];
  /** The elements in C order, of the typed array that belongs to the dtype. */
  readonly data: NpyTypedArray | readonly string[];
}

/** What can be written as a pickle: all that `readPickle` returns, and plain objects as `dict`. */
export type PickleInput =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleFloat
  | PickleTuple<unknown>
  | PickleReference
  | NumpyScalar
  | NumpyDtype
  | PickleArrayInput
  | readonly PickleInput[]
  | ReadonlyMap<PickleInput, PickleInput>
  | ReadonlySet<PickleInput>
  | { readonly [key: string]: PickleInput };

/**
 * The pickle of a value, protocol 4: byte for byte what Python 3.11 with NumPy 1 writes, where equal
 * texts are one object there. Python reads it with NumPy 1 and 2, without warnings.
 *
 * Whole numbers become `int`, other numbers `float` (whole ones with {@linkcode PickleFloat}), plain
 * objects `dict`, `{dtype, shape, data}` NumPy arrays. What occurs several times, or holds itself,
 * is written once.
 *
 * @param value to write
 * @returns the whole file
 * @throws {TypeError} naming the place of what has no counterpart in Python
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { encodePickle, readPickle } from "./mod.ts";
 *
 * const action = { dtype: "float32", shape: [1, 2], data: new Float32Array([0.5, -2]) };
 * const bytes = encodePickle({ action, instruction: "insert" });
 * assert.deepEqual(readPickle(bytes), new Map(Object.entries({ action, instruction: "insert" })));
 * assert.throws(() => encodePickle([undefined as never]), /value\[0\].*undefined/);
 * ```
 */
export function encodePickle(value: PickleInput): Uint8Array<ArrayBuffer> {
  const pieces = encode(value);
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

/**
 * Writes a value as a pickle; as {@linkcode encodePickle}, without copying large arrays. The file is
 * there as a whole or not at all.
 *
 * @param path of the file; its folder must exist
 * @param value to write
 * @throws {TypeError} naming the place of what has no counterpart in Python; nothing is written then
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { readPickle, writePickle } from "./mod.ts";
 *
 * const path = `${Deno.makeTempDirSync()}/views.pkl`;
 * writePickle(path, ["View1_left", "View1_right"]);
 * assert.deepEqual(readPickle(path), ["View1_left", "View1_right"]);
 * ```
 */
export function writePickle(path: string, value: PickleInput): void {
  const pieces = encode(value);
  writeFileAtomic(path, (file) => {
    for (const piece of pieces) writeAll(file, piece);
  });
}

function encode(value: PickleInput): readonly Uint8Array[] {
  const allowed = ", NumpyScalar or {dtype, shape, data}";
  const encoder = new PickleEncoder({ protocol: 4, reduce: numpyReducer(), allowed });
  encoder.save(value);
  return encoder.output.finish();
}
