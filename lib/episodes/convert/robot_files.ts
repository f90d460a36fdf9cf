import { dirname, join, relative } from "node:path";
import { convertEach, isThere, written } from "./_output.ts";
import type { ConversionResult, ConvertOptions } from "./conversion.ts";
import { writeRobotStates } from "./robot_states.ts";

/** Names of recorders' robot logs. */
const ROBOT_LOG = /^robot_state(s|_.*)\.csv$/;
/** Name that readers look for beside the log. */
const OUTPUT_NAME = "robot_states.npz";

/**
 * Writes a `robot_states.npz` for every robot log below a folder (`robot_states.csv` and
 * `robot_state_*.csv` alike), at the place below the output that the log has below the input: beside
 * the log if both are one.
 *
 * @param input folder
 * @param output folder; it is created
 * @param options `clock`; `overwrite`, else files that are there are kept
 * @returns files written and kept, logs that failed
 * @throws {SyntaxError} when there is no robot log below the input
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { writeRobotFiles } from "./robot_files.ts";
 *
 * const root = Deno.makeTempDirSync();
 * Deno.writeTextFileSync(`${root}/robot_states.csv`, "recv_timestamp,joint_1\n");
 * const { failed } = await writeRobotFiles(root, root);
 * assert.match(failed[0]!.error, /robot_states\.csv.*joint_2/);
 * ```
 */
export async function writeRobotFiles(
  input: string,
  output: string,
  { clock, overwrite = false, signal }: ConvertOptions = {},
): Promise<ConversionResult> {
  const logs = [...robotLogs(input)];
  if (logs.length === 0) {
    throw new SyntaxError(
      `Cannot find robot logs in ${input}: there should be files robot_states.csv or ` +
        "robot_state_*.csv in it or below, current value is none.",
    );
  }
  const targets = logs.map((log) => join(output, relative(input, dirname(log)), OUTPUT_NAME));
  return await convertEach(logs.map((_, k) => k), (k) => logs[k]!, (k) => {
    const log = logs[k]!, target = targets[k]!;
    const twin = targets.findIndex((each, other) => each === target && other !== k);
    if (twin >= 0) {
      throw new SyntaxError(
        `Cannot convert ${log}: it should be the only robot log of its folder, current value is ` +
          `${logs[twin]} too. Convert the right one by its own name.`,
      );
    }
    if (isThere(target) && !overwrite) {
      return { files: [], kept: [target], failed: [], remarks: [] };
    }
    Deno.mkdirSync(dirname(target), { recursive: true });
    const { arrays, remarks } = writeRobotStates(log, target, clock);
    return { files: [written(target, arrays.length)], kept: [], failed: [], remarks };
  }, signal);
}

function* robotLogs(folder: string): Generator<string> {
  const entries = [...Deno.readDirSync(folder)].sort((a, b) => a.name < b.name ? -1 : 1);
  for (const { name, isDirectory, isSymlink } of entries) {
    if (name.startsWith(".")) continue;
    const path = join(folder, name);
    if (isDirectory) yield* robotLogs(path);
    else if (ROBOT_LOG.test(name) && (!isSymlink || isThere(path))) yield path;
  }
}
