import { encodeElements } from "./_npy_encode.ts";
import { encodeNpyHeader } from "./_npy_header.ts";
import { createPartialFile } from "./_partial_file.ts";
import { createZipWriter } from "./_zip_writer.ts";
import { type NpyRowType, type NpyWriter, npyWriter, rowLayout } from "./npy_writer.ts";
import type { NpyDType, NpyInput } from "./npy_types.ts";

/** An `.npz` archive that is being written, array by array. */
export interface NpzWriter extends Disposable {
  /**
   * Adds a whole array.
   *
   * @param name without `.npy`
   * @throws {RangeError} when the name is taken, empty or too long
   * @throws {TypeError} when dtype, shape and data do not belong together
   */
  add(name: string, array: NpyInput): void;
  /**
   * Begins an array that is written row by row; it must be closed before the next one begins.
   *
   * @param name without `.npy`
   * @throws {RangeError} when the name is taken, empty or too long
   */
  open<D extends NpyDType>(name: string, type: NpyRowType<D>): NpyWriter<D>;
  /** Writes the directory and puts the archive in its place. */
  close(): void;
  /** Drops the archive unless it was closed. */
  [Symbol.dispose](): void;
}

/** How an archive is written. */
export interface NpzOptions {
  /** Whether arrays are deflated, as `numpy.savez_compressed` does. Default false. */
  readonly compressed?: boolean;
}

/**
 * Begins an `.npz` archive whose arrays need not be in memory together, nor as a whole.
 *
 * Equal arrays give equal bytes; without compression those that `numpy.savez` writes. The archive
 * takes its place at `close()`; until then, and if the writer is disposed of without it, an older
 * file stays as it was.
 *
 * @param path of the archive
 * @param options whether to compress
 * @returns the writer; hold it with `using`, and close it when all is written
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createNpzWriter, readNpz } from "./mod.ts";
 *
 * const path = `${Deno.makeTempDirSync()}/recording.npz`;
 * {
 *   using archive = createNpzWriter(path);
 *   archive.add("rate", { shape: [], data: new Float64Array([650]) });
 *   const force = archive.open("force", { dtype: "float32", rowShape: [3] });
 *   for (let t = 0; t < 10; t++) force.append(new Float32Array([t, 0, -t]));
 *   force.close();
 *   archive.close();
 * }
 * assert.deepEqual(readNpz(path).force?.shape, [10, 3]);
 * ```
 */
export function createNpzWriter(path: string, options: NpzOptions = {}): NpzWriter {
  return npzWriter(path, options, {});
}

/**
 * Writes arrays to an `.npz` archive, which is either there as a whole or not at all.
 *
 * @param path of the archive
 * @param arrays by name, without `.npy`; written in this order
 * @param options whether to compress
 * @throws {TypeError} when dtype, shape and data of an array do not belong together
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { openNpz, writeNpz } from "./mod.ts";
 *
 * const path = `${Deno.makeTempDirSync()}/norm.npz`;
 * writeNpz(path, { mean: { data: new Float32Array(7) }, std: { data: new Float32Array(7).fill(1) } });
 * using norm = openNpz(path);
 * assert.equal(norm.read("std", { dtype: "float32", shape: [7] }).data[6], 1);
 * ```
 */
export function writeNpz(
  path: string,
  arrays: Readonly<Record<string, NpyInput>>,
  options: NpzOptions = {},
): void {
  using writer = createNpzWriter(path, options);
  for (const [name, array] of Object.entries(arrays)) writer.add(name, array);
  writer.close();
}

/** As {@linkcode createNpzWriter}; lower limits let small archives have the form of huge ones. */
export function npzWriter(
  path: string,
  { compressed = false }: NpzOptions,
  limits: { readonly bytes?: number; readonly count?: number },
): NpzWriter {
  const partial = createPartialFile(path);
  const zip = createZipWriter(partial.file, compressed, limits);
  const names = new Set<string>();
  /** What is being written, or why nothing more can be. */
  let busy: string | undefined;
  const checkName = (name: string) => {
    if (busy !== undefined) {
      throw new TypeError(
        `Cannot add "${name}" to ${path}: nothing else should be unfinished, current value is ` +
          `${busy}.`,
      );
    }
    const bytes = new TextEncoder().encode(`${name}.npy`).length;
    if (names.has(name) || name === "" || bytes > 0xffff) {
      throw new RangeError(
        `Cannot add an array to ${path}: its name should be new and hold 1 to 65531 bytes, ` +
          `current value is "${name.slice(0, 60)}".`,
      );
    }
    names.add(name);
  };
  return {
    add(name, array) {
      const { layout, shape, bytes } = encodeElements(array);
      checkName(name);
      const header = encodeNpyHeader(layout, shape);
      busy = `the broken array "${name}"`;
      zip.begin(`${name}.npy`, header);
      zip.write(bytes);
      zip.end(header);
      busy = undefined;
    },
    open(name, type) {
      const layout = rowLayout(type);
      checkName(name);
      busy = `the array "${name}", which was not closed`;
      let isBegun = false;
      return npyWriter(`${path}, member ${name}`, type, layout, {
        write(bytes) {
          if (isBegun) zip.write(bytes);
          else zip.begin(`${name}.npy`, bytes);
          isBegun = true;
        },
        end(header) {
          zip.end(header);
          busy = undefined;
        },
        drop() {},
      });
    },
    close() {
      if (busy !== undefined) {
        throw new TypeError(
          `Cannot close ${path}: all should be finished, current value is ${busy}.`,
        );
      }
      busy = "nothing: it was closed";
      zip.finish();
      partial.commit();
    },
    [Symbol.dispose]() {
      busy ??= "nothing: it was dropped";
      partial[Symbol.dispose]();
    },
  };
}
