import { allocate } from "./_allocate.ts";
import { checkBooleans } from "./_npy_decode.ts";
import { nearestName } from "./_nearest_name.ts";
import { readHeader, type SafetensorsEntry } from "./_safetensors_header.ts";
import { checkRows, checkTarget, checkTensor } from "./_tensor_dtype.ts";
import { openRandomAccess, type RandomAccessFile } from "./random_access_file.ts";
import type {
  StoredTensor,
  TensorArray,
  TensorDataTypes,
  TensorDtype,
  TensorExpect,
} from "./tensor_types.ts";

/** A safetensors file: tensors by name, each read when it is asked for. */
export interface SafetensorsReader extends Disposable {
  /** The path it was opened with. */
  readonly path: string;
  /** The texts of `__metadata__`; an object without a prototype. */
  readonly metadata: Readonly<Record<string, string>>;
  /** The names of its tensors, in the order of their data. */
  readonly names: readonly string[];
  /**
   * A tensor whose elements are read when they are asked for.
   *
   * @param name of the tensor
   * @param expect dtype and shape that it should have; default any
   * @returns the tensor; it can be read until the file is closed
   * @throws {RangeError} when there is none of this name
   * @throws {SyntaxError} when it is not what is expected
   */
  tensor<D extends TensorDtype = TensorDtype>(
    name: string,
    expect?: TensorExpect<D>,
  ): StoredTensor<D>;
  /**
   * Reads a whole tensor into new memory.
   *
   * @param name of the tensor
   * @param expect dtype and shape that it should have; default any
   * @returns dtype, shape and data
   * @throws {RangeError} when there is none of this name
   * @throws {SyntaxError} when it is not what is expected
   */
  read<D extends TensorDtype = TensorDtype>(name: string, expect?: TensorExpect<D>): TensorArray<D>;
  /** Closes the file; closing twice is harmless. */
  close(): void;
}

/**
 * Opens a safetensors file; only its header is read, however large it is.
 *
 * The header must be as the format says: no key twice, every byte of the data in exactly one
 * tensor. Types of 8 bits are read as bytes; those of 4 and 6 bits are refused.
 *
 * Format: Hugging Face, safetensors, "Format".
 *
 * @param path of the file, or something that reads like one
 * @returns the open file; close it, or hold it with `using`
 * @throws {SyntaxError} with path and byte offset when the header is damaged or does not fit the
 * file
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { openSafetensors, writeSafetensors } from "./mod.ts";
 *
 * const path = `${Deno.makeTempDirSync()}/model.safetensors`;
 * writeSafetensors(path, {
 *   "out_proj.weight": { dtype: "float32", shape: [3, 2], data: new Float32Array([1, 2, 3, 4, 5, 6]) },
 *   "bn1.num_batches_tracked": { dtype: "int64", shape: [], data: new BigInt64Array([7n]) },
 * }, { program: "regression" });
 * using model = openSafetensors(path);
 * assert.deepEqual(model.names, ["bn1.num_batches_tracked", "out_proj.weight"]);
 * assert.equal(model.metadata.program, "regression");
 * const { data } = model.read("out_proj.weight", { dtype: "float32", shape: [null, 2] });
 * assert.equal(data[5], 6);
 * assert.deepEqual(model.tensor("out_proj.weight").readRows(1, 2), new Float32Array([3, 4]));
 * ```
 */
export function openSafetensors(path: string | RandomAccessFile): SafetensorsReader {
  const file = typeof path === "string" ? openRandomAccess(path) : path;
  try {
    return safetensorsReader(file);
  } catch (error) {
    file.close();
    throw error;
  }
}

function safetensorsReader(file: RandomAccessFile): SafetensorsReader {
  const { path } = file;
  const { metadata, entries } = readHeader(file);
  const names = [...entries.keys()];
  const tensor = <D extends TensorDtype>(name: string, expect: TensorExpect<D> = {}) => {
    const entry = entries.get(name) ?? unknownTensor(path, name, names);
    checkTensor(path, name, { dtype: entry.layout.name, shape: entry.shape }, expect);
    return storedTensor(file, entry) as unknown as StoredTensor<D>;
  };
  return {
    path,
    metadata,
    names,
    tensor,
    read: (name, expect) => tensor(name, expect).read(),
    close: () => file.close(),
    [Symbol.dispose]: () => file.close(),
  };
}

function storedTensor(file: RandomAccessFile, entry: SafetensorsEntry): StoredTensor {
  const { path } = file;
  const { name, layout, shape, start } = entry;
  const bytes = entry.end - start, rows = shape[0] ?? 1;
  const fill = (target: ArrayBufferView<ArrayBuffer>, offset: number) => {
    file.readInto(target, offset);
    if (layout.name !== "bool") return;
    const { buffer, byteOffset, byteLength } = target;
    checkBooleans(new Uint8Array(buffer, byteOffset, byteLength), { path, offset });
  };
  const readRows = (from: number, to: number) => {
    checkRows(path, name, rows, from, to);
    const rowBytes = rows === 0 ? 0 : bytes / rows;
    const buffer = allocate((to - from) * rowBytes);
    fill(new Uint8Array(buffer), start + from * rowBytes);
    return layout.view(buffer, 0, buffer.byteLength / layout.wordBytes);
  };
  return {
    dtype: layout.name,
    shape,
    bytes,
    read: () => ({ dtype: layout.name, shape, data: readRows(0, rows) }) as TensorArray,
    readInto(target) {
      checkTarget(path, name, layout, bytes, target);
      fill(target, start);
    },
    readRows: readRows as (from: number, to: number) => TensorDataTypes[TensorDtype],
  };
}

function unknownTensor(path: string, name: string, names: readonly string[]): never {
  const nearest = nearestName(name, names);
  const shown = names.slice(0, 5).join(", ") + (names.length > 5 ? ", …" : "");
  throw new RangeError(
    `Cannot read ${path}: it should hold a tensor "${name}", current value is ${names.length} ` +
      `tensors${shown && ` (${shown})`}.${nearest === undefined ? "" : ` Is it "${nearest}"?`}`,
  );
}
