import { ACTION_WIDTH, STATE_WIDTH } from "../actions.ts";
import type { Episode } from "../episode.ts";
import { SENSOR_WIDTH } from "../layouts/_sensor.ts";

/** Typed arrays whose elements are numbers. */
export type NumberValues =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array;

/** What an array holds beside what it should hold. */
export interface ArrayCheck {
  /** Name of the array. */
  readonly name: string;
  /** Length along each axis, as it should be. */
  readonly shape: readonly number[];
  /** NumPy's name of the dtype. */
  readonly dtype: string;
  /** Smallest finite value; null without one. */
  readonly min: number | null;
  /** Largest finite value; null without one. */
  readonly max: number | null;
  /** Values that are NaN because nothing was recorded there. */
  readonly missing: number;
  /** Other values that are NaN or infinite. */
  readonly nonFinite: number;
  /** What is wrong; null if nothing is. */
  readonly problem: string | null;
}

/**
 * Counts what an array holds: extremes, values that are missing, values that are not finite.
 *
 * @param name of the array
 * @param shape that it should have
 * @param values the array, row by row
 * @param isMissing whether nothing was recorded for the element of a place, so that it may be NaN;
 * default never
 * @returns the figures; `problem` says if the length or a value is wrong
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { checkArray } from "./arrays.ts";
 *
 * const { nonFinite, problem } = checkArray("force", [3], Float32Array.of(2.4, NaN, 3));
 * assert.deepEqual([nonFinite, problem], [1, "1 of 3 values is not finite"]);
 * assert.match(checkArray("force", [4], new Float32Array(3)).problem!, /should be 4 values/);
 * ```
 */
export function checkArray(
  name: string,
  shape: readonly number[],
  values: NumberValues,
  isMissing: (place: number) => boolean = () => false,
): ArrayCheck {
  const tally = newTally();
  count(tally, values, isMissing);
  return checkOf(name, shape, dtypeOf(values), values.length, tally);
}

/**
 * Checks shape, dtype and values of every array of an episode; the sensor's rows are read block by
 * block.
 *
 * @param episode an opened episode
 * @returns a line for each array; all is well where every `problem` is null
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { checkEpisode } from "./arrays.ts";
 *
 * const none = new Float64Array();
 * const checks = checkEpisode({
 *   robotTime: Float64Array.of(0, 0.01),
 *   robotState: new Float32Array(24).fill(NaN, 3, 4),
 *   action: new Float32Array(), actionRotation: new Float32Array(), actionIndex: new Int32Array(),
 *   actionTime: none, segment: new Int32Array(), images: [], imageIndex: new Int32Array(),
 *   imageAge: new Float32Array(), sensor: null,
 * });
 * assert.deepEqual(checks.filter(({ problem }) => problem !== null).map(({ name }) => name), [
 *   "robot_state",
 * ]);
 * ```
 */
export function checkEpisode(
  episode: Omit<Episode, "path" | "manifest" | "close" | typeof Symbol.dispose>,
): ArrayCheck[] {
  const { robotTime, segment, images, imageIndex, sensor } = episode;
  const n = robotTime.length, N = segment.length, V = images.length;
  const checks = [
    checkArray("robot_time", [n], robotTime),
    checkArray("robot_state", [n, STATE_WIDTH], episode.robotState),
    checkArray("action", [N, ACTION_WIDTH], episode.action),
    checkArray("action_rotation", [N, 3], episode.actionRotation),
    checkArray("action_index", [N, 2], episode.actionIndex),
    checkArray("action_time", [N, 2], episode.actionTime),
    checkArray("segment", [N], segment),
    ...images.map(({ view, time }) => checkArray(`image_time_${view}`, [time.length], time)),
    checkArray("image_index", [N, V], imageIndex),
    checkArray("image_age", [N, V], episode.imageAge, (place) => imageIndex[place]! < 0),
  ];
  if (sensor === null) return checks;
  return [
    ...checks,
    checkArray("sensor_time", [sensor.rows], sensor.time),
    checkArray("sensor_range", [N, 2], sensor.range),
    checkRows("sensor", sensor),
  ];
}

const BLOCK = 256;

function checkRows(
  name: string,
  { rows, readRowsInto }: Pick<NonNullable<Episode["sensor"]>, "rows" | "readRowsInto">,
): ArrayCheck {
  const tally = newTally(), block = new Float32Array(Math.min(BLOCK, rows) * SENSOR_WIDTH);
  for (let start = 0; start < rows; start += BLOCK) {
    const part = block.subarray(0, Math.min(BLOCK, rows - start) * SENSOR_WIDTH);
    readRowsInto(start, part);
    count(tally, part, () => false);
  }
  return checkOf(name, [rows, SENSOR_WIDTH], dtypeOf(block), rows * SENSOR_WIDTH, tally);
}

interface Tally {
  min: number;
  max: number;
  missing: number;
  nonFinite: number;
}

function newTally(): Tally {
  return { min: Infinity, max: -Infinity, missing: 0, nonFinite: 0 };
}

function count(tally: Tally, values: NumberValues, isMissing: (place: number) => boolean): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!Number.isFinite(value)) {
      if (Number.isNaN(value) && isMissing(i)) tally.missing++;
      else tally.nonFinite++;
      continue;
    }
    if (value < tally.min) tally.min = value;
    if (value > tally.max) tally.max = value;
  }
}

function checkOf(
  name: string,
  shape: readonly number[],
  dtype: string,
  length: number,
  { min, max, missing, nonFinite }: Tally,
): ArrayCheck {
  const expected = shape.reduce((product, side) => product * side, 1);
  const problem = length !== expected
    ? `(${shape.join(", ")}) should be ${expected} values, current value is ${length}`
    : nonFinite > 0
    ? `${nonFinite} of ${length} values ${nonFinite === 1 ? "is" : "are"} not finite`
    : null;
  const some = min <= max;
  return {
    ...{ name, shape, dtype, missing, nonFinite, problem },
    ...{ min: some ? min : null, max: some ? max : null },
  };
}

/** `Float32Array` is NumPy's float32. */
function dtypeOf({ constructor }: NumberValues): string {
  return constructor.name.replace(/Array$/, "").toLowerCase();
}
