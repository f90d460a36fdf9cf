/** One process at a time. */
import { join } from "node:path";

const POLL_MS = 200;

/**
 * Waits until no other process works in a folder. The operating system gives the lock back when the
 * process ends, however it ends.
 *
 * @param folder in which the file `lock` stands
 * @param onWait called once if another process holds it
 * @param signal ends the waiting
 * @returns the lock; close it to give it back
 */
export async function lockFolder(
  folder: string,
  onWait: () => void,
  signal?: AbortSignal,
): Promise<Disposable> {
  const file = Deno.openSync(join(folder, "lock"), { create: true, read: true, write: true });
  try {
    for (let waits = 0; !await file.tryLock(true); waits++) {
      if (waits === 0) onWait();
      await new Promise((resume) => setTimeout(resume, POLL_MS));
      signal?.throwIfAborted();
    }
  } catch (error) {
    file.close();
    throw error;
  }
  return file;
}
