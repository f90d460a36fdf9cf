import { wrapDegrees } from "../../robot/rotation.ts";
import type { RobotTable } from "./_take.ts";

/** A crossing is only chosen between rows that follow each other, seconds. */
const CONTINUOUS_SECONDS = 0.05;
const TURN = 360;
/** Amplitudes that are tried, degrees; the smallest that serves is taken. */
const SWINGS = [0, 1, 2, 4, 8, 16, 32];

/** Rows at which an angle, as reported, jumps from one end of [−180, 180) to the other. */
export function wrapRows(robot: RobotTable, column: number): number[] {
  const rows: number[] = [];
  for (let row = 1; row < robot.send.length; row++) {
    const step = robot.pose[6 * row + column]! - robot.pose[6 * (row - 1) + column]!;
    if (Math.abs(step) > TURN / 2) rows.push(row);
  }
  return rows;
}

/**
 * Turns the reported angle a so that it crosses ±180 exactly `count` times: by a constant, and
 * where none will do also by a swing, −cos(π·count·τ) with τ from 0 to 1 over the recording.
 *
 * @returns the constant and the amplitude of the swing, degrees
 * @throws {RangeError} when neither does that
 */
export function turnAngle(robot: RobotTable, count: number): { degrees: number; swing: number } {
  const angle = unwrapped(robot);
  for (const swing of SWINGS) {
    const turned = angle.map((value, row) => {
      return value - swing * Math.cos(Math.PI * count * row / (angle.length - 1));
    });
    const level = count === 0 ? Math.max(...turned) + 5 : bestLevel(turned, robot.send, count);
    if (level === undefined) continue;
    const degrees = TURN / 2 - level;
    turned.forEach((value, row) => robot.pose[6 * row + 3] = wrapDegrees(value + degrees));
    return { degrees, swing };
  }
  throw new RangeError(
    `Cannot inject the fault angle-wrap: the angle a of this episode cannot be made to cross ±180 ` +
      `so often, current value is ${count}. Ask for fewer.`,
  );
}

/** The level crossed exactly `count` times, and of those the one farthest from all values. */
function bestLevel(angle: Float64Array, time: Float64Array, count: number): number | undefined {
  const sorted = angle.slice().sort();
  let best: number | undefined, bestMargin = 0;
  for (let i = 1; i < sorted.length; i++) {
    const level = (sorted[i - 1]! + sorted[i]!) / 2;
    const margin = sorted[i]! - level;
    if (margin > bestMargin && crossings(angle, time, level) === count) {
      [best, bestMargin] = [level, margin];
    }
  }
  return best;
}

/** How often a level is crossed; −1 when a pause in the log hides a crossing. */
function crossings(angle: Float64Array, time: Float64Array, level: number): number {
  let count = 0;
  for (let row = 1; row < angle.length; row++) {
    if (angle[row - 1]! < level === angle[row]! < level) continue;
    if (Math.abs(time[row]! - time[row - 1]!) > CONTINUOUS_SECONDS) return -1;
    count++;
  }
  return count;
}

function unwrapped({ pose }: RobotTable): Float64Array {
  const angle = new Float64Array(pose.length / 6);
  for (let row = 0; row < angle.length; row++) {
    const value = pose[6 * row + 3]!;
    angle[row] = row === 0 ? value : angle[row - 1]! + wrapDegrees(value - angle[row - 1]!);
  }
  return angle;
}
