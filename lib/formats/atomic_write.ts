import { basename, dirname, join } from "node:path";
import { exchangePaths } from "./_libc.ts";
import {
  createPartialFile,
  isThere,
  partialName,
  removeIfThere,
  removeLeftovers,
  syncFolder,
  writeAll,
} from "./_partial_file.ts";
import { errorCode, writeError, writing } from "./_write_error.ts";

/** What a step fails with where another process has just taken, moved or freed the place. */
const RACES = ["ENOENT", "ENOTEMPTY", "EEXIST"];
/** More processes never write one folder at one moment. */
const MAX_RACES = 100;

/**
 * Writes a file that is either there as a whole or not at all: into a new file beside it, synced to
 * disk, then renamed. A process killed in between leaves the old file, and beside it a name that
 * holds `.partial-`, which the next write to the same path removes.
 *
 * @param path of the file; its folder must exist
 * @param contents text, or a function that puts the contents into the new file
 * @throws what `contents` throws; then the old file is untouched and the new one removed
 * @throws {Error} with the path and what helps when the disk is full or read-only
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { writeFileAtomic } from "./atomic_write.ts";
 *
 * const path = `${Deno.makeTempDirSync()}/note.txt`;
 * writeFileAtomic(path, "whole");
 * assert.throws(() => writeFileAtomic(path, () => { throw new Error("disk on fire"); }));
 * assert.equal(Deno.readTextFileSync(path), "whole");
 * ```
 */
export function writeFileAtomic(
  path: string,
  contents: string | ((file: Deno.FsFile) => void),
): void {
  using partial = createPartialFile(path);
  if (typeof contents === "string") writeAll(partial.file, new TextEncoder().encode(contents));
  else contents(partial.file);
  partial.commit();
}

/** How a folder is put in place. */
export interface ReplaceFolderOptions {
  /**
   * Whether all files are on the disk before the folder takes its place, so that a power failure
   * finds it whole too; default true. Not needed for what can be made again.
   */
  readonly sync?: boolean;
}

/**
 * Puts a folder in place that is either there as a whole or not at all, also where an older one
 * stands: the new one is built beside it, synced, and exchanged with the old one in one step of the
 * file system (where it has none, the old one is first moved aside, and {@linkcode recoverFolder}
 * moves it back should the process die in between). Of several processes that write it at one
 * moment, the last one's stays.
 *
 * @param target the folder; its parent must exist
 * @param build fills the new folder, whose path it is given
 * @param options whether it is synced
 * @throws what `build` throws; then the old folder is untouched and the new one removed
 * @throws {Error} with the path and what helps when the disk is full or read-only
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { replaceFolderAtomic } from "./atomic_write.ts";
 *
 * const target = `${Deno.makeTempDirSync()}/episode`;
 * for (const text of ["old", "new"]) {
 *   await replaceFolderAtomic(target, (folder) => Deno.writeTextFileSync(`${folder}/a`, text));
 * }
 * assert.equal(Deno.readTextFileSync(`${target}/a`), "new");
 * ```
 */
export async function replaceFolderAtomic(
  target: string,
  build: (temporary: string) => Promise<void> | void,
  options: ReplaceFolderOptions = {},
): Promise<void> {
  const temporary = partialName(target);
  writing(target, () => {
    recoverFolder(target);
    removeLeftovers(target);
    Deno.mkdirSync(temporary);
  });
  try {
    await build(temporary);
    if (options.sync ?? true) syncTree(temporary);
    removeIfThere(takePlace(temporary, target));
  } catch (error) {
    removeIfThere(temporary);
    recoverFolder(target);
    throw writeError(target, error);
  }
  syncFolder(dirname(target));
}

/** Puts the new folder in place, and returns where the old one now is, if there was one. */
function takePlace(temporary: string, target: string): string {
  for (let races = 0;; races++) {
    try {
      return tryPlace(temporary, target);
    } catch (error) {
      const isRace = RACES.includes(errorCode(error) ?? "") && isThere(temporary);
      if (!isRace || races === MAX_RACES) throw error;
      recoverFolder(target);
    }
  }
}

function tryPlace(temporary: string, target: string): string {
  if (!isThere(target)) {
    Deno.renameSync(temporary, target);
    return temporary;
  }
  if (exchangePaths(temporary, target)) return temporary;
  const aside = asideName(target);
  Deno.renameSync(target, aside);
  Deno.renameSync(temporary, target);
  return aside;
}

/**
 * Moves a folder back that a killed {@linkcode replaceFolderAtomic} had moved aside; does nothing
 * where all is well. Readers call it before they open such a folder.
 *
 * @param target the folder as it should be
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { recoverFolder } from "./atomic_write.ts";
 *
 * const parent = Deno.makeTempDirSync();
 * Deno.mkdirSync(`${parent}/.episode.previous`); // a killed process left it there
 * recoverFolder(`${parent}/episode`);
 * assert(Deno.statSync(`${parent}/episode`).isDirectory);
 * ```
 */
export function recoverFolder(target: string): void {
  const aside = asideName(target);
  if (!isThere(aside)) return;
  if (isThere(target)) return removeIfThere(aside);
  try {
    Deno.renameSync(aside, target);
  } catch (error) {
    if (!isThere(target)) throw error; // another process was faster
  }
}

function asideName(target: string): string {
  return join(dirname(target), `.${basename(target)}.previous`);
}

function syncTree(folder: string): void {
  for (const { name, isDirectory, isFile } of Deno.readDirSync(folder)) {
    const path = join(folder, name);
    if (isDirectory) syncTree(path);
    else if (isFile) {
      using file = Deno.openSync(path);
      file.syncSync();
    }
  }
  syncFolder(folder);
}
