import {
  type ActionOptions,
  type Actions,
  extractActions,
  referenceActions,
  STATE_WIDTH,
} from "./actions.ts";
import { type CleanTimes, cleanTimes } from "./clean_times.ts";
import type { ClockOffset, OffsetStream, Recording } from "./recording.ts";

/** How streams are brought together. */
export interface AlignOptions extends ActionOptions {
  /** Length of the past sensor window that `sensor_range` gives, in seconds; default 0.1. */
  readonly sensorWindow?: number;
  /** Clock offsets, stream minus robot, in seconds; they replace recorded ones. */
  readonly clockOffsets?: Readonly<Partial<Record<OffsetStream, number>>>;
  /** Produce the action list of the Python reference, for comparison; default false. */
  readonly compat?: boolean;
}

/** Images of one view on the robot's clock. */
export interface AlignedView {
  /** Name of the view. */
  readonly name: string;
  /** Folder that holds the images. */
  readonly folder: string;
  /** (F) file names. */
  readonly files: readonly string[];
  /** (F) times on the robot's clock, in seconds, strictly ascending. */
  readonly time: Float64Array<ArrayBuffer>;
  /** What was cleaned. */
  readonly clean: CleanTimes;
}

/** The sensor on the robot's clock. */
export interface AlignedSensor {
  /** (M) times on the robot's clock, in seconds, strictly ascending. */
  readonly time: Float64Array<ArrayBuffer>;
  /** (N, 2) first row of each action's past window and the row after its last. */
  readonly range: Int32Array<ArrayBuffer>;
  /** What was cleaned. */
  readonly clean: CleanTimes;
}

/** A recording brought onto one clock: N actions, V views. */
export interface AlignedRecording {
  /** (n) times of the robot's rows, in seconds, strictly ascending (in `compat`: as recorded). */
  readonly robotTime: Float64Array<ArrayBuffer>;
  /** (n, 12) joints in deg, x y z in mm, a b r in deg. */
  readonly robotState: Float32Array<ArrayBuffer>;
  /** What was cleaned in the robot's log (in `compat`: what there was to clean). */
  readonly robotClean: CleanTimes;
  /** The actions. */
  readonly actions: Actions;
  /** Views, sorted by name. */
  readonly views: readonly AlignedView[];
  /** (N, V) newest image at or before each action's start; −1 if there is none. */
  readonly imageIndex: Int32Array<ArrayBuffer>;
  /** (N, V) its age at the action's start, in seconds; NaN if there is none. */
  readonly imageAge: Float32Array<ArrayBuffer>;
  /** The sensor, or null. */
  readonly sensor: AlignedSensor | null;
  /** Offsets that were subtracted. */
  readonly clockOffsets: Readonly<Record<OffsetStream, ClockOffset>>;
  /** Crossings of ±180° by a, b or r between neighbouring rows. */
  readonly angleWraps: number;
}

/**
 * Step 0 on a whole recording: every stream onto the robot's clock, disorder and duplicates out, pose
 * differences into actions, and for each action what was there at its start: the newest image of each
 * view and the sensor rows of the time before. Nothing newer than an action's start is ever chosen.
 *
 * @param recording what was read
 * @param options rates, windows, offsets
 * @returns the aligned streams
 * @throws {RangeError} when the robot's log has fewer than two rows
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { alignRecording, type Recording } from "./mod.ts";
 *
 * const recording: Recording = {
 *   name: "demo", path: "demo", layout: "recv-all", task: "demo", instruction: "insert",
 *   robot: {
 *     file: "demo.csv", clock: "origin", recvTime: null, pose: "recorded", blankRows: 0,
 *     time: Float64Array.from({ length: 101 }, (_, i) => i / 100),
 *     state: new Float32Array(101 * 12),
 *   },
 *   views: [{
 *     name: "View5", folder: "View5", files: ["oak_0.150.jpg"], time: Float64Array.of(0.15),
 *     withoutTime: 0,
 *   }],
 *   sensor: null, clockOffsets: {}, findings: [], close() {},
 * };
 * const { actions, imageIndex } = alignRecording(recording);
 * assert.equal(actions.action.length / 7, 10);
 * assert.deepEqual([...imageIndex.subarray(0, 3)], [-1, -1, 0]); // 0.15 s is not before 0.1 s
 * ```
 */
