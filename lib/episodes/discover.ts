import { globSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { isFolder, isThere } from "../formats/_path.ts";
import { isPickleFolder } from "./convert/_pickle_folder.ts";
import { captures } from "./layouts/captures.ts";
import type { Layout } from "./layouts/layout.ts";
import { isMeca500Log, meca500Log } from "./layouts/meca500_log.ts";
import { newDataset } from "./layouts/new_dataset.ts";
import { newDataset2 } from "./layouts/new_dataset2.ts";
import { recvAll } from "./layouts/recv_all.ts";

/** Layouts in the order in which they are asked; what a folder's name says comes first. */
const FOLDER_LAYOUTS: readonly Layout[] = [newDataset2, captures, newDataset, recvAll];
/** Deepest folder below a root that is looked into: `Insertion/New_dataset/Blue_point/episode_…`. */
const MAX_DEPTH = 5;

/** A place where a recording lies. */
export interface FoundRecording {
  /** Folder or file, absolute. */
  readonly path: string;
  /** Its layout. */
  readonly layout: Layout;
}

/** A root that gave nothing. */
export interface EmptyRoot {
  /** As it was given. */
  readonly root: string;
  /** What is wrong with it. */
  readonly error: string;
}

/**
 * Finds recordings of all layouts. A root may be a recording, a folder of them at any of five depths,
 * or a wildcard of either (`*`, `?`, `**`).
 *
 * @param roots paths or wildcards
 * @returns recordings sorted by path, each once; and the roots that hold none
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { discoverRecordings } from "./discover.ts";
 *
 * const root = Deno.makeTempDirSync();
 * Deno.mkdirSync(`${root}/Needle_insertion_eye_trocar/recv_all_20251027_170308`, { recursive: true });
 * const { recordings, empty } = discoverRecordings([`${root}/Needle*`, `${root}/nothing`]);
 * assert.deepEqual(recordings.map(({ layout }) => layout.name), ["recv-all"]);
 * assert.deepEqual(empty.map((each) => each.root), [`${root}/nothing`]);
 * ```
 */
export function discoverRecordings(
  roots: readonly string[],
): { readonly recordings: readonly FoundRecording[]; readonly empty: readonly EmptyRoot[] } {
  const found = new Map<string, FoundRecording>();
  const empty: EmptyRoot[] = [];
  for (const root of roots) {
    const isPattern = /[*?[]/.test(root) && !isThere(root);
    const paths = isPattern ? globSync(root).sort() : isThere(root) ? [root] : [];
    const seen = new Set<string>(), problems = empty.length;
    const here = paths.flatMap((path) => search(resolve(path), 0, seen, empty));
    for (const each of here) found.set(Deno.realPathSync(each.path), each);
    if (here.length > 0 || empty.length > problems) continue;
    const error = paths.length > 0
      ? "it holds no recording of a known layout"
      : isPattern
      ? "nothing matches it"
      : "there is no such file or folder";
    empty.push({
      root,
      error: `Cannot find recordings in ${root}: ${error}. Recordings are folders such as ` +
        "recv_all_*, Captures*, ZED_Captures_*th, episode_* or data_collection_* that hold a " +
        "robot log, or a CSV log of mecademicpy.",
    });
  }
  const byPath = (a: FoundRecording, b: FoundRecording) => a.path < b.path ? -1 : 1;
  return { recordings: [...found.values()].sort(byPath), empty };
}

/** Recordings below a path; `seen` holds the real paths, so that links never lead in circles. */
function search(
  path: string,
  depth: number,
  seen: Set<string>,
  empty: EmptyRoot[],
): FoundRecording[] {
  if (!Deno.statSync(path).isDirectory) {
    return isMeca500Log(path) ? [{ path, layout: meca500Log }] : [];
  }
  const real = Deno.realPathSync(path);
  if (seen.has(real)) return [];
  seen.add(real);
  let entries: Deno.DirEntry[];
  try {
    entries = [...Deno.readDirSync(path)].filter(({ name }) => !name.startsWith("."));
  } catch (error) {
    if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
    empty.push({ root: path, error: `Cannot look into ${path}: permission is denied.` });
    return [];
  }
  const files = entries.filter(({ isDirectory }) => !isDirectory).map(({ name }) => name);
  // A container, or what only a data.pkl was written to, is named after its recording.
  if (files.includes("episode.json")) return [];
  if (isPickleFolder(entries.map(({ name }) => name))) return [];
  const layout = FOLDER_LAYOUTS.find(({ claims }) => claims({ name: basename(path), files }));
  if (layout !== undefined) return [{ path, layout }];
  const logs = files.filter((name) => isMeca500Log(join(path, name)))
    .map((name) => ({ path: join(path, name), layout: meca500Log }));
  if (depth === MAX_DEPTH) return logs;
  const inner = entries.filter(({ name, isDirectory, isSymlink }) =>
    isDirectory || (isSymlink && isFolder(join(path, name)))
  );
  return [
    ...logs,
    ...inner.flatMap(({ name }) => search(join(path, name), depth + 1, seen, empty)),
  ];
}

/**
 * The task a recording belongs to: the name of the folder above it.
 *
 * @param path of the recording
 * @returns the folder's name
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { taskOf } from "./discover.ts";
 *
 * assert.equal(taskOf("/data/New_dataset/Blue_point/episode_20251030_025119"), "Blue_point");
 * ```
 */
export function taskOf(path: string): string {
  return basename(dirname(resolve(path)));
}
