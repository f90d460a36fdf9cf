import { fail } from "./_fail.ts";
import { storedMember, streamMember } from "./_zip_member.ts";
import { type NpyReader, npyReader } from "./npy_reader.ts";
import type { NpyArray, NpyDType, NpyDTypePattern, NpyExpect } from "./npy_types.ts";
import { openRandomAccess, type RandomAccessFile } from "./random_access_file.ts";
import { readZipDirectory, type ZipEntry } from "./zip.ts";

/** An `.npz` archive: arrays by name, each read when it is asked for. */
export interface NpzReader extends Disposable {
  /** The path it was opened with. */
  readonly path: string;
  /** The names of its arrays, without `.npy`, in the archive's order. */
  readonly names: readonly string[];
  /**
   * Opens one array to read rows of it; its bytes are read only as rows are asked for.
   *
   * Rows of a stored array are read where they lie; their CRC-32 cannot be checked then. Rows of a
   * deflated array are unpacked from its beginning up to the rows, or on from the rows read last, in
   * flat memory; the CRC-32 is checked when the last row is reached.
   *
   * @throws {RangeError} when there is none of this name
   * @throws {SyntaxError} when it is damaged or not what is expected
   */
  member<D extends NpyDTypePattern = NpyDType>(name: string, expect?: NpyExpect<D>): NpyReader<D>;
  /**
   * Opens one array to read its rows from front to back, stored or deflated, in flat memory; the CRC-32
   * is checked when the last row is reached. Going back begins anew.
   *
   * @throws {RangeError} when there is none of this name
   * @throws {SyntaxError} when it is damaged or not what is expected
   */
  stream<D extends NpyDTypePattern = NpyDType>(name: string, expect?: NpyExpect<D>): NpyReader<D>;
  /**
   * Reads one array and checks its CRC-32.
   *
   * @throws {RangeError} when there is none of this name
   * @throws {SyntaxError} when it is damaged or not what is expected
   */
  read<D extends NpyDTypePattern = NpyDType>(name: string, expect?: NpyExpect<D>): NpyArray<D>;
  /** Closes the archive and all that was opened from it; closing twice is harmless. */
  close(): void;
}

/**
 * Opens an `.npz` archive; only its directory is read, however large it is.
 *
 * @param path of the archive, or something that reads like one
 * @returns the open archive; close it, or hold it with `using`
 * @throws {SyntaxError} with path and byte offset when the directory is damaged, or two arrays have
 * one name
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { openNpz, writeNpz } from "./mod.ts";
 *
 * const path = `${Deno.makeTempDirSync()}/episode.npz`;
 * writeNpz(path, {
 *   time: { data: new Float64Array([0, 0.1, 0.2]) },
 *   pose: { shape: [3, 2], data: new Float32Array([1, 2, 3, 4, 5, 6]) },
 * });
 * using episode = openNpz(path);
 * assert.deepEqual(episode.names, ["time", "pose"]);
 * assert.equal(episode.read("time", { dtype: "float64" }).data[1], 0.1);
 * assert.deepEqual(episode.member("pose").readRows(2, 3), new Float32Array([5, 6]));
 * ```
 */
export function openNpz(path: string | RandomAccessFile): NpzReader {
  const file = typeof path === "string" ? openRandomAccess(path) : path;
  try {
    return npzReader(file);
  } catch (error) {
    file.close();
    throw error;
  }
}

/**
 * Reads all arrays of an `.npz` archive and checks their CRC-32s.
 *
 * @param path of the archive
 * @returns the arrays by name
 * @throws {SyntaxError} with path and byte offset when the archive is damaged
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { readNpz, writeNpz } from "./mod.ts";
 *
 * const path = `${Deno.makeTempDirSync()}/names.npz`;
 * writeNpz(path, { views: { data: ["top", "left"] } }, { compressed: true });
 * assert.deepEqual(readNpz(path).views?.data, ["top", "left"]);
 * ```
 */
export function readNpz(path: string): Record<string, NpyArray> {
  using reader = openNpz(path);
  return Object.fromEntries(reader.names.map((name) => [name, reader.read(name)]));
}

function npzReader(file: RandomAccessFile): NpzReader {
  const entries = arraysByName(file);
  const names = [...entries.keys()];
  const find = (name: string): ZipEntry => {
    const entry = entries.get(name) ?? entries.get(withoutSuffix(name));
    if (entry !== undefined) return entry;
    const shown = names.slice(0, 20).join(", ") + (names.length > 20 ? ", …" : "");
    throw new RangeError(
      `Cannot read ${file.path}: it should hold an array "${name}", current value is ${
        shown || "an empty archive"
      }.`,
    );
  };
  return {
    path: file.path,
    names,
    member(name, expect = {}) {
      const entry = find(name);
      const open = entry.method === 0 ? storedMember : streamMember;
      return npyReader(open(file, entry), expect);
    },
    stream: (name, expect = {}) => npyReader(streamMember(file, find(name)), expect),
    read(name, expect = {}) {
      using stream = streamMember(file, find(name));
      const array = npyReader(stream, expect).read();
      stream.finish();
      return array;
    },
    close: () => file.close(),
    [Symbol.dispose]: () => file.close(),
  };
}

function arraysByName(file: RandomAccessFile): Map<string, ZipEntry> {
  const entries = new Map<string, ZipEntry>();
  for (const entry of readZipDirectory(file)) {
    const name = withoutSuffix(entry.name), other = entries.get(name);
    if (other !== undefined) {
      fail(
        file.path,
        entry.headerOffset,
        `the name "${name}" should stand for one array`,
        `${other.name} at byte ${other.headerOffset}, and ${entry.name}`,
      );
    }
    entries.set(name, entry);
  }
  return entries;
}

function withoutSuffix(name: string): string {
  return name.endsWith(".npy") ? name.slice(0, -4) : name;
}
