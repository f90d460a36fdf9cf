import { STATE_WIDTH } from "../actions.ts";
import type { AlignedRecording } from "../align.ts";
import type { AlignmentReport } from "../report.ts";
import type { Recording } from "../recording.ts";
import { plural } from "../_plural.ts";
import { type Report } from "./_report.ts";

/** Streams that overlap the robot's log by less than this share of it are suspicious. */
const MIN_OVERLAP = 0.5;
/** A pose that stays this near is at rest, in mm and degrees. */
const REST = 0.01;
/** Rest at the end that is worth a word, in seconds. */
const IDLE_SECONDS = 1;
const POSE = 6;

/** Whether the streams can belong together: clocks, motion, times. */
export function checkStreams(
  recording: Recording,
  aligned: AlignedRecording,
  figures: AlignmentReport,
  report: Report,
): void {
  const { robot, sensor } = recording;
  const streams = [
    ...aligned.views.map(({ name, folder, time }) => ({
      kind: "camera",
      name,
      where: folder,
      time,
    })),
    ...(aligned.sensor === null || sensor === null
      ? []
      : [{ kind: "sensor", name: "the sensor", where: sensor.file, time: aligned.sensor.time }]),
  ];
  for (const stream of streams) checkOverlap(aligned.robotTime, stream, report);
  checkMotion(robot.file, aligned, report);
  const withoutTime = figures.sensor?.withoutTime ?? 0;
  if (withoutTime > 0) {
    report(
      "warning",
      "sensor.without-time",
      sensor!.file,
      `${plural(withoutTime, "row")} without a time that is a finite number; left out.`,
    );
  }
}

function checkOverlap(
  robotTime: Float64Array,
  { kind, name, where, time }: { kind: string; name: string; where: string; time: Float64Array },
  report: Report,
): void {
  if (time.length === 0) return;
  const from = robotTime[0]!, to = robotTime.at(-1)!, first = time[0]!, last = time.at(-1)!;
  const overlap = Math.min(to, last) - Math.max(from, first);
  const spans =
    `the robot's log runs from ${from.toFixed(3)} to ${to.toFixed(3)} s, ${name} from ` +
    `${first.toFixed(3)} to ${last.toFixed(3)} s`;
  const mend = `If their clocks differ, give the difference: --clock-offset ${kind}=SECONDS, or ` +
    "clock_offsets.json beside the data.";
  if (overlap < 0) {
    report(
      "error",
      "clock.disjoint",
      where,
      `The streams should run at the same time, current value: ${spans}, ` +
        `${(-overlap).toFixed(3)} s apart. ${mend}`,
    );
  } else if (overlap < MIN_OVERLAP * (to - from)) {
    report(
      "warning",
      "clock.overlap",
      where,
      `The streams should run at the same time, current value: ${spans}, together for ` +
        `${overlap.toFixed(3)} s only. ${mend}`,
    );
  }
}

function checkMotion(where: string, { robotTime, robotState }: AlignedRecording, report: Report) {
  const rows = robotTime.length;
  const last = (rows - 1) * STATE_WIDTH;
  let row = rows - 1;
  while (row > 0 && isNear(robotState, (row - 1) * STATE_WIDTH, last, REST)) row--;
  const seconds = robotTime[rows - 1]! - robotTime[row]!;
  let isFrozen = row === 0;
  for (let k = 0; k < rows && isFrozen; k++) {
    isFrozen = isNear(robotState, k * STATE_WIDTH, last, 0);
  }
  if (isFrozen) {
    report(
      "warning",
      "robot.frozen",
      where,
      `The pose should change, current value is the same in all ${rows} rows: all actions are ` +
        "zero. Was the robot's state not received? Do not train on it.",
    );
  } else if (seconds > IDLE_SECONDS) {
    report(
      "info",
      "robot.idle-tail",
      where,
      `The robot is at rest for the last ${seconds.toFixed(2)} s (within ${REST} mm and degrees).`,
    );
  }
}

function isNear(state: Float32Array, a: number, b: number, tolerance: number): boolean {
  for (let d = POSE; d < STATE_WIDTH; d++) {
    const difference = Math.abs(state[a + d]! - state[b + d]!);
    if ((d < 9 ? difference : Math.min(difference, Math.abs(360 - difference))) > tolerance) {
      return false;
    }
  }
  return true;
}