export function alignRecording(recording: Recording, options: AlignOptions = {}): AlignedRecording {
  const { sensorWindow = 0.1, compat = false } = options;
  const { robot } = recording;
  const robotClean = cleanTimes(robot.time);
  const robotTime = compat ? new Float64Array(robot.time) : robotClean.time;
  if (robotTime.length < 2) {
    throw new RangeError(
      `Cannot align ${recording.path}: the robot log ${robot.file} should have at least 2 rows ` +
        `with different times, current value is ${robotTime.length}.`,
    );
  }
  const robotState = takeRows(robot.state, compat ? null : robotClean.rows);
  const actions = compat
    ? referenceActions(robotTime, robotState, options)
    : extractActions(robotTime, robotState, { ...options, overlaps: robotClean.overlaps });

  const offset = (stream: OffsetStream): ClockOffset => {
    const given = options.clockOffsets?.[stream];
    if (given !== undefined) return { seconds: given, source: "given" };
    const recorded = recording.clockOffsets[stream];
    if (recorded !== undefined) {
      return { seconds: recorded - (robot.aheadOfOrigin ?? 0), source: "recorded" };
    }
    return { seconds: 0, source: "assumed" };
  };
  const clockOffsets = { camera: offset("camera"), sensor: offset("sensor") };

  const views = recording.views.map(({ name, folder, files, time }): AlignedView => {
    const clean = cleanTimes(subtract(time, clockOffsets.camera.seconds));
    const kept = clean.rows === null ? files : Array.from(clean.rows, (row) => files[row]!);
    return { name, folder, files: kept, time: clean.time, clean };
  });
  return {
    robotTime,
    robotState,
    robotClean,
    actions,
    views,
    ...chooseImages(actions.time, views),
    sensor: recording.sensor === null ? null : sensorRanges(
      actions.time,
      cleanTimes(subtract(recording.sensor.time, clockOffsets.sensor.seconds)),
      sensorWindow,
    ),
    clockOffsets,
    angleWraps: countWraps(robotState),
  };
}

function subtract(time: Float64Array, seconds: number): Float64Array {
  return seconds === 0 ? time : time.map((each) => each - seconds);
}

function takeRows(state: Float32Array, rows: Int32Array | null): Float32Array<ArrayBuffer> {
  if (rows === null) return new Float32Array(state);
  const taken = new Float32Array(rows.length * STATE_WIDTH);
  rows.forEach((row, k) =>
    taken.set(state.subarray(row * STATE_WIDTH, (row + 1) * STATE_WIDTH), k * STATE_WIDTH)
  );
  return taken;
}

function chooseImages(actionTime: Float64Array, views: readonly AlignedView[]) {
  const count = actionTime.length / 2, width = views.length;
  const imageIndex = new Int32Array(count * width);
  const imageAge = new Float32Array(count * width);
  views.forEach(({ time }, v) => {
    for (let k = 0; k < count; k++) {
      const start = actionTime[2 * k]!;
      const newest = countUpTo(time, start) - 1;
      imageIndex[k * width + v] = newest;
      imageAge[k * width + v] = newest < 0 ? NaN : start - time[newest]!;
    }
  });
  return { imageIndex, imageAge };
}

/** Rows with start − window < time ≤ start: half open, so that no row belongs to two windows. */
function sensorRanges(actionTime: Float64Array, clean: CleanTimes, window: number): AlignedSensor {
  const { time } = clean;
  const range = new Int32Array(actionTime.length);
  for (let k = 0; k < actionTime.length; k += 2) {
    range[k] = countUpTo(time, actionTime[k]! - window);
    range[k + 1] = countUpTo(time, actionTime[k]!);
  }
  return { time, range, clean };
}

/**
 * Number of times at or before a moment, by binary search.
 *
 * @param time ascending times
 * @param moment in the same unit
 * @returns the index after the newest time ≤ moment
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { countUpTo } from "./align.ts";
 *
 * assert.equal(countUpTo(Float64Array.of(0, 1, 2), 1), 2);
 * ```
 */
export function countUpTo(time: Float64Array, moment: number): number {
  let low = 0, high = time.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (time[middle]! <= moment) low = middle + 1;
    else high = middle;
  }
  return low;
}

function countWraps(state: Float32Array): number {
  let wraps = 0;
  for (let row = STATE_WIDTH; row < state.length; row += STATE_WIDTH) {
    for (let d = 9; d < STATE_WIDTH; d++) {
      if (Math.abs(state[row + d]! - state[row + d - STATE_WIDTH]!) > 180) wraps++;
    }
  }
  return wraps;
}
