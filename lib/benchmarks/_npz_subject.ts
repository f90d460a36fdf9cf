/** Reading arrays of an NPZ archive, with the check of their CRC-32s. */
import type { NpyArray } from "../formats/npy_types.ts";
import { openNpz, readNpz } from "../formats/npz_reader.ts";
import { checksum } from "./_checksums.ts";
import type { Subject } from "./_subject.ts";

/** Which arrays of which archive. */
export interface NpzConfig {
  readonly path: string;
  /** Only this array; default all of them. */
  readonly member?: string;
}

/** What reading the archive found: CRC-32 of each array. */
export interface NpzFacts {
  readonly checksums: Readonly<Record<string, number>>;
}

/** Reads the arrays once. */
export function npzSubject({ path, member }: NpzConfig): Subject {
  const read = (): Record<string, NpyArray> => {
    if (member === undefined) return readNpz(path);
    using archive = openNpz(path);
    return { [member]: archive.read(member) };
  };
  const checksums = Object.fromEntries(
    Object.entries(read()).map(([name, { data }]) => [name, checksum(data as Float32Array)]),
  );
  const facts: NpzFacts = { checksums };
  return { facts: { ...facts }, run: () => void read(), repeats: 1, release: () => {} };
}
