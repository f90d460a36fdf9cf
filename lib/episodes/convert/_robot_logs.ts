import { join } from "node:path";
import { readCsvBlocks } from "../../formats/csv_blocks.ts";
import { isThere } from "../../formats/_path.ts";

/** Names of recorders' robot logs. */
const ROBOT_LOG = /^robot_(state(s|_.*)|rt_.*)\.csv$/;

/** Robot logs below a folder, and for each other CSV file why it is none. */
export function findRobotLogs(
  folder: string,
): { readonly logs: readonly string[]; readonly skipped: readonly string[] } {
  const logs: string[] = [], skipped: string[] = [];
  for (const path of csvFiles(folder)) {
    if (ROBOT_LOG.test(path.replace(/^.*[\\/]/, ""))) logs.push(path);
    else skipped.push(`Skipped ${path}: ${whatElse(path)}.`);
  }
  return { logs, skipped };
}

/** Column names of a table; none if it has no header. */
export function headerOf(path: string): readonly string[] {
  try {
    for (
      const { header } of readCsvBlocks(path, { columns: [], blockRows: 1, tornLastLine: "drop" })
    ) {
      return header;
    }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error; // said again, and better, by who reads it
  }
  return [];
}

/** Whether a table is a log of mecademicpy, which has joints, but no pose. */
export function isJointLog(header: readonly string[]): boolean {
  return header.includes("JointPos_0");
}

function whatElse(path: string): string {
  return isJointLog(headerOf(path))
    ? "a log of mecademicpy, which holds joints, but no poses"
    : "no recorder's robot log by its name";
}

function* csvFiles(folder: string): Generator<string> {
  const entries = [...Deno.readDirSync(folder)].sort((a, b) => a.name < b.name ? -1 : 1);
  for (const { name, isDirectory, isSymlink } of entries) {
    if (name.startsWith(".")) continue;
    const path = join(folder, name);
    if (isDirectory) yield* csvFiles(path);
    else if (name.endsWith(".csv") && (!isSymlink || isThere(path))) yield path;
  }
}
