import type { EpisodeData } from "./_episode.ts";
import { countUpTo } from "../episodes/align.ts";
import { assertLength } from "./chunk.ts";

/** Values of one sensor row: force, then the A-line of 1025 depths. */
export const SENSOR_DIM = 1026;
/** Values of one robot state: joints 1–6, x y z a b r. */
export const PROPRIOCEPTION_DIM = 12;

/** A span of past time, and the rows it has at a nominal rate. */
export interface TimeWindow {
  /** How far it reaches back, ms. */
  readonly milliseconds: number;
  /** Nominal rate of the rows, Hz. */
  readonly hz: number;
  /** Rows of a full window: round(milliseconds · hz / 1000). */
  readonly rows: number;
}

/** Rows `start ≤ row < end` of a recording. */
export interface RowRange {
  /** First row. */
  readonly start: number;
  /** One past the last row. */
  readonly end: number;
}

/**
 * Describes a window by its duration.
 *
 * @param milliseconds how far it reaches back, ms
 * @param hz nominal rate of the rows, Hz
 * @returns the window; at 650 Hz 100 ms are 65 rows and 1000 ms are 650
 * @throws {RangeError} when a value is not positive and finite or the window holds no row
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { timeWindow } from "./window.ts";
 *
 * assert.equal(timeWindow(100, 650).rows, 65);
 * assert.throws(() => timeWindow(0, 650), RangeError);
 * ```
 */
export function timeWindow(milliseconds: number, hz: number): TimeWindow {
  const rows = Math.round(milliseconds * hz / 1000);
  if (!(milliseconds > 0 && hz > 0 && rows >= 1 && Number.isSafeInteger(rows))) {
    throw new RangeError(
      `Cannot make a window: milliseconds and hz must be positive and give at least one row, ` +
        `current value is ${milliseconds} ms at ${hz} Hz.`,
    );
  }
  return { milliseconds, hz, rows };
}

/**
 * The rows of a window that ends at `t`: those with a time in (t − w − p/2, t], and of them the
 * newest `window.rows`; w is the window's duration, p = 1/hz.
 *
 * Half open (start, end], so that windows side by side share no row: with both ends included one
 * second at 650 Hz has 651 rows. The half period p/2 is for jitter: the oldest row of a full window may
 * lie just inside the open end, and stamps that wander by less than p/2 against each other would
 * otherwise make the count flicker by one although no row was lost. Rows missing after that are gaps in
 * the recording.
 *
 * @param times `(n,)` non-decreasing, s
 * @param t the newest time that may be seen, s
 * @param window from {@linkcode timeWindow}
 * @returns the rows, none newer than `t`; empty where nothing was recorded
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { timeWindow, windowRange } from "./window.ts";
 *
 * const times = Float64Array.from({ length: 2000 }, (_, k) => 1000 + k / 650);
 * assert.deepEqual(windowRange(times, 1003, timeWindow(1000, 650)), { start: 1301, end: 1951 });
 * assert.deepEqual(windowRange(times, 999, timeWindow(1000, 650)), { start: 0, end: 0 });
 * ```
 */
export function windowRange(times: Float64Array, t: number, window: TimeWindow): RowRange {
  const end = countUpTo(times, t);
  const oldest = countUpTo(times, t - window.milliseconds / 1000 - 0.5 / window.hz);
  return { start: Math.min(end, Math.max(oldest, end - window.rows)), end };
}

/**
 * Reads the force and A-line rows of the past `window`, right-aligned: the newest row is the last,
 * rows that the recording lacks are zero at the front and masked. The rows go by range from the file
 * into the caller's memory; nothing else is kept.
 *
 * A policy must look at the mask: zeros are not data, and `end > start` says whether there is a
 * sensor at all at this time.
 *
 * @param episode the recording
 * @param t the newest time that may be seen, s
 * @param window from {@linkcode timeWindow}
 * @param target `(rows, 1026)` is filled: channel 0 force, channels 1–1025 A-line
 * @param mask `(rows,)` is filled: 1 for rows of the recording, 0 for zeros
 * @returns the rows of the recording that were delivered
 * @throws {RangeError} when a target has another length
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { readSensorWindow, timeWindow } from "./window.ts";
 *
 * const window = timeWindow(4, 1000);
 * const target = new Float32Array(4 * 1026), mask = new Uint8Array(4);
 * const sensor = {
 *   time: Float64Array.of(10, 10.001, 10.002),
 *   rows: 3,
 *   readRowsInto: (start: number, rows: Float32Array) => rows.fill(start + 1),
 * };
 * assert.deepEqual(readSensorWindow({ sensor }, 10.0015, window, target, mask), {
 *   start: 0,
 *   end: 2, // the row at 10.002 is in the future
 * });
 * assert.deepEqual([...mask], [0, 0, 1, 1]);
 * assert.deepEqual([target[0], target[2 * 1026]], [0, 1]);
 * ```
 */
export function readSensorWindow(
  episode: Pick<EpisodeData, "sensor">,
  t: number,
  window: TimeWindow,
  target: Float32Array,
  mask: Uint8Array,
): RowRange {
  const { sensor } = episode;
  const range = sensor === null ? { start: 0, end: 0 } : windowRange(sensor.time, t, window);
  const rows = align(range, window, SENSOR_DIM, target, mask);
  if (rows.length > 0) sensor!.readRowsInto(range.start, rows);
  return range;
}

/**
 * Reads the robot states of the past `window`, right-aligned as in {@linkcode readSensorWindow}: the
 * newest recorded rows, not resampled.
 *
 * @param episode the recording
 * @param t the newest time that may be seen, s
 * @param window from {@linkcode timeWindow}
 * @param target `(rows, 12)` is filled: joints 1–6 in degrees, x y z in mm, a b r in degrees
 * @param mask `(rows,)` is filled: 1 for rows of the recording, 0 for zeros
 * @returns the rows of the recording that were delivered
 * @throws {RangeError} when a target has another length
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { readProprioceptionWindow, timeWindow } from "./window.ts";
 *
 * const robotTime = Float64Array.of(0, 0.01, 0.02);
 * const robotState = Float32Array.from({ length: 36 }, (_, i) => Math.floor(i / 12));
 * const target = new Float32Array(2 * 12), mask = new Uint8Array(2);
 * const window = timeWindow(20, 100);
 * readProprioceptionWindow({ robotTime, robotState }, 0.01, window, target, mask);
 * assert.deepEqual([target[0], target[12]], [0, 1]);
 * ```
 */
export function readProprioceptionWindow(
  episode: Pick<EpisodeData, "robotTime" | "robotState">,
  t: number,
  window: TimeWindow,
  target: Float32Array,
  mask: Uint8Array,
): RowRange {
  const range = windowRange(episode.robotTime, t, window);
  align(range, window, PROPRIOCEPTION_DIM, target, mask).set(
    episode.robotState.subarray(range.start * PROPRIOCEPTION_DIM, range.end * PROPRIOCEPTION_DIM),
  );
  return range;
}

/** Fills mask and leading zeros; returns the part of `target` that the rows belong in. */
function align(
  { start, end }: RowRange,
  { rows }: TimeWindow,
  width: number,
  target: Float32Array,
  mask: Uint8Array,
): Float32Array {
  assertLength("a window", target, rows * width);
  assertLength("a window's mask", mask, rows);
  const missing = rows - (end - start);
  mask.fill(0, 0, missing).fill(1, missing);
  target.fill(0, 0, missing * width);
  return target.subarray(missing * width);
}
