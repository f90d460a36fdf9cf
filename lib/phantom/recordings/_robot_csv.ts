import { writeCsv } from "../../formats/csv.ts";
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
  writeCsv(path, {
    header: ["recv_timestamp", "origin_timestamp", "send_timestamp", force, ...take.columns],
    // A state travels as float32.
    columns: [
      recv,
      origin,
      send,
      new Float64Array(send.length),
      ...stateColumns(take, Math.fround),
    ],
    newline: NEWLINE,
  });
}

/** The log that the robot's own computer writes: time in microseconds, joints, pose. */
export function writeControllerLog(path: string, take: Take): void {
  const round = (value: number) => Math.round(value * 1e6) / 1e6;
  writeCsv(path, {
    header: ["timestamp", ...take.columns],
    columns: [take.robot.send.map(round), ...stateColumns(take, round)],
    newline: NEWLINE,
  });
}

/** Joints 1 to 6, then pose, column by column. */
function stateColumns({ robot }: Take, round: (value: number) => number): Float64Array[] {
  return [robot.joints, robot.pose].flatMap((six) =>
    Array.from(
      { length: 6 },
      (_, column) => Float64Array.from(robot.send, (_, row) => round(six[6 * row + column]!)),
    )
  );
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
