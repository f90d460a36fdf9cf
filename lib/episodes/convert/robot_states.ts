import { endsInTornLine } from "../layouts/_torn_line.ts";
import { readCsv } from "../../formats/csv.ts";
import { writeNpz } from "../../formats/npz_writer.ts";
import { STATE_WIDTH } from "../actions.ts";
import { CAPTURE_STATE, RECORDER_STATE } from "../layouts/_robot_csv.ts";
import { headerOf, isJointLog } from "./_robot_logs.ts";

/** A clock that a recorder's robot log has. */
export type RecorderClock = "recv" | "origin" | "send";

/** Columns of the clocks, with their names in the NPZ. */
const CLOCKS = {
  recv: ["recv_timestamp", "recv_timestamps"],
  origin: ["origin_timestamp", "origin_timestamps"],
  send: ["send_timestamp", "send_timestamps"],
} as const satisfies Record<RecorderClock, unknown>;

/** What became of a robot log. */
export interface RobotStates {
  /** Rows written. */
  readonly rows: number;
  /** Names of the arrays written. */
  readonly arrays: readonly string[];
  /** What was left out, one sentence each. */
  readonly remarks: readonly string[];
}

/**
 * Writes a recorder's robot log (`robot_states.csv`, `robot_state_<time>.csv`, or the older
 * `robot_rt_<time>.csv`) as a compressed NPZ that loads many times faster: `robot_states` f32 (N, 12:
 * joints 1–6 in deg, x y z in mm, a b r in deg), its halves `joints` and `poses` (N, 6), `timestamps`
 * f64 (N), and the log's other clocks.
 *
 * @param input the CSV
 * @param output the NPZ; replaced as a whole
 * @param clock which clock `timestamps` is; default `recv`, the receiver's, which existing readers of
 * such files expect; a `robot_rt_*.csv` has one clock, without a name
 * @returns what was written
 * @throws {SyntaxError} with line and column when the log is damaged or lacks a column, as those of
 * mecademicpy lack the pose
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { readNpz } from "../../formats/npz_reader.ts";
 * import { writeRobotStates } from "./robot_states.ts";
 *
 * const folder = Deno.makeTempDirSync();
 * const states = [1, 2, 3, 4, 5, 6].map((k) => `joint_${k}`)
 *   .concat(["x", "y", "z", "a", "b", "r"].map((axis) => `pose_${axis}`));
 * Deno.writeTextFileSync(
 *   `${folder}/robot_states.csv`,
 *   `recv_timestamp,${states.join()}\n12.5,1,2,3,4,5,6,190,0,308,0,90,0\n`,
 * );
 * writeRobotStates(`${folder}/robot_states.csv`, `${folder}/robot_states.npz`);
 * const { timestamps, poses } = readNpz(`${folder}/robot_states.npz`);
 * assert.deepEqual([timestamps!.data, poses!.shape], [Float64Array.of(12.5), [1, 6]]);
 * ```
 */
export function writeRobotStates(
  input: string,
  output: string,
  clock?: RecorderClock,
): RobotStates {
  const { state, timestamp, others } = columnsOf(input, clock);
  const table = readCsv(input, {
    columns: [timestamp, ...state],
    optionalColumns: others.map(([column]) => column),
    empty: "nan",
    nan: "keep",
    tornLastLine: endsInTornLine(input) ? "drop" : "error",
  });
  const time = table.columns[timestamp]!;
  const values = state.map((column) => table.columns[column]!);
  const kept = Array.from({ length: table.rows }, (_, row) => row).filter((row) =>
    Number.isFinite(time[row]) && values.every((column) => Number.isFinite(column[row]))
  );
  const states = new Float32Array(kept.length * STATE_WIDTH);
  values.forEach((column, d) =>
    kept.forEach((row, k) => states[k * STATE_WIDTH + d] = column[row]!)
  );
  const halves = [0, 6].map((first) =>
    states.filter((_, i) => i % STATE_WIDTH >= first && i % STATE_WIDTH < first + 6)
  );
  const pick = (column: Float64Array) => Float64Array.from(kept, (row) => column[row]!);
  const arrays = {
    robot_states: { data: states, shape: [kept.length, STATE_WIDTH] },
    joints: { data: halves[0]!, shape: [kept.length, 6] },
    poses: { data: halves[1]!, shape: [kept.length, 6] },
    timestamps: { data: pick(time) },
    ...Object.fromEntries(
      others.flatMap(([column, array]) => {
        const other = table.columns[column];
        return other === undefined ? [] : [[array, { data: pick(other) }]];
      }),
    ),
  };
  writeNpz(output, arrays, { compressed: true });
  const blank = table.rows - kept.length;
  return {
    rows: kept.length,
    arrays: Object.keys(arrays),
    remarks: [
      ...(blank > 0
        ? [
          `${input}: ${blank} ${
            blank === 1 ? "row has" : "rows have"
          } blank cells or values that ` +
          "are no numbers; left out.",
        ]
        : []),
      ...(table.tornLastLine ? [`${input}: the last line was cut short inside; left out.`] : []),
    ],
  };
}

/** Columns of a log: its state, the clock of `timestamps`, and the others with their arrays' names. */
function columnsOf(input: string, clock: RecorderClock | undefined) {
  const header = headerOf(input);
  if (isJointLog(header)) {
    throw new SyntaxError(
      `Cannot convert ${input}: it should hold joints and poses, as recorders' logs do, current ` +
        "value is a log of mecademicpy, which holds joints alone. deno task preprocess reads it, and " +
        "computes the poses.",
    );
  }
  const [timestamp] = CLOCKS[clock ?? "recv"];
  if (header.includes(CAPTURE_STATE[0]!)) {
    return { state: CAPTURE_STATE, timestamp: clock ? timestamp : "timestamp", others: [] };
  }
  const others = Object.values(CLOCKS).filter(([column]) => column !== timestamp);
  return { state: RECORDER_STATE, timestamp, others };
}
