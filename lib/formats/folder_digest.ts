import { createHash } from "node:crypto";
import { relative, sep } from "node:path";
import { forEachFile } from "./_folder_files.ts";

const BLOCK_BYTES = 4 << 20;

/**
 * SHA-256 of a file, or of all files of a folder with their names: the same for the same contents,
 * wherever the folder lies.
 *
 * @param path file or folder; links in it are not followed
 * @returns 64 hexadecimal digits
 * @throws {Deno.errors.NotFound} if it is not there
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { folderDigest } from "./folder_digest.ts";
 *
 * const [a, b] = [Deno.makeTempDirSync(), Deno.makeTempDirSync()];
 * for (const folder of [a, b]) Deno.writeTextFileSync(`${folder}/x.txt`, "same");
 * assert.equal(folderDigest(a), folderDigest(b));
 * ```
 */
export function folderDigest(path: string): string {
  const paths: string[] = [];
  if (Deno.statSync(path).isDirectory) forEachFile(path, (file) => paths.push(file));
  const names = paths.map((file) => relative(path, file).replaceAll(sep, "/")).sort();
  const hash = createHash("sha256");
  const block = new Uint8Array(BLOCK_BYTES);
  for (const name of names.length > 0 ? names : [""]) {
    using file = Deno.openSync(name === "" ? path : `${path}/${name}`);
    if (name !== "") hash.update(`${name}\0${file.statSync().size}\0`);
    for (let count; (count = file.readSync(block)) !== null;) hash.update(block.subarray(0, count));
  }
  return hash.digest("hex");
}
