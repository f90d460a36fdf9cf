import { closeSync, fsyncSync, openSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { writeError, writing } from "./_write_error.ts";

/** Marks what is still being written; such leftovers of a killed process may be deleted. */
export const PARTIAL = ".partial-";

/** A file that takes its place when it is complete. */
export interface PartialFile extends Disposable {
  /** Open for reading and writing, under a name of its own. */
  readonly file: Deno.FsFile;
  /** Syncs it to disk and gives it its name. */
  commit(): void;
}

/**
 * Begins a file that is either there as a whole or not at all, where `writeFileAtomic` cannot serve
 * because its contents come in bit by bit. Disposing of it before `commit` removes it. Errors of a
 * full disk name `path`.
 */
export function createPartialFile(path: string): PartialFile {
  const temporary = partialName(path);
  const file = writing(path, () => {
    removeLeftovers(path);
    return Deno.openSync(temporary, { createNew: true, write: true, read: true });
  });
  const write = file.writeSync.bind(file);
  file.writeSync = (bytes) => writing(path, () => write(bytes));
  let state: "open" | "done" = "open";
  const end = () => {
    state = "done";
    file.close();
  };
  const remove = () => {
    if (state === "done") return;
    end();
    Deno.removeSync(temporary);
  };
  return {
    file,
    commit() {
      try {
        file.syncSync();
        Deno.renameSync(temporary, path);
      } catch (error) {
        remove();
        throw writeError(path, error);
      }
      end();
      syncFolder(dirname(path));
    },
    [Symbol.dispose]: remove,
  };
}

/** Writes all of the bytes at the file's cursor. */
export function writeAll(file: Pick<Deno.FsFile, "writeSync">, bytes: Uint8Array): void {
  // One call moves at most 2³¹ − 1 bytes.
  for (let done = 0; done < bytes.length;) {
    done += file.writeSync(bytes.subarray(done, done + 2 ** 30));
  }
}

/** The name holds the process, so that two processes never build in one place. */
export function partialName(path: string): string {
  const unique = crypto.randomUUID().slice(0, 8);
  return join(dirname(path), `.${basename(path)}${PARTIAL}${Deno.pid}-${unique}`);
}

/** Removes what processes that no longer run left behind. */
export function removeLeftovers(path: string): void {
  const start = `.${basename(path)}${PARTIAL}`;
  for (const { place, pid } of leftoversIn(dirname(path), start)) {
    if (pid !== Deno.pid && !isRunning(pid)) removeIfThere(place);
  }
}

/**
 * The same for everything in a folder in which this process is not writing: number 1, which programs in
 * containers have again and again, is another one's.
 */
export function removeAllLeftovers(folder: string): void {
  if (!isThere(folder)) return;
  for (const { place, pid } of leftoversIn(folder, ".")) {
    if (pid === Deno.pid || !isRunning(pid)) removeIfThere(place);
  }
}

function* leftoversIn(folder: string, start: string) {
  for (const { name } of Deno.readDirSync(folder)) {
    const at = name.indexOf(PARTIAL);
    if (at < 0 || !name.startsWith(start)) continue;
    const pid = Number(/^\d+/.exec(name.slice(at + PARTIAL.length))?.[0]);
    yield { place: join(folder, name), pid };
  }
}

/** Whether a process is there. */
export function isRunning(pid: number): boolean {
  if (Deno.build.os === "linux") return isThere(`/proc/${pid}`);
  try {
    Deno.kill(pid, "SIGCONT"); // no process notices it
    return true;
  } catch (error) {
    return !(error instanceof Deno.errors.NotFound || error instanceof TypeError);
  }
}

/** Makes sure that a folder's names are on the disk. */
export function syncFolder(folder: string): void {
  if (Deno.build.os === "windows") return; // folders cannot be opened there
  const descriptor = openSync(folder === "" ? "." : folder, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Whether there is anything of this name, a broken link included. */
export function isThere(path: string): boolean {
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

/** Removes a file or folder, if it is there. */
export function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
