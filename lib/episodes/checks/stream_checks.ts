import type { AlignmentReport, StreamReport } from "../report.ts";

/** A stream of a recording beside what it should be. */
export interface StreamCheck {
  /** `robot`, a view, or `sensor`. */
  readonly name: string;
  /** Rate, gaps, jitter, what was left out. */
  readonly stream: StreamReport;
  /** Rate that the recorder is set to, Hz; of cameras the nearest whole one. */
  readonly nominalHz: number;
  /** How far off is well, Hz. */
  readonly toleranceHz: number;
  /** The rate is within the tolerance, and nothing is missing, repeated or out of order. */
  readonly passes: boolean;
}

/** Rates of the reference's recorders, Hz. */
const ROBOT_HZ = 100, ROBOT_TOLERANCE = 2, SENSOR_HZ = 650;
const SENSOR_SHARE = 0.05, CAMERA_SHARE = 0.1;

/**
 * Says of each stream whether it is as it should be: robot 100 ± 2 Hz, sensor 650 Hz ± 5 %, cameras a
 * whole rate ± 10 %; no gaps, no repeated and no disordered samples.
 *
 * @param report of the recording
 * @returns robot, views, sensor
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { streamChecks } from "./stream_checks.ts";
 * import { examineRecording } from "./examine_recording.ts";
 *
 * const root = new URL("../../../data-fixtures/recordings", import.meta.url).pathname;
 * using examined = examineRecording(`${root}/Needle_insertion_eye_trocar`);
 * const [robot] = streamChecks(examined.report);
 * assert.deepEqual([robot!.name, robot!.nominalHz, robot!.passes], ["robot", 100, true]);
 * ```
 */
export function streamChecks(report: AlignmentReport): StreamCheck[] {
  const check = (name: string, stream: StreamReport, nominalHz: number, toleranceHz: number) => {
    const { hz, gaps, duplicates, overlapping, backwardJumps, rejectedByClock, withoutTime } =
      stream;
    const faults = gaps.length + duplicates + overlapping + backwardJumps + rejectedByClock +
      withoutTime;
    const passes = Math.abs(hz - nominalHz) <= toleranceHz && faults === 0;
    return { name, stream, nominalHz, toleranceHz, passes };
  };
  const { robot, views, sensor } = report;
  return [
    check("robot", robot, ROBOT_HZ, ROBOT_TOLERANCE),
    ...Object.entries(views).map(([name, view]) => {
      const nominal = Math.max(1, Math.round(view.hz));
      return check(name, view, nominal, CAMERA_SHARE * nominal);
    }),
    ...(sensor === null ? [] : [check("sensor", sensor, SENSOR_HZ, SENSOR_SHARE * SENSOR_HZ)]),
  ];
}
