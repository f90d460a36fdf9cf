import { derivedFindings } from "./_findings.ts";
import type { AlignedRecording } from "./align.ts";
import type { CleanTimes } from "./clean_times.ts";
import type { ClockOffset, Finding, OffsetStream, Recording } from "./recording.ts";
import {
  type Percentiles,
  percentiles,
  type StreamQuality,
  streamQuality,
} from "./stream_quality.ts";

/** How regular one stream is, and what was cleaned in it. */
export interface StreamReport extends StreamQuality {
  /** Samples as recorded, before cleaning. */
  readonly recorded: number;
  /** Left out: the next sample has the same time. */
  readonly duplicates: number;
  /** Left out: after sorting, another sample has the same time. */
  readonly overlapping: number;
  /** Stretches of time that were recorded twice, in seconds. */
  readonly overlaps: readonly (readonly [start: number, end: number])[];
  /** Places where the stream's clock went back. */
  readonly backwardJumps: number;
  /** Left out: beside a step of the clock that was too large to sort. */
  readonly rejectedByClock: number;
  /** Left out: without a usable time. */
  readonly withoutTime: number;
}

/** The alignment report of one recording. */
export interface AlignmentReport {
  /** Robot log. */
  readonly robot: StreamReport & {
    /** Column that gave the time. */
    readonly clock: string;
    /** Rows left out for blank cells. */
    readonly blankRows: number;
    /** Receiver's clock minus the robot's, with the way in between; null with one clock. */
    readonly recvMinusClockMs: { readonly min: number; readonly p50: number } | null;
    /** Crossings of ±180° by a, b or r. */
    readonly angleWraps: number;
  };
  /** Views by name. */
  readonly views: Readonly<Record<string, StreamReport & { readonly ageMs: Percentiles }>>;
  /** Sensor; null without one. */
  readonly sensor:
    | StreamReport & {
      /** `raw` or `windowed`. */
      readonly variant: string;
      /** Share of the rows that the actions' past windows should hold and do hold, 0 to 1. */
      readonly coverage: number;
      /** Rows lost inside windows, at places that the file does not tell; 0 for raw files. */
      readonly lostInWindows: number;
      /** Time in the sender's queue; null where the file has no send times. */
      readonly queueMs: Percentiles | null;
    }
    | null;
  /** Actions. */
  readonly actions: number;
  /** Stretches of actions without a hole. */
  readonly segments: number;
  /** Rows at which no action could start. */
  readonly skipped: number;
  /** |action's length − 1/actionHz|. */
  readonly residualMs: Percentiles;
  /** Offsets that were subtracted, in seconds. */
  readonly clockOffsets: Readonly<Record<OffsetStream, ClockOffset>>;
  /** Everything worth a word, rejected data and why. */
  readonly findings: readonly Finding[];
}

/**
 * Says how regular the streams of a recording are and how well they were aligned.
 *
 * @param recording as read
 * @param aligned as aligned
 * @param sensorWindow length of the past sensor window, in seconds
 * @returns the report
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { alignmentReport, alignRecording, type Recording } from "./mod.ts";
 *
 * const recording: Recording = {
 *   name: "demo", path: "demo", layout: "meca500-log", task: "demo", instruction: "insert",
 *   robot: {
 *     file: "demo.csv", clock: "origin", recvTime: null, pose: "recorded", blankRows: 0,
 *     time: Float64Array.from({ length: 101 }, (_, i) => i / 100 + (i > 50 ? 1 : 0)),
 *     state: new Float32Array(101 * 12),
 *   },
 *   views: [], sensor: null, clockOffsets: {}, findings: [], close() {},
 * };
 * const report = alignmentReport(recording, alignRecording(recording), 0.1);
 * assert.equal(report.robot.gaps.length, 1);
 * assert.equal(report.segments, 2);
 * ```
 */
export function alignmentReport(
  recording: Recording,
  aligned: AlignedRecording,
  sensorWindow: number,
): AlignmentReport {
  const { robot } = recording;
  const { actions } = aligned;
  const views = aligned.views.map((view, v) => {
    const width = aligned.views.length;
    const ages: number[] = [];
    for (let k = v; k < aligned.imageAge.length; k += width) {
      if (aligned.imageIndex[k]! >= 0) ages.push(aligned.imageAge[k]! * 1000);
    }
    const recorded = recording.views[v]!;
    return [view.name, {
      ...streamReport(recorded.time.length, view.clean),
      withoutTime: recorded.withoutTime,
      ageMs: percentiles(ages),
    }] as const;
  });
  const report: AlignmentReport = {
    robot: {
      ...streamReport(robot.time.length, aligned.robotClean),
      clock: robot.clock,
      blankRows: robot.blankRows,
      recvMinusClockMs: robot.recvTime === null
        ? null
        : clockDifference(robot.recvTime, robot.time),
      angleWraps: aligned.angleWraps,
    },
    views: Object.fromEntries(views),
    sensor: sensorReport(recording, aligned, sensorWindow),
    actions: actions.segment.length,
    segments: actions.segments,
    skipped: actions.skipped,
    residualMs: actions.residualMs,
    clockOffsets: aligned.clockOffsets,
    findings: [],
  };
  return { ...report, findings: [...recording.findings, ...derivedFindings(recording, report)] };
}

function streamReport(recorded: number, clean: CleanTimes): StreamReport {
  const { duplicates, overlapping, overlaps, backwardJumps, rejectedByClock, withoutTime } = clean;
  return {
    ...streamQuality(clean.time, clean.sorted),
    recorded,
    duplicates,
    overlapping,
    overlaps,
    backwardJumps,
    rejectedByClock,
    withoutTime,
  };
}

function clockDifference(recv: Float64Array, time: Float64Array) {
  const difference = time.map((each, row) => (recv[row]! - each) * 1000);
  return { min: difference.reduce((a, b) => Math.min(a, b)), p50: percentiles(difference).p50 };
}

function sensorReport(
  { sensor: source }: Recording,
  { sensor }: AlignedRecording,
  window: number,
): AlignmentReport["sensor"] {
  if (source === null || sensor === null) return null;
  const quality = streamReport(source.time.length, sensor.clean);
  const expected = Math.max(1, Math.round(window * quality.hz));
  let held = 0;
  for (let k = 0; k < sensor.range.length; k += 2) {
    held += Math.min(expected, sensor.range[k + 1]! - sensor.range[k]!);
  }
  const windows = sensor.range.length / 2;
  const queue = source.sendTime?.map((sent, row) => (sent - source.time[row]!) * 1000);
  return {
    ...quality,
    variant: source.variant,
    lostInWindows: source.lostInWindows,
    coverage: windows === 0 ? 0 : held / (windows * expected),
    queueMs: queue === undefined ? null : percentiles(queue),
  };
}
