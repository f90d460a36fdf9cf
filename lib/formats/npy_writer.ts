import { elementCount } from "./_dtype.ts";
import { checkClass, numberBytes, numbersOf, textBytes } from "./_npy_encode.ts";
import { layoutOf, type NpyLayout } from "./_npy_dtype.ts";
import { encodeNpyHeader } from "./_npy_header.ts";
import { createPartialFile, writeAll } from "./_partial_file.ts";
import type { NpyData, NpyDType, NpyTypedArray } from "./npy_types.ts";

/** What rows are appended as: a typed array of the dtype's class, or texts. */
export type NpyRows<D extends NpyDType> = NpyData<D> extends readonly string[] ? readonly string[]
  : NpyTypedArray;

/** An array that is being written, row by row. */
export interface NpyWriter<D extends NpyDType = NpyDType> extends Disposable {
  /** Rows appended so far. */
  readonly rows: number;
  /**
   * Appends rows.
   *
   * @param rows in C order, of the dtype's class; any number of whole rows
   * @throws {TypeError} when `rows` is of another class
   * @throws {RangeError} when it does not end with a whole row
   */
  append(rows: NpyRows<D>): void;
  /** Writes the number of rows into the header and puts the array in its place. */
  close(): void;
  /** Drops the array unless it was closed. */
  [Symbol.dispose](): void;
}

/** What all rows of an array have in common. */
export interface NpyRowType<D extends NpyDType = NpyDType> {
  /** NumPy's name of the dtype; of texts with their width. Not `structured`. */
  readonly dtype: D;
  /** Shape of one row, without empty axes. Default `[]`: a row is one element. */
  readonly rowShape?: readonly number[];
}

/** Where the bytes of an array go. */
export interface NpySink {
  /** Writes at the end. */
  write(bytes: Uint8Array): void;
  /** Writes the header again, which has kept its length, and ends the array. */
  end(header: Uint8Array<ArrayBuffer>): void;
  /** Drops what was written. */
  drop(): void;
}

/**
 * Begins an `.npy` file whose number of rows is known only at the end, in flat memory.
 *
 * The file takes its place at `close()`; until then, and if the writer is disposed of without it, an
 * older file stays as it was.
 *
 * @param path of the file
 * @param type dtype and shape of a row
 * @returns the writer; hold it with `using`, and close it when all is written
 * @throws {TypeError} when there is no such dtype or shape
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createNpyWriter, readNpy } from "./mod.ts";
 *
 * const path = `${Deno.makeTempDirSync()}/force.npy`;
 * {
 *   using writer = createNpyWriter(path, { dtype: "float32", rowShape: [3] });
 *   for (let t = 0; t < 100; t++) writer.append(new Float32Array([t, 0, -t]));
 *   writer.close();
 * }
 * assert.deepEqual(readNpy(path).shape, [100, 3]);
 * ```
 */
export function createNpyWriter<D extends NpyDType>(
  path: string,
  type: NpyRowType<D>,
): NpyWriter<D> {
  const layout = rowLayout(type);
  const partial = createPartialFile(path);
  return npyWriter(path, type, layout, {
    write: (bytes) => writeAll(partial.file, bytes),
    end(header) {
      partial.file.seekSync(0, Deno.SeekMode.Start);
      writeAll(partial.file, header);
      partial.commit();
    },
    drop: () => partial[Symbol.dispose](),
  });
}

/** The layout of the elements in a row. */
export function rowLayout({ dtype, rowShape = [] }: NpyRowType): NpyLayout {
  const layout = layoutOf(dtype);
  if (layout === undefined) {
    throw new TypeError(
      `Cannot write rows: their dtype should be one with a fixed width, current value is ${dtype}.`,
    );
  }
  if (!(elementCount(rowShape) > 0)) {
    throw new TypeError(
      `Cannot write rows: their shape should be sizes from 1, current value is [${rowShape}].`,
    );
  }
  return layout;
}

/** The writer of rows into a sink. */
export function npyWriter<D extends NpyDType>(
  path: string,
  { rowShape = [] }: NpyRowType<D>,
  layout: NpyLayout,
  sink: NpySink,
): NpyWriter<D> {
  const isText = layout.kind === "text" || layout.kind === "bytes";
  const perRow = elementCount(rowShape) * numbersOf(layout);
  let rows = 0;
  let state: "open" | "closed" | "dropped" | "broken" = "open";
  const checkOpen = () => {
    if (state === "open") return;
    throw new TypeError(
      `Cannot write rows to ${path}: it should be open, current value is ${state}.`,
    );
  };
  /** A write that fails half way leaves nothing that could be completed. */
  const write = (bytes: Uint8Array) => {
    state = "broken";
    sink.write(bytes);
    state = "open";
  };
  try {
    write(encodeNpyHeader(layout, [0, ...rowShape]));
  } catch (error) {
    sink.drop();
    throw error;
  }
  return {
    get rows() {
      return rows;
    },
    append(data) {
      checkOpen();
      if (!isText || !Array.isArray(data)) checkClass(layout, data);
      const count = data.length / perRow;
      if (!Number.isInteger(count)) {
        throw new RangeError(
          `Cannot write rows to ${path}: the number of values should be a multiple of ${perRow}, ` +
            `current value is ${data.length}.`,
        );
      }
      write(
        isText
          ? textBytes(layout, data as readonly string[])
          : numberBytes(layout, data as NpyTypedArray),
      );
      rows += count;
    },
    close() {
      checkOpen();
      state = "broken";
      sink.end(encodeNpyHeader(layout, [rows, ...rowShape]));
      state = "closed";
    },
    [Symbol.dispose]() {
      if (state === "closed" || state === "dropped") return;
      state = "dropped";
      sink.drop();
    },
  };
}
