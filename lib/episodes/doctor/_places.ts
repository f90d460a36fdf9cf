import { globSync, realpathSync } from "node:fs";
import { join, resolve } from "node:path";
import { isFolder } from "../../formats/_path.ts";
import { isPickleFolder } from "../convert/_pickle_folder.ts";

/** Deepest folder that is looked into: a container in a recording five levels below a root. */
const MAX_DEPTH = 7;
/** Folders of images, which hold many files and nothing else. */
const IMAGES = /^(view\d+.*|left|right|images)$/i;

/** What lies below some roots beside recordings. */
export interface Places {
  /** Episode containers, by path. */
  readonly containers: readonly string[];
  /** Folders that hold a data.pkl, and neither an episode nor a recording. */
  readonly pickles: readonly string[];
  /** What killed processes left behind. */
  readonly leftovers: readonly string[];
}

/** Finds containers, pickles and leftovers below roots, which may be wildcards. */
export function findPlaces(roots: readonly string[]): Places {
  const containers = new Set<string>(), pickles = new Set<string>();
  const leftovers = new Set<string>(), seen = new Set<string>();
  const visit = (folder: string, depth: number) => {
    const real = realpathSync(folder);
    if (seen.has(real)) return;
    seen.add(real);
    const entries = [...Deno.readDirSync(folder)];
    if (isPickleFolder(entries.map(({ name }) => name))) pickles.add(folder);
    for (const entry of entries) {
      const { name } = entry, path = join(folder, name);
      if (name === "episode.json") containers.add(folder);
      if (name.startsWith(".") && (name.includes(".partial-") || name.endsWith(".previous"))) {
        leftovers.add(path);
      }
      const isInner = !name.startsWith(".") && !IMAGES.test(name) && depth < MAX_DEPTH;
      if (isInner && (entry.isDirectory || entry.isSymlink) && isFolder(path)) {
        visit(path, depth + 1);
      }
    }
  };
  for (const root of roots) {
    const isPattern = /[*?[]/.test(root) && !isFolder(root);
    for (const path of isPattern ? globSync(root) : [root]) {
      if (isFolder(path)) visit(resolve(path), 0);
    }
  }
  return {
    containers: [...containers].sort(),
    pickles: [...pickles].sort(),
    leftovers: [...leftovers].sort(),
  };
}
