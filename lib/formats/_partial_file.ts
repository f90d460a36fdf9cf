import { closeSync, fsyncSync, openSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/** A file that takes its place when it is complete. */
export interface PartialFile extends Disposable {
  /** Open for reading and writing, under a name of its own. */
  readonly file: Deno.FsFile;
  /** Syncs it to disk and gives it its name. */
  commit(): void;
}

/**
 * Begins a file that is either there as a whole or not at all, where `writeFileAtomic` cannot serve
 * because its contents come in bit by bit. Disposing of it before `commit` removes it.
 */
export function createPartialFile(path: string): PartialFile {
  const unique = `${Deno.pid}-${crypto.randomUUID().slice(0, 8)}`;
  const temporary = join(dirname(path), `.${basename(path)}.partial-${unique}`);
  const file = Deno.openSync(temporary, { createNew: true, write: true, read: true });
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
        throw error;
      }
      end();
      syncFolder(dirname(path));
    },
    [Symbol.dispose]: remove,
  };
}

function syncFolder(folder: string): void {
  if (Deno.build.os === "windows") return; // folders cannot be opened there
  const descriptor = openSync(folder, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Writes all of the bytes at the file's cursor. */
export function writeAll(file: Pick<Deno.FsFile, "writeSync">, bytes: Uint8Array): void {
  // One call moves at most 2³¹ − 1 bytes.
  for (let done = 0; done < bytes.length;) {
    done += file.writeSync(bytes.subarray(done, done + 2 ** 30));
  }
}
