import { closeSync, fsyncSync, openSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { exchangePaths } from "./_libc.ts";

/** Marks what is still being written; such leftovers of a killed process may be deleted. */
const PARTIAL = ".partial-";

/**
 * Writes a file that is either there as a whole or not at all: into a new file beside it, synced to
 * disk, then renamed. A process killed in between leaves the old file, and beside it a name that
 * holds `.partial-`, which the next write to the same path removes.
 *
 * @param path of the file; its folder must exist
 * @param write puts the contents into the new file
 * @throws what `write` throws; then the old file is untouched and the new one removed
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { writeFileAtomic } from "./atomic_write.ts";
 *
 * const path = `${Deno.makeTempDirSync()}/note.txt`;
 * writeFileAtomic(path, (file) => file.writeSync(new TextEncoder().encode("whole")));
 * assert.throws(() => writeFileAtomic(path, () => { throw new Error("disk on fire"); }));
 * assert.equal(Deno.readTextFileSync(path), "whole");
 * ```
 */
export function writeFileAtomic(path: string, write: (file: Deno.FsFile) => void): void {
  const temporary = partialName(path);
  removeLeftovers(path);
  try {
    {
      using file = Deno.openSync(temporary, { createNew: true, write: true, read: true });
      write(file);
      file.syncSync();
    }
    Deno.renameSync(temporary, path);
  } catch (error) {
    removeIfThere(temporary);
    throw error;
  }
  syncFolder(dirname(path));
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
 * moves it back should the process die in between).
 *
 * @param target the folder; its parent must exist
 * @param build fills the new folder, whose path it is given
 * @param options whether it is synced
 * @throws what `build` throws; then the old folder is untouched and the new one removed
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
  recoverFolder(target);
  removeLeftovers(target);
  const temporary = partialName(target);
  Deno.mkdirSync(temporary);
  try {
    await build(temporary);
    if (options.sync ?? true) syncTree(temporary);
    if (!isThere(target)) {
      Deno.renameSync(temporary, target);
    } else if (exchangePaths(temporary, target)) {
      removeIfThere(temporary);
    } else {
      const aside = asideName(target);
      Deno.renameSync(target, aside);
      Deno.renameSync(temporary, target);
      removeIfThere(aside);
    }
  } catch (error) {
    removeIfThere(temporary);
    recoverFolder(target);
    throw error;
  }
  syncFolder(dirname(target));
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
  if (isThere(target)) removeIfThere(aside);
  else Deno.renameSync(aside, target);
}

function asideName(target: string): string {
  return join(dirname(target), `.${basename(target)}.previous`);
}

/** The name holds the process, so that two processes never build in one place. */
function partialName(path: string): string {
  const unique = crypto.randomUUID().slice(0, 8);
  return join(dirname(path), `.${basename(path)}${PARTIAL}${Deno.pid}-${unique}`);
}

/** Removes what processes that no longer run left behind. */
function removeLeftovers(path: string): void {
  const start = `.${basename(path)}${PARTIAL}`;
  for (const { name } of Deno.readDirSync(dirname(path))) {
    if (!name.startsWith(start)) continue;
    const pid = Number(/^\d+/.exec(name.slice(start.length))?.[0]);
    if (pid !== Deno.pid && !isRunning(pid)) removeIfThere(join(dirname(path), name));
  }
}

function isRunning(pid: number): boolean {
  if (Deno.build.os === "linux") return isThere(`/proc/${pid}`);
  try {
    Deno.kill(pid, "SIGCONT"); // no process notices it
    return true;
  } catch (error) {
    return !(error instanceof Deno.errors.NotFound || error instanceof TypeError);
  }
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

function syncFolder(folder: string): void {
  if (Deno.build.os === "windows") return; // folders cannot be opened there
  const descriptor = openSync(folder === "" ? "." : folder, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function isThere(path: string): boolean {
  return lstat(path) !== undefined;
}

function lstat(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return undefined;
    }
    throw error;
  }
}

function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
