import type { AlignedRecording } from "../align.ts";
import type { Recording } from "../recording.ts";
import type { AlignmentReport, StreamReport } from "../report.ts";
import type { Report } from "./_report.ts";

/** Rates the recorders are set to, in hertz, and how far off is well. */
const ROBOT_HZ = 100, ROBOT_TOLERANCE = 2;
const SENSOR_HZ = 650, SENSOR_TOLERANCE = 0.05 * SENSOR_HZ;
/** Camera intervals may be off by this share of their median, but for so many of them. */
const CAMERA_STEADINESS = 0.1, UNSTEADY_SHARE = 0.05;
/** Longer gaps are pauses, in samples. */
const PAUSE_SAMPLES = 5;
/** Fewer samples tell nothing about a rate. */
const MIN_SAMPLES = 20;

/** Rates against what the recorders are set to; cameras, whose rate is free, against themselves. */
export function checkRates(
  { robot, sensor, layout }: Recording,
  aligned: AlignedRecording,
  figures: AlignmentReport,
  report: Report,
): void {
  const compare = (
    name: "robot" | "sensor",
    where: string,
    stream: StreamReport,
    [nominal, tolerance]: readonly [number, number],
  ) => {
    const hz = rateBetweenPauses(stream);
    if (stream.samples < MIN_SAMPLES || Math.abs(hz - nominal) <= tolerance) return;
    report(
      "warning",
      `${name}.rate`,
      where,
      `The ${name} should run at ${nominal} ± ${tolerance} Hz, current value is ` +
        `${hz.toFixed(2)} Hz. Windows are cut by time, so they hold more or fewer rows; ` +
        "look for lost rows, or a clock that runs wrong.",
    );
  };
  // The controller's own log has whatever rate its user set.
  if (layout !== "meca500-log") {
    compare("robot", robot.file, figures.robot, [ROBOT_HZ, ROBOT_TOLERANCE]);
  }
  if (sensor !== null) {
    compare("sensor", sensor.file, figures.sensor!, [SENSOR_HZ, SENSOR_TOLERANCE]);
  }
  for (const { name, folder, time } of aligned.views) {
    const { hz, gaps } = figures.views[name]!;
    const lost = new Set(gaps.map(({ row }) => row));
    let off = 0;
    for (let row = 0; row + 1 < time.length; row++) {
      const periods = (time[row + 1]! - time[row]!) * hz;
      if (!lost.has(row) && Math.abs(periods - 1) > CAMERA_STEADINESS) off++;
    }
    const share = off / (time.length - 1 - lost.size);
    if (time.length < MIN_SAMPLES || share <= UNSTEADY_SHARE) continue;
    report(
      "warning",
      "view.unsteady",
      folder,
      `${name} should keep its rate of ${hz.toFixed(2)} Hz within 10 %, current value is off by ` +
        `more in ${(100 * share).toFixed(0)} % of the intervals. Frames came late; images are ` +
        "chosen by time, so older ones stand in.",
    );
  }
}

/**
 * Samples per second outside of pauses. Not the median interval: a clock that is read in steps of
 * milliseconds has no interval of the mean length; and its unevenness makes small gaps of nothing.
 */
function rateBetweenPauses({ samples, start, end, gaps }: StreamReport): number {
  const pauses = gaps.filter(({ lost }) => lost >= PAUSE_SAMPLES);
  const seconds = pauses.reduce((sum, pause) => sum + pause.seconds, 0);
  return (samples - 1 - pauses.length) / (end! - start! - seconds);
}
