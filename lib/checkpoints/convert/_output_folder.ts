/** What outputs of conversions must not replace. */
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { isFile, isFolder, isThere } from "../../formats/_path.ts";
import { DOCUMENT_FILE } from "../document.ts";

/** A folder is replaced as a whole, so it must be a checkpoint, and not hold what is read. */
export function refuseFolder(input: string, output: string): void {
  if (holds(output, input)) {
    throw new RangeError(
      `Cannot write ${output}: OUTPUT should not be INPUT or hold it, current value is with INPUT ` +
        `${input}. Give another OUTPUT.`,
    );
  }
  if ([...Deno.readDirSync(output)].length === 0 || isFile(join(output, DOCUMENT_FILE))) return;
  throw new RangeError(
    `Cannot write ${output}: a folder that is replaced should be a checkpoint, current value is one ` +
      `without ${DOCUMENT_FILE}. Give another OUTPUT.`,
  );
}

/** Whether a path is a folder or lies in it, be it by links. */
export function holds(folder: string, path: string): boolean {
  const inside = relative(realPath(folder), realPath(path));
  return inside === "" || !(inside === ".." || inside.startsWith(`..${sep}`));
}

/** Where a path leads; what is not there yet will be where its parent leads. */
export function realPath(path: string): string {
  const place = resolve(path), parent = dirname(place);
  if (isThere(place)) return Deno.realPathSync(place);
  return parent === place ? place : join(realPath(parent), basename(place));
}

/** What lies in a checkpoint's folder would be lost when that is replaced, and is not its own. */
export function refuseInside(output: string): void {
  for (let folder = dirname(realPath(output));; folder = dirname(folder)) {
    if (isFile(join(folder, DOCUMENT_FILE))) {
      throw new RangeError(
        `Cannot write ${output}: it should lie outside of checkpoints, current value is within the ` +
          `checkpoint ${folder}. Give another OUTPUT.`,
      );
    }
    if (folder === dirname(folder)) return;
  }
}

/** Bytes of a file, or of the files of a folder. */
export function bytesOf(path: string): number {
  if (!isFolder(path)) return Deno.statSync(path).size;
  return [...Deno.readDirSync(path)].reduce(
    (sum, { name }) => sum + Deno.statSync(join(path, name)).size,
    0,
  );
}
