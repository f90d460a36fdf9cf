import { writeCsv } from "../../formats/csv_writer.ts";
import type { Take } from "./_take.ts";

/** The recorders end lines as Python's csv module does. */
const NEWLINE = "\r\n";

/**
 * The receiver's log: three clocks, force placeholder, joints, pose; 16 columns.
 *
 * @param force name of the fourth column
 */
export function writeReceiverLog(path: string, take: Take, force: string): void {
  const { recv, origin, send } = take.robot;
  const columns = {
    recv_timestamp: recv,
    origin_timestamp: origin,
    send_timestamp: send,
    [force]: new Float64Array(send.length),
    ...stateColumns(take, Math.fround), // a state travels as float32
  };
  writeCsv(path, { header: Object.keys(columns), columns, newline: NEWLINE });
}

/** The log that the robot's own computer writes: time in microseconds, joints, pose. */
export function writeControllerLog(path: string, take: Take): void {
  const round = (value: number) => Math.round(value * 1e6) / 1e6;
  const columns = { timestamp: take.robot.send, ...stateColumns(take, round) };
  const decimals = { timestamp: 6 };
  writeCsv(path, { header: Object.keys(columns), columns, newline: NEWLINE, decimals });
}

/** Joints 1 to 6, then pose, by the names of the columns. */
function stateColumns(
  { robot, columns }: Take,
  round: (value: number) => number,
): Record<string, Float64Array> {
  return Object.fromEntries(columns.map((name, column) => {
    const six = column < 6 ? robot.joints : robot.pose;
    const values = Float64Array.from(robot.send, (_, row) => round(six[6 * row + column % 6]!));
    return [name, values];
  }));
}

/** Empties cells of a written log; `column` counts joints and pose from 0. */
export function blankCells(
  path: string,
  { robot: { blanks }, columns }: Take,
): void {
  if (blanks.length === 0) return;
  const lines = Deno.readTextFileSync(path).split(NEWLINE);
  for (const { row, column } of blanks) {
    const cells = lines[row + 1]!.split(",");
    cells[cells.length - columns.length + column] = "";
    lines[row + 1] = cells.join(",");
  }
  Deno.writeTextFileSync(path, lines.join(NEWLINE));
}
