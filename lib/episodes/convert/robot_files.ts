import { dirname, join, relative } from "node:path";
import { isThere } from "../../formats/_path.ts";
import { convertEach, written } from "./_output.ts";
import { findRobotLogs } from "./_robot_logs.ts";
import type { ConversionResult, ConvertOptions } from "./conversion.ts";
import { writeRobotStates } from "./robot_states.ts";

/** Name that readers look for beside the log. */
const OUTPUT_NAME = "robot_states.npz";

/**
 * Writes a `robot_states.npz` for every robot log below a folder (`robot_states.csv`,
 * `robot_state_*.csv` and `robot_rt_*.csv` alike), at the place below the output that the log has below
 * the input: beside the log if both are one. Other CSV files are skipped with a remark.
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
  const { logs, skipped } = findRobotLogs(input);
  if (logs.length === 0) {
    throw new SyntaxError(
      `Cannot find robot logs in ${input}: there should be files robot_states.csv, ` +
        "robot_state_*.csv or robot_rt_*.csv in it or below, current value is none." +
        (skipped.length > 0 ? `\n${skipped.join("\n")}` : ""),
    );
  }
  const targets = logs.map((log) => join(output, relative(input, dirname(log)), OUTPUT_NAME));
  const result = await convertEach(logs.map((_, k) => k), (k) => logs[k]!, (k) => {
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
  return { ...result, remarks: [...result.remarks, ...skipped] };
}
