import { join } from "node:path";

/** Size of all files below a folder; links are not followed, and what vanishes meanwhile is left out. */
export function folderBytes(folder: string): number {
  let bytes = 0;
  forEachFile(folder, (path) => bytes += ifThere(() => Deno.lstatSync(path).size) ?? 0);
  return bytes;
}

/** Calls `visit` with every file below a folder, in no order; links are not followed. */
export function forEachFile(folder: string, visit: (path: string, name: string) => void): void {
  for (const { name, isDirectory, isFile } of ifThere(() => [...Deno.readDirSync(folder)]) ?? []) {
    const path = join(folder, name);
    if (isDirectory) forEachFile(path, visit);
    else if (isFile) visit(path, name);
  }
}

function ifThere<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
