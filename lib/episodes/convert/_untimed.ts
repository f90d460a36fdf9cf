import type { DataPkl } from "../../formats/data_pkl.ts";
import { ACTION_WIDTH } from "../actions.ts";
import type { AlignedRecording } from "../align.ts";
import { cleanTimes } from "../clean_times.ts";
import type { Recording } from "../recording.ts";
import { type AlignmentReport, alignmentReport } from "../report.ts";
import { percentiles } from "../stream_quality.ts";

/** The clock of an episode whose times nobody knows. */
export const NO_CLOCK = "none: data.pkl holds no times";

/** Sensor rows without times, one per action, (N, 1026); beside the arrays of a container. */
export const PICKLED_SENSOR = "pickled_sensor.npy";

/** The robot log of a recording that has none. */
export function noRobotLog(file: string): Recording["robot"] {
  return {
    file,
    clock: "origin",
    time: new Float64Array(),
    recvTime: null,
    state: new Float32Array(),
    pose: "recorded",
    blankRows: 0,
  };
}

/**
 * Actions without times: counted from 0 at the action rate, so that only their order means
 * something; no robot rows, no rotation, and neither images nor sensor rows, whose times belong to a
 * clock, are chosen for them.
 */
export function alignUntimed(recording: Recording, data: DataPkl): AlignedRecording {
  const { action, metadata: { actionHz } } = data;
  const count = action.length / ACTION_WIDTH;
  const views = recording.views.map(({ name, folder, files, time }) => {
    const clean = cleanTimes(time);
    const kept = clean.rows === null ? files : Array.from(clean.rows, (row) => files[row]!);
    return { name, folder, files: kept, time: clean.time, clean };
  });
  const assumed = { seconds: 0, source: "assumed" } as const;
  return {
    robotTime: new Float64Array(),
    robotState: new Float32Array(),
    robotClean: cleanTimes(new Float64Array()),
    actions: {
      action,
      rotation: new Float32Array(count * 3).fill(NaN),
      index: new Int32Array(count * 2).fill(-1),
      time: Float64Array.from({ length: count * 2 }, (_, i) => ((i + 1) >> 1) / actionHz),
      segment: new Int32Array(count),
      segments: Math.min(count, 1),
      overlaps: [],
      skipped: 0,
      residualMs: percentiles([]),
    },
    views,
    imageIndex: new Int32Array(count * views.length).fill(-1),
    imageAge: new Float32Array(count * views.length).fill(NaN),
    sensor: null,
    clockOffsets: { camera: assumed, sensor: assumed },
    angleWraps: 0,
  };
}

/** The report of such an episode; of the robot's log it says what the pickle says. */
export function untimedReport(
  recording: Recording,
  aligned: AlignedRecording,
  { metadata }: DataPkl,
  sensorWindow: number,
): AlignmentReport {
  const report = alignmentReport(recording, aligned, sensorWindow);
  return {
    ...report,
    robot: {
      ...report.robot,
      samples: metadata.numRobotStates,
      recorded: metadata.numRobotStates,
      hz: metadata.robotHz,
      meanHz: metadata.robotHz,
      start: 0,
      end: metadata.durationSeconds,
    },
    findings: report.findings.filter(({ code }) => code !== "clock.assumed"),
  };
}
