import { join } from "node:path";
import { isFile } from "../../formats/_path.ts";

/** Held by the process that trains. */
export const LOCK = ".lock";

/**
 * Whether a process trains in a folder now.
 *
 * @param folder of a run
 * @returns false also where nobody can tell
 */
export function isHeld(folder: string): boolean {
  const path = join(folder, LOCK);
  try {
    if (!isFile(path)) return false; // whoever opens a pipe waits for another process
    using lock = Deno.openSync(path);
    return !lock.tryLockSync(false); // shared: several may look at once
  } catch {
    return false;
  }
}

/** How often, and after how many milliseconds again, a lock is tried: {@linkcode isHeld} takes it too. */
const TRIES = 4, PAUSE = 15;

/** Takes the lock of a run for this process. */
export function takeLock(lock: Deno.FsFile): boolean {
  for (let n = 1; n <= TRIES; n++) {
    if (lock.tryLockSync(true)) return true;
    if (n < TRIES) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE);
  }
  return false;
}
