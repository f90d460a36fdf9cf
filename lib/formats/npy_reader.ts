import { dtypeOfName } from "./_dtype.ts";
import { reverseWords } from "./_byte_order.ts";
import { fail } from "./_fail.ts";
import { allocate } from "./_allocate.ts";
import { checkBooleans, decodeElements } from "./_npy_decode.ts";
import { formatShape } from "./_npy_dtype.ts";
import { type NpyHeader, readNpyHeader } from "./_npy_header.ts";
import type {
  NpyArray,
  NpyArrayOf,
  NpyData,
  NpyDType,
  NpyDTypePattern,
  NpyExpect,
  NpyTypedArray,
} from "./npy_types.ts";
import { openRandomAccess, type RandomAccessFile } from "./random_access_file.ts";

/** An `.npy` file of which any rows can be read; a row is all that has one index of the first axis. */
export interface NpyReader<D extends NpyDTypePattern = NpyDType> extends Disposable {
  /** The path it was opened with; for a member of an archive also the member's name. */
  readonly path: string;
  /** NumPy's name of the dtype. */
  readonly dtype: NpyArrayOf<D>["dtype"];
  /** Length along each axis. */
  readonly shape: readonly number[];
  /** Length along the first axis; a single value counts as one row. */
  readonly rows: number;
  /** Elements in a row. */
  readonly rowLength: number;
  /**
   * Reads rows `start` to `end` (not included), in C order. Only their bytes are read.
   *
   * @throws {RangeError} when there are no such rows
   */
  readRows(start: number, end: number): NpyData<D>;
  /**
   * Fills `target` with the rows that begin at `start`: as many as it has room for.
   *
   * @param target of the dtype's class; its length must be a multiple of a row's
   * @throws {RangeError} when there are no such rows
   * @throws {TypeError} when `target` is of another class
   */
  readRowsInto(start: number, target: NpyTypedArray): void;
  /** Reads the whole array. */
  read(): NpyArray<D>;
  /** Closes the file; closing twice is harmless. */
  close(): void;
}

/**
 * Opens an `.npy` file to read rows of it, however large it is.
 *
 * Fortran order is read run by run (a row range of an array with many columns is slow there), the
 * other byte order is reversed. Structured dtypes and texts can be read too, by `readRows`.
 *
 * @param path of the file, or something that reads like one
 * @param expect dtype and shape that it should have; default any
 * @returns the open array; close it, or hold it with `using`
 * @throws {SyntaxError} with path and byte offset when the file is damaged or not what is expected
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { openNpy, writeNpy } from "./mod.ts";
 *
 * const path = `${Deno.makeTempDirSync()}/state.npy`;
 * writeNpy(path, { shape: [1000, 2], data: Float32Array.from({ length: 2000 }, (_, i) => i) });
 * using state = openNpy(path, { dtype: "float32", shape: [null, 2] });
 * assert.equal(state.rows, 1000);
 * assert.deepEqual(state.readRows(500, 502), new Float32Array([1000, 1001, 1002, 1003]));
 * ```
 */
export function openNpy<D extends NpyDTypePattern = NpyDType>(
  path: string | RandomAccessFile,
  expect: NpyExpect<D> = {},
): NpyReader<D> {
  const file = typeof path === "string" ? openRandomAccess(path) : path;
  try {
    return npyReader(file, expect);
  } catch (error) {
    file.close();
    throw error;
  }
}

