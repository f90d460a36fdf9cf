/** A temporary folder for large files. */
import { statfsSync } from "node:fs";

/** A folder that is there until it is disposed of, or the process ends in order. */
export interface Scratch extends Disposable {
  readonly path: string;
}

/** Room beyond the estimate, for the file system's own use. */
const MARGIN = 1.03;

/**
 * Makes a folder for temporary files, after looking whether they will fit.
 *
 * @param bytes Bytes that it will hold at most.
 * @param what Who needs it, for the error.
 * @throws {Error} if there is less free space.
 */
export function makeScratch(bytes: number, what: string): Scratch {
  const path = Deno.makeTempDirSync({ prefix: "trocar-bench-" });
  const remove = () => {
    try {
      Deno.removeSync(path, { recursive: true });
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  };
  const { bavail, bsize } = statfsSync(path);
  if (bavail * bsize < bytes * MARGIN) {
    remove();
    throw new Error(
      `Cannot measure ${what}: its temporary files need ${gigabytes(bytes * MARGIN)} GB in ` +
        `${path.replace(/[\\/][^\\/]*$/, "")}, current value of free space is ` +
        `${gigabytes(bavail * bsize)} GB. Make room there, set ` +
        `${
          Deno.build.os === "windows" ? "TEMP" : "TMPDIR"
        } to a folder on a larger disk, or use a ` +
        "smaller --preset.",
    );
  }
  globalThis.addEventListener("unload", remove); // Deno.exit() in the middle of a benchmark
  return {
    path,
    [Symbol.dispose]() {
      globalThis.removeEventListener("unload", remove);
      remove();
    },
  };
}

function gigabytes(bytes: number): string {
  return (bytes / 1e9).toPrecision(3);
}
