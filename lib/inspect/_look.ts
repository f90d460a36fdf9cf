import { basename } from "node:path";
import type { Place } from "./inspection.ts";

/** Bytes of a file that kinds may look at before they claim it. */
const HEAD_BYTES = 16;

/** A file or folder as kinds see it. */
export function look(path: string): Place {
  const name = basename(path);
  let status: Deno.FileInfo;
  try {
    status = Deno.statSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory)) {
      throw error;
    }
    throw new Deno.errors.NotFound(
      `Cannot inspect ${path}: there is no such file or folder. Check the path.`,
    );
  }
  if (status.isDirectory) {
    const entries = [...Deno.readDirSync(path)].map((entry) => entry.name).sort();
    return { path, name, isFolder: true, bytes: 0, head: new Uint8Array(0), entries };
  }
  if (!status.isFile) {
    throw new TypeError(
      `Cannot inspect ${path}: it should be a file or folder, current value is a device or pipe.`,
    );
  }
  using file = Deno.openSync(path);
  const head = new Uint8Array(HEAD_BYTES);
  const read = file.readSync(head) ?? 0;
  return {
    path,
    name,
    isFolder: false,
    bytes: status.size,
    head: head.subarray(0, read),
    entries: [],
  };
}
