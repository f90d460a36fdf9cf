import type { AlignmentReport, StreamReport } from "../report.ts";
import type { Recording } from "../recording.ts";
import type { Report } from "./_report.ts";

/** Rates the recorders are set to, in hertz, and how far off is well. */
const ROBOT_HZ = 100, ROBOT_TOLERANCE = 2;
const SENSOR_HZ = 650, SENSOR_TOLERANCE = 0.05 * SENSOR_HZ;
/** Camera intervals may be off by this share of their median. */
const CAMERA_STEADINESS = 0.1;
/** Fewer samples tell nothing about a rate. */
const MIN_SAMPLES = 20;

/** Rates against what the recorders are set to; cameras, whose rate is free, against themselves. */
export function checkRates(
  { robot, views, sensor, layout }: Recording,
  figures: AlignmentReport,
  report: Report,
): void {
  const compare = (
    name: "robot" | "sensor",
    where: string,
    stream: StreamReport,
    [nominal, tolerance]: readonly [number, number],
  ) => {
    if (stream.samples < MIN_SAMPLES || Math.abs(stream.hz - nominal) <= tolerance) return;
    report(
      "warning",
      `${name}.rate`,
      where,
      `The ${name} should run at ${nominal} ± ${tolerance} Hz, current value is ` +
        `${stream.hz.toFixed(2)} Hz. Windows are cut by time, so they hold more or fewer rows; ` +
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
  for (const { name, folder } of views) {
    const { hz, jitterMs, samples } = figures.views[name]!;
    const off = jitterMs.p95 / 1000 * hz;
    if (samples < MIN_SAMPLES || off <= CAMERA_STEADINESS) continue;
    report(
      "warning",
      "view.unsteady",
      folder,
      `${name} should keep its rate of ${hz.toFixed(2)} Hz within 10 %, current value is ` +
        `${(100 * off).toFixed(0)} % off or more in 5 % of the intervals. Frames were lost or ` +
        "came late; images are chosen by time, so older ones stand in.",
    );
  }
}
