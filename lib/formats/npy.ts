import { encodeElements } from "./_npy_encode.ts";
import { encodeNpyHeader } from "./_npy_header.ts";
import { writeAll } from "./_partial_file.ts";
import { writeFileAtomic } from "./atomic_write.ts";
import { fromBytes } from "./bytes_file.ts";
import { npyReader, openNpy } from "./npy_reader.ts";
import type { NpyArray, NpyDType, NpyDTypePattern, NpyExpect, NpyInput } from "./npy_types.ts";

/**
 * Reads a NumPy array from an `.npy` file.
 *
 * Format: NumPy's `numpy.lib.format`, versions 1.0 to 3.0. All dtypes but Python objects, raw bytes,
 * extended precision and nested structures; either byte order and either order of the axes come
 * out in C order and the machine's byte order. The file must be exactly as long as it says.
 *
 * @param path of the file
 * @param expect dtype and shape that it should have (`null` for any length); default any. A dtype
 * also sets the type of the data.
 * @returns dtype, shape and data
 * @throws {SyntaxError} with path and byte offset when the file is damaged or not what is expected
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { readNpy, writeNpy } from "./mod.ts";
 *
 * const path = `${Deno.makeTempDirSync()}/pose.npy`;
 * writeNpy(path, { shape: [2, 3], data: new Float32Array([1, 2, 3, 4, 5, 6]) });
 * const { data, shape } = readNpy(path, { dtype: "float32", shape: [null, 3] });
 * assert.equal(data[shape[1]! + 1], 5);
 * assert.throws(() => readNpy(path, { dtype: "float64" }), /pose.npy.*float64.*float32/);
 * ```
 */
export function readNpy<D extends NpyDTypePattern = NpyDType>(
  path: string,
  expect: NpyExpect<D> = {},
): NpyArray<D> {
  using reader = openNpy(path, expect);
  return reader.read();
}

/**
 * Reads a NumPy array from the bytes of an `.npy` file; as {@linkcode readNpy} does.
 *
 * @param bytes the whole file; they are copied
 * @param options what stands in error messages in the place of a path, and dtype and shape expected
 * @returns dtype, shape and data
 * @throws {SyntaxError} with byte offset when the bytes are damaged or not what is expected
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { decodeNpy, encodeNpy } from "./mod.ts";
 *
 * const bytes = encodeNpy({ dtype: "U3", data: ["in", "out"] });
 * assert.deepEqual(decodeNpy(bytes), { dtype: "U3", shape: [2], data: ["in", "out"] });
 * assert.throws(() => decodeNpy(bytes.subarray(0, -1)), SyntaxError);
 * ```
 */
export function decodeNpy<D extends NpyDTypePattern = NpyDType>(
  bytes: Uint8Array,
  options: NpyExpect<D> & { readonly path?: string } = {},
): NpyArray<D> {
  const file = fromBytes(bytes, options.path ?? "the .npy bytes");
  return npyReader(file, options).read();
}

/**
 * The bytes of an `.npy` file; those that `numpy.save` writes for the same array in C order.
 *
 * @param array to write
 * @returns the whole file
 * @throws {TypeError} when dtype, shape and data do not belong together
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { encodeNpy } from "./mod.ts";
 *
 * assert.equal(encodeNpy({ data: new Float64Array(3) }).length, 128 + 3 * 8);
 * assert.throws(() => encodeNpy({ shape: [2, 2], data: new Float64Array(3) }), /4 elements/);
 * ```
 */
export function encodeNpy(array: NpyInput): Uint8Array<ArrayBuffer> {
  const { layout, shape, bytes } = encodeElements(array);
  const header = encodeNpyHeader(layout, shape);
  const whole = new Uint8Array(header.length + bytes.length);
  whole.set(header);
  whole.set(bytes, header.length);
  return whole;
}

/**
 * Writes a NumPy array to an `.npy` file, which is either there as a whole or not at all.
 *
 * @param path of the file
 * @param array to write
 * @throws {TypeError} when dtype, shape and data do not belong together
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { readNpy, writeNpy } from "./mod.ts";
 *
 * const path = `${Deno.makeTempDirSync()}/valid.npy`;
 * writeNpy(path, { dtype: "bool", data: new Uint8Array([1, 0, 1]) });
 * assert.equal(readNpy(path).dtype, "bool");
 * ```
 */
export function writeNpy(path: string, array: NpyInput): void {
  const { layout, shape, bytes } = encodeElements(array);
  writeFileAtomic(path, (file) => {
    writeAll(file, encodeNpyHeader(layout, shape));
    writeAll(file, bytes);
  });
}
