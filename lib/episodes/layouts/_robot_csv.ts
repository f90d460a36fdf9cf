import { readCsv } from "../../formats/csv.ts";
import { STATE_WIDTH } from "../actions.ts";
import { percentiles } from "../stream_quality.ts";
import { endsInTornLine, reportTornLine } from "./_torn_line.ts";
import type { Finding, RobotClock, RobotLog } from "../recording.ts";

const JOINTS = [1, 2, 3, 4, 5, 6];
const AXES = ["x", "y", "z", "a", "b", "r"];
/** State columns of the recorders' CSV. */
export const RECORDER_STATE = [
  ...JOINTS.map((joint) => `joint_${joint}`),
  ...AXES.map((axis) => `pose_${axis}`),
];
/** State columns of the older `robot_rt_*.csv`. */
export const CAPTURE_STATE = [
  ...JOINTS.map((joint) => `joint_angle_${joint}`),
  ...AXES.map((axis) => `EE_${axis}`),
];

/** Columns of a robot CSV: its times by clock, and its state. */
export interface RobotCsvColumns {
  /** Clocks in order of preference, with their columns. */
  readonly clocks: readonly (readonly [clock: RobotClock, column: string])[];
  /** The 12 state columns. */
  readonly state: readonly string[];
}

/** Recorder's clocks: the robot's own first. */
export const RECORDER_COLUMNS: RobotCsvColumns = {
  clocks: [["origin", "origin_timestamp"], ["send", "send_timestamp"], ["recv", "recv_timestamp"]],
  state: RECORDER_STATE,
};

/** Reads a robot CSV; rows with blank cells are left out and reported. */
export function readRobotCsv(
  file: string,
  columns: RobotCsvColumns,
  findings: Finding[],
  wanted?: RobotClock,
): RobotLog {
  const isTorn = endsInTornLine(file);
  const table = readCsv(file, {
    columns: columns.state,
    optionalColumns: columns.clocks.map(([, column]) => column),
    empty: "nan",
    nan: "keep",
    tornLastLine: isTorn ? "drop" : "error",
  });
  const present = columns.clocks.filter(([, column]) => table.columns[column] !== undefined);
  const chosen = present.find(([clock]) => wanted === undefined || clock === wanted);
  if (chosen === undefined && columns.clocks.every(([clock]) => clock !== wanted)) {
    throw new SyntaxError(
      `Cannot use the clock ${wanted} of ${file}: logs of this layout have only ` +
        `${columns.clocks.map(([clock]) => clock).join(", ")}. Leave --robot-clock out.`,
    );
  }
  if (chosen === undefined) {
    const names = columns.clocks.filter(([clock]) => wanted === undefined || clock === wanted)
      .map(([, column]) => column).join(" or ");
    throw new SyntaxError(
      `Cannot read the robot log ${file} at line 1: it should have a column ${names}, ` +
        `current header is ${table.header.join(",")}.`,
    );
  }
  const time = table.columns[chosen[1]]!;
  const values = columns.state.map((column) => table.columns[column]!);
  const isWhole = new Uint8Array(table.rows).fill(1);
  for (const column of [time, ...values]) {
    for (let row = 0; row < table.rows; row++) if (!Number.isFinite(column[row])) isWhole[row] = 0;
  }
  const kept = new Int32Array(isWhole.reduce((sum, whole) => sum + whole, 0));
  for (let row = 0, k = 0; row < table.rows; row++) if (isWhole[row] === 1) kept[k++] = row;
  const blankRows = table.rows - kept.length;
  if (blankRows > 0) {
    const first = kept.findIndex((row, k) => row !== k);
    findings.push({
      severity: "warning",
      code: "robot.blank-cells",
      where: `${file}:${(first < 0 ? kept.length : first) + 2}`,
      message: `${blankRows} ${blankRows === 1 ? "row has" : "rows have"} blank cells or values ` +
        "that are no numbers; left out.",
    });
  }
  if (isTorn) reportTornLine(`${file}:${table.rows + 2}`, findings);
  const state = new Float32Array(kept.length * STATE_WIDTH);
  for (const [d, column] of values.entries()) {
    for (let k = 0; k < kept.length; k++) state[k * STATE_WIDTH + d] = column[kept[k]!]!;
  }
  const recv = chosen[0] === "recv" ? undefined : table.columns.recv_timestamp;
  const origin = chosen[0] === "recv" ? table.columns.origin_timestamp : undefined;
  const ahead = origin === undefined ? [] : Array.from(kept, (row) => time[row]! - origin[row]!);
  return {
    file,
    clock: chosen[0],
    time: blankRows === 0 ? time : Float64Array.from(kept, (row) => time[row]!),
    recvTime: recv === undefined ? null : Float64Array.from(kept, (row) => recv[row]!),
    aheadOfOrigin: percentiles(ahead).p50,
    state,
    pose: "recorded",
    blankRows,
  };
}

/** The one file of a folder that matches; an error names what is there if it is not exactly one. */
export function onlyFile(folder: string, pattern: RegExp, what: string): string {
  const found = [...Deno.readDirSync(folder)]
    .filter(({ name, isDirectory }) => !isDirectory && pattern.test(name))
    .map(({ name }) => name).sort();
  if (found.length === 1) return `${folder}/${found[0]}`;
  throw new SyntaxError(
    `Cannot read the recording ${folder}: it should hold one ${what}, current value is ` +
      `${found.length === 0 ? "none" : found.join(", ")}.`,
  );
}
