import { writeFileAtomic } from "../formats/atomic_write.ts";
import type { EpisodeIdentity } from "./_digest.ts";
import { type JsonRecord, readJson } from "./_json.ts";
import { sealSplit, type Split, type SplitEntry } from "./split.ts";

/**
 * Writes a split as JSON, whole or not at all.
 *
 * @param path of the file, `split.json` by custom
 * @param split from `splitEpisodes`
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { readSplit, writeSplit } from "./split_file.ts";
 * import { sealSplit } from "./split.ts";
 *
 * const path = `${Deno.makeTempDirSync()}/split.json`;
 * const split = sealSplit(7, [{ task: "red", name: "one", digest: "ab" }], []);
 * writeSplit(path, split);
 * assert.deepEqual(readSplit(path), split);
 * ```
 */
export function writeSplit(path: string, split: Split): void {
  writeFileAtomic(path, `${JSON.stringify(split, null, 2)}\n`);
}

/**
 * Reads a split and compares its digest.
 *
 * @param path of the file
 * @returns the split; hand it to `applySplit` with the episodes
 * @throws {SyntaxError} when the file is no split, or was changed after it was written
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { readSplit } from "./split_file.ts";
 *
 * const path = `${Deno.makeTempDirSync()}/split.json`;
 * Deno.writeTextFileSync(path, `{"version": 2}`);
 * assert.throws(() => readSplit(path), SyntaxError);
 * ```
 */
export function readSplit(path: string): Split {
  const json = readJson(path, "split");
  json.literal("version", 1);
  const split = sealSplit(
    json.number("seed"),
    json.list("training", splitEntry),
    json.list("validation", splitEntry),
  );
  json.literal("digest", split.digest);
  return split;
}

/** An entry of a list of episodes. */
export function identity(entry: JsonRecord): EpisodeIdentity {
  return {
    task: entry.text("task"),
    name: entry.text("name"),
    digest: entry.text("digest"),
  };
}

function splitEntry(entry: JsonRecord): SplitEntry {
  const hasContents = entry.names().includes("contents"); // earlier versions wrote none
  return { ...identity(entry), ...(hasContents ? { contents: entry.text("contents") } : {}) };
}
