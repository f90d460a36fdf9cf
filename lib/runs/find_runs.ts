import { globSync } from "node:fs";
import { join, resolve } from "node:path";
import { isFolder, isThere } from "../formats/_path.ts";
import { isRun } from "./read_run.ts";

/** Deepest folder below a root that is looked into: `runs/ablation/first`. */
const MAX_DEPTH = 3;

/**
 * Finds runs.
 *
 * @param roots runs, folders of them at any of three depths, or wildcards of either
 * @returns absolute paths, sorted, each once
 * @throws {RangeError} when a root is not there, or a wildcard matches nothing
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { RunFolder } from "../training/run/run_folder.ts";
 * import { findRuns } from "./mod.ts";
 *
 * const runs = Deno.makeTempDirSync();
 * using run = RunFolder.create(runs, { program: "train:stage1", settings: {}, notes: {} });
 * assert.deepEqual(findRuns([runs]), [run.path]);
 * assert.throws(() => findRuns([`${runs}/none`]), /there is no such folder/);
 * ```
 */
export function findRuns(roots: readonly string[]): string[] {
  const found = new Map<string, string>();
  for (const root of roots) {
    const isPattern = /[*?[]/.test(root) && !isThere(root);
    const paths = isPattern ? globSync(root) : isThere(root) ? [root] : [];
    if (paths.length === 0) {
      throw new RangeError(
        `Cannot list runs of ${root}: ${
          isPattern ? "nothing matches it" : "there is no such folder"
        }. Name runs, folders of them, or wildcards.`,
      );
    }
    for (const path of paths) search(resolve(path), 0, new Set(), found);
  }
  return [...found.values()].sort();
}

/** `seen` and `found` know folders by their real paths, so that links never lead in circles. */
function search(
  path: string,
  depth: number,
  seen: Set<string>,
  found: Map<string, string>,
): void {
  const place = look(path);
  if (place === null || seen.has(place.real)) return;
  seen.add(place.real);
  if (place.isRun) {
    if (!found.has(place.real)) found.set(place.real, path);
    return;
  }
  if (depth === MAX_DEPTH) return;
  for (const name of place.names) search(join(path, name), depth + 1, seen, found);
}

/** What a path leads to; null where it is no folder, has just gone, or may not be read. */
function look(path: string) {
  try {
    if (!isFolder(path)) return null;
    const entries = [...Deno.readDirSync(path)].filter(({ name, isDirectory, isSymlink }) =>
      (isDirectory || isSymlink) && !name.startsWith(".") && name !== "node_modules"
    );
    // Links last: a run goes by the path of its own, in whatever order the disk gives them.
    const names = entries.sort((a, b) =>
      Number(a.isSymlink) - Number(b.isSymlink) || (a.name < b.name ? -1 : 1)
    ).map(({ name }) => name);
    return { real: Deno.realPathSync(path), isRun: isRun(path), names };
  } catch (error) {
    if (error instanceof Error && "code" in error) return null; // of the operating system
    throw error;
  }
}
