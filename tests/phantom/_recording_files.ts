import assert from "node:assert/strict";
import { join } from "node:path";
import { parseFaults } from "../../lib/phantom/recordings/fault.ts";
import type { PhantomLayout } from "../../lib/phantom/recordings/layout.ts";
import { writeRecording } from "../../lib/phantom/recordings/write_recording.ts";
import { handMadeSource, type SourceOptions } from "./_recording_source.ts";
import { temporaryFolder } from "../_temporary.ts";

/** Writes a hand-made episode of 3 s into a new folder. */
export async function record(
  layout: PhantomLayout,
  inject = "",
  options: SourceOptions = {},
  extra = {},
) {
  const root = temporaryFolder();
  const source = handMadeSource({ seconds: 3, ...options });
  const faults = parseFaults(inject);
  const written = await writeRecording(root, source, { layout, faults, ...extra });
  return { ...written, root, source, files: filesBelow(written.path) };
}

/** All files, relative, sorted. */
export function filesBelow(folder: string, prefix = ""): string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) =>
    isDirectory ? filesBelow(join(folder, name), `${prefix}${name}/`) : [prefix + name]
  ).sort();
}

/** How many files each folder holds; those at the top by their names. */
export function countByFolder(files: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const file of files) {
    const folder = file.includes("/") ? file.slice(0, file.lastIndexOf("/")) : file;
    counts[folder] = (counts[folder] ?? 0) + 1;
  }
  return counts;
}

export const readText = (folder: string, file: string) => Deno.readTextFileSync(join(folder, file));
export const readJson = (folder: string, file: string) => JSON.parse(readText(folder, file));

/** A log by hand: header, and rows of numbers; an empty cell is NaN. */
export function readLog(folder: string, file: string) {
  const lines = readText(folder, file).split("\r\n");
  assert.equal(lines.pop(), "", "the last line ends as the others do");
  assert.ok(!lines.join("").includes("\n"));
  const rows = lines.slice(1).map((line) =>
    line.split(",").map((cell) => cell === "" ? NaN : Number(cell))
  );
  return { header: lines[0]!, rows };
}
