/** A robot's file as the recorders write it, with numbers that only look random. */
import { writeCsv } from "../formats/csv_writer.ts";
import { fill } from "./fill.ts";

const STATE = [
  ...[1, 2, 3, 4, 5, 6].map((joint) => `joint_${joint}`),
  ..."xyzabr".split("").map((axis) => `pose_${axis}`),
];
const STAMPS = ["recv_timestamp", "origin_timestamp", "send_timestamp"] as const;

/** Around which values joints (deg) and pose (mm, deg) vary, and by how much. */
const CENTRES = [10, -20, 30, 5, 40, -60, 150, 20, 250, 178, 20, 144];
const SPREADS = [90, 40, 40, 90, 40, 120, 40, 40, 50, 1, 4, 10];

/** First time, in seconds since 1970. */
export const START = 1_761_551_500;
/** Rows per second. */
export const ROBOT_HZ = 100;

/** How the numbers of the state are written. */
export type RobotDigits =
  /** Rounded to 3, 4, 5, 6 or 7 digits behind the dot, in turn by column. */
  | "3-7"
  /** A float32 in the digits of its float64, up to 17: what Python's `csv` makes of it. */
  | "float32";

/**
 * Writes a robot's file: header, CRLF, 16 columns; times with 6 digits behind the dot, of which the
 * second clock's is rounded to milliseconds and jitters by ±2 ms around 100 Hz.
 *
 * @param path Of the file.
 * @param rows Its rows.
 * @param digits Of the state.
 * @returns Its bytes.
 */
export function writeRobotFile(path: string, rows: number, digits: RobotDigits): number {
  const stamps = (index: number, jitter: number, delay: number, unit: number) => {
    const noise = fill(index, rows, jitter);
    return Float64Array.from(
      noise,
      (each, row) => START + Math.round((row / ROBOT_HZ + delay + each) * unit) / unit,
    );
  };
  const columns: Record<string, Float64Array | Float32Array> = {
    recv_timestamp: stamps(100, 0.001, 0.004, 1e6),
    origin_timestamp: stamps(101, 0.002, 0, 1e3),
    send_timestamp: stamps(102, 0.001, 0.002, 1e6),
    force_placeholder: new Float64Array(rows),
  };
  const decimals: Record<string, number> = { force_placeholder: 1 };
  for (const name of STAMPS) decimals[name] = 6;
  STATE.forEach((name, d) => {
    // a slow movement with noise: neighbouring rows are near each other, as on a robot
    const noise = fill(200 + d, rows, 0.01);
    columns[name] = noise.map((each, row) =>
      CENTRES[d]! + SPREADS[d]! * Math.sin(row / (700 + 50 * d)) / 2 + each
    );
    if (digits === "3-7") decimals[name] = 3 + d % 5;
  });
  writeCsv(path, { header: Object.keys(columns), columns, newline: "\r\n", decimals });
  return Deno.statSync(path).size;
}
