import { extname } from "node:path";
import { openNpz } from "../../formats/npz_reader.ts";
import { isFolder, isThere } from "../../formats/_path.ts";
import { prepareOutput, single, written } from "./_output.ts";
import { convertRecordings } from "./_recordings.ts";
import type { Conversion, ConvertRequest } from "./conversion.ts";
import { exportEpisode } from "./export_data_pkl.ts";
import { importDataPkl } from "./import_data_pkl.ts";
import { writeIntervalFiles } from "./interval_files.ts";
import { writeRobotFiles } from "./robot_files.ts";
import { writeRobotStates } from "./robot_states.ts";
import { writeSensorRows } from "./sensor_rows.ts";
import { WINDOW_ROWS, writeSensorWindows } from "./sensor_windows.ts";
import { writeWindowFiles } from "./window_files.ts";

/**
 * The conversions of this room. Rooms above put theirs beside them.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { CONVERSIONS } from "./conversions.ts";
 *
 * assert(CONVERSIONS.some(({ from, to }) => from === "data.pkl" && to === "container"));
 * ```
 */
export const CONVERSIONS: readonly Conversion[] = [
  {
    from: "data.pkl",
    to: "container",
    summary: "episode folder; times come from the robot log beside the pickle, if it is there",
    claims: ({ input, output }) => isFileOf(input, ".pkl") && isFolderName(output),
    run: async ({ input, output, overwrite, signal }) => {
      if (hasFiles(output)) prepareOutput(output, overwrite);
      const { bytes, findings } = await importDataPkl(input, output, signal);
      const tensors = countArrays(output);
      return {
        ...single({ path: output, tensors, bytes }),
        remarks: findings.filter(({ severity }) => severity !== "info")
          .map(({ message, where }) => `${message} (${where})`),
      };
    },
  },
  {
    from: "container",
    to: "data-pkl",
    summary: "what older programs train from; FILE.pkl",
    claims: ({ input, output, to }) =>
      (isThere(`${input}/episode.json`) || isThere(`${input}/episode/episode.json`)) &&
      (extname(output) === ".pkl" || to !== undefined),
    run: ({ input, output, overwrite }) => {
      prepareOutput(output, overwrite);
      exportEpisode(input, output);
      return single(written(output, 3));
    },
  },
  {
    from: "robot CSV",
    to: "robot-npz",
    summary: "robot_states, joints, poses, timestamps and further clocks, deflated, of a " +
      "recorder's log with poses; FILE.npz",
    claims: ({ input, output }) => isFileOf(input, ".csv") && extname(output) === ".npz",
    run: ({ input, output, overwrite, clock }) => {
      prepareOutput(output, overwrite);
      const { arrays, remarks } = writeRobotStates(input, output, clock);
      return single(written(output, arrays.length), remarks);
    },
  },
  {
    from: "folder of robot CSV",
    to: "robot-npz",
    summary: "robot_states.npz for each recorder's log below; OUTPUT may be INPUT",
    claims: ({ input, output, to }) => to !== undefined && isFolder(input) && isFolderName(output),
    run: ({ input, output, ...options }) => writeRobotFiles(input, output, options),
  },
  {
    from: "raw sensor NPZ",
    to: "windowed",
    summary: "overlapping windows of 650 rows for older programs, five times the size; FILE.npz",
    claims: (request) => isNpz(request, "alines", "aline"),
    run: async ({ input, output, overwrite, signal }) => {
      prepareOutput(output, overwrite);
      const { windows } = await writeSensorWindows(input, output, signal);
      if (windows > 0) return single(written(output, 2));
      throw new RangeError(
        `Cannot cut windows from ${input}: there should be at least ${WINDOW_ROWS} rows, ` +
          "current value is less. Such a recording has no windows; older programs see no sensor.",
      );
    },
  },
  {
    from: "windowed sensor NPZ",
    to: "raw",
    summary:
      "each row once, its time spread evenly between windows; up to one step of rows at the " +
      "recording's end is in no window; FILE.npz",
    claims: (request) => isNpz(request, "data"),
    run: async ({ input, output, overwrite, signal }) => {
      prepareOutput(output, overwrite);
      const rows = await writeSensorRows(input, output, signal);
      return single(written(output, 3), [
        `${input}: its windows hold ${rows} rows. Windows begin every 0.2 s, so up to 0.2 s of rows ` +
        "at the end of the original recording (129 at 650 Hz) are in no window and cannot come back.",
      ]);
    },
  },
  {
    from: "recordings",
    to: "windowed",
    summary: "sensor_data.npz, with --metadata metadata.json, for each one; OUTPUT may be INPUT",
    claims: ({ input, output, to }) => to !== undefined && isFolder(input) && isFolderName(output),
    run: ({ input, output, ...options }) =>
      convertRecordings(input, output, options, writeWindowFiles),
  },
  {
    from: "recordings",
    to: "interval-json",
    summary: "RECORDING_VIEW_single.json for each view; OUTPUT may be INPUT",
    claims: ({ input, output, to }) => to !== undefined && isFolder(input) && isFolderName(output),
    run: ({ input, output, ...options }) =>
      convertRecordings(input, output, options, writeIntervalFiles),
  },
];

function isFileOf(path: string, extension: string): boolean {
  return extname(path).toLowerCase() === extension && isThere(path) && !isFolder(path);
}

/** Whether a path is a folder, or could be one: it has no extension that a file's would have. */
function isFolderName(path: string): boolean {
  return isThere(path)
    ? isFolder(path)
    : !/^\.(pkl|npz|npy|csv|json|pt|safetensors)$/.test(extname(path));
}

function hasFiles(path: string): boolean {
  return isThere(path) && (!isFolder(path) || [...Deno.readDirSync(path)].length > 0);
}

/** Whether a NPZ becomes a NPZ, and the first holds one of these arrays. */
function isNpz({ input, output }: ConvertRequest, ...arrays: readonly string[]): boolean {
  if (!isFileOf(input, ".npz") || extname(output) !== ".npz") return false;
  using file = openNpz(input);
  return arrays.some((name) => file.names.includes(name));
}

function countArrays(folder: string): number {
  return [...Deno.readDirSync(folder)].filter(({ name }) => name.endsWith(".npy")).length;
}