/** The reader of what an open file holds; closing it closes the file. */
export function npyReader<D extends NpyDTypePattern = NpyDType>(
  file: RandomAccessFile,
  expect: NpyExpect<D>,
): NpyReader<D> {
  const { path } = file;
  const header = readNpyHeader(file);
  const { layout, shape, dataOffset } = header;
  checkExpected(header, path, expect);
  const rows = shape[0] ?? 1;
  const rowLength = shape.slice(1).reduce((product, size) => product * size, 1);
  const rowBytes = rowLength * layout.bytes;
  const numbers = layout.kind === "number" ? dtypeOfName(layout.name)!.words : 1;

  const checkRows = (start: number, end: number) => {
    if (
      !Number.isInteger(start) || !Number.isInteger(end) || start < 0 || start > end || end > rows
    ) {
      throw new RangeError(
        `Cannot read rows ${start} to ${end} of ${path}: rows 0 to ${rows} can be read, current ` +
          `value is ${start} to ${end}.`,
      );
    }
  };
  /** The bytes of rows as the file has them. */
  const fill = (target: Uint8Array<ArrayBuffer>, start: number, end: number) => {
    const whole = start === 0 && end === rows;
    if (!header.fortranOrder || rowLength <= 1 || whole) {
      file.readInto(target, dataOffset + start * rowBytes);
      return;
    }
    const run = (end - start) * layout.bytes;
    if (run === 0) return;
    for (let column = 0; column < rowLength; column++) {
      const offset = dataOffset + (column * rows + start) * layout.bytes;
      file.readInto(target.subarray(column * run, (column + 1) * run), offset);
    }
  };
  const decode = (start: number, end: number): NpyData => {
    const buffer = allocate((end - start) * rowBytes);
    fill(new Uint8Array(buffer), start, end);
    const part = shape.length === 0 ? [] : [end - start, ...shape.slice(1)];
    const place = { path, offset: dataOffset + start * rowBytes };
    return decodeElements(buffer, layout, part, header.fortranOrder, place);
  };

  return {
    path,
    dtype: layout.name as NpyArrayOf<D>["dtype"],
    shape,
    rows,
    rowLength,
    readRows(start, end) {
      checkRows(start, end);
      return decode(start, end) as NpyData<D>;
    },
    readRowsInto(start, target) {
      checkTarget(header, path, target);
      const perRow = rowLength * numbers;
      const count = perRow === 0 ? 0 : target.length / perRow;
      if (!Number.isInteger(count) || (perRow === 0 && target.length > 0)) {
        throw new RangeError(
          `Cannot read rows of ${path}: the length of the target should be a multiple of ${perRow}, ` +
            `current value is ${target.length}.`,
        );
      }
      checkRows(start, start + count);
      if (header.fortranOrder && rowLength > 1) {
        (target as Float32Array).set(decode(start, start + count) as Float32Array);
        return;
      }
      file.readInto(target, dataOffset + start * rowBytes);
      const { buffer, byteOffset, byteLength } = target;
      if (layout.swapped) {
        reverseWords(buffer as ArrayBuffer, byteOffset, byteLength, layout.wordBytes);
      }
      if (layout.name === "bool") {
        checkBooleans(target as Uint8Array, { path, offset: dataOffset + start * rowBytes });
      }
    },
    read: () => ({ dtype: layout.name, shape, data: decode(0, rows) }) as NpyArray<D>,
    close: () => file.close(),
    [Symbol.dispose]: () => file.close(),
  };
}

function checkTarget({ layout }: NpyHeader, path: string, target: NpyTypedArray): void {
  const fits = layout.kind === "number"
    ? dtypeOfName(layout.name)!.holds(target)
    : layout.kind === "time" && target instanceof BigInt64Array;
  if (fits) return;
  throw new TypeError(
    `Cannot read rows of ${path} into the target: it should hold ${layout.name}, current value ` +
      `is a ${target.constructor.name}. ${
        layout.kind === "number" || layout.kind === "time" ? "" : "Use readRows."
      }`.trimEnd(),
  );
}

function checkExpected({ layout, shape }: NpyHeader, path: string, expect: NpyExpect): void {
  const { dtype } = expect;
  const isText = (dtype === "U" && layout.kind === "text") ||
    (dtype === "S" && layout.kind === "bytes");
  if (dtype !== undefined && dtype !== layout.name && !isText) {
    fail(path, 0, `its dtype should be ${dtype}`, layout.name);
  }
  const sizes = expect.shape;
  if (sizes === undefined) return;
  if (sizes.length !== shape.length || sizes.some((n, i) => n !== null && n !== shape[i])) {
    const pattern = sizes.map((size) => size ?? "any");
    fail(path, 0, `its shape should be (${pattern.join(", ")})`, formatShape(shape));
  }
}
