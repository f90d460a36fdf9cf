import type { Uniform } from "./_spread.ts";
import { spread } from "./_spread.ts";
import { type RobotTable, selectRobotRows, type Take } from "./_take.ts";

/** Uniform and normal random numbers. */
export interface Draws extends Uniform {
  normals(count: number): Float64Array;
}

/** No fault happens this close to either end, seconds. */
const MARGIN_SECONDS = 0.3;
const PUBLISHER_HZ = 1000;

/** Noise on the robot's stamps; returns the largest change in seconds. */
export function jitter(robot: RobotTable, deviation: number, random: Draws): number {
  const noise = random.normals(robot.send.length);
  let largest = 0, lastSend = -Infinity, lastOrigin = -Infinity;
  for (const [row, send] of robot.send.entries()) {
    const change = deviation * noise[row]!;
    lastSend = Math.max(lastSend, send + change);
    const origin = Math.round((robot.origin[row]! + change) * PUBLISHER_HZ) / PUBLISHER_HZ;
    lastOrigin = Math.max(lastOrigin, origin);
    largest = Math.max(largest, Math.abs(lastSend - send));
    robot.send[row] = lastSend;
    robot.origin[row] = lastOrigin;
  }
  return largest;
}

/** Removes the rows of `count` spans; returns the number before any fault of the row after each. */
export function gaps(take: Take, seconds: number, count: number, random: Draws): number[] {
  const { send, source } = take.robot;
  const starts = spread(random, count, {
    from: send[0]! + MARGIN_SECONDS,
    to: send.at(-1)! - MARGIN_SECONDS,
    length: seconds,
    apart: MARGIN_SECONDS,
    what: `gaps of ${seconds} s`,
  });
  const isLost = (time: number) => starts.some((from) => time > from && time < from + seconds);
  const kept = rowNumbers(take.robot).filter((row) => !isLost(send[row]!));
  const after = starts.map((from) => source[kept.find((row) => send[row]! >= from + seconds)!]!);
  take.robot = selectRobotRows(take.robot, kept);
  return after;
}

/** Writes `count` rows twice; returns their numbers before any fault. */
export function duplicates(take: Take, count: number, random: Draws): number[] {
  const chosen = ordinaryRows(take.robot, count, random, "duplicates");
  const twice = new Set(chosen);
  const rows = rowNumbers(take.robot).flatMap((row) => twice.has(row) ? [row, row] : [row]);
  const numbers = chosen.map((row) => take.robot.source[row]!);
  take.robot = selectRobotRows(take.robot, rows);
  return numbers;
}

/** Sets the robot's clock back at `count` rows; returns their numbers before any fault. */
export function backwardJumps(
  { robot }: Take,
  seconds: number,
  count: number,
  random: Draws,
): number[] {
  const chosen = ordinaryRows(robot, count, random, "backward jumps");
  for (const first of chosen) {
    for (let row = first; row < robot.send.length; row++) {
      robot.send[row]! -= seconds;
      robot.origin[row] = Math.round((robot.origin[row]! - seconds) * PUBLISHER_HZ) / PUBLISHER_HZ;
    }
  }
  return chosen.map((row) => robot.source[row]!);
}

/** Chooses `count` cells among joints and pose to be left empty, at most one a row. */
export function blankCells({ robot }: Take, count: number, random: Draws): void {
  for (const row of ordinaryRows(robot, count, random, "blank cells")) {
    robot.blanks.push({ row, column: Math.floor(12 * random.unit()) });
  }
}

/** Rows in order, apart from each other, from both ends, and from gaps and repeated times. */
function ordinaryRows(
  { send }: RobotTable,
  count: number,
  random: Draws,
  what: string,
): number[] {
  const step = median(send.subarray(1).map((time, row) => time - send[row]!));
  const margin = Math.min(5, Math.floor(send.length / 10));
  const places = spread(random, count, {
    from: 1 + margin,
    to: send.length - 1 - margin,
    length: 1,
    apart: 2,
    what,
  });
  const isOrdinary = (row: number) => {
    const before = send[row]! - send[row - 1]!, after = send[row + 1]! - send[row]!;
    return before > 0.2 * step && before < 3 * step && after > 0.2 * step && after < 3 * step;
  };
  const taken = new Set<number>();
  for (const place of places) {
    let row = Math.floor(place);
    while (row < send.length - 2 && (!isOrdinary(row) || taken.has(row))) row++;
    taken.add(row);
  }
  return [...taken].sort((a, b) => a - b);
}

function rowNumbers({ send }: RobotTable): number[] {
  return Array.from(send.keys());
}

function median(values: Float64Array): number {
  return values.slice().sort()[values.length >> 1] ?? 0;
}
