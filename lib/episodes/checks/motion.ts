import { STATE_WIDTH } from "../actions.ts";
import type { Episode } from "../episode.ts";
import { rotationVector, wrapDegrees } from "../../robot/rotation.ts";
import { type Percentiles, percentiles } from "../stream_quality.ts";

/** Columns of a robot state. */
const X = 6, A = 9;
/** Slower is standing still, mm/s and deg/s: noise of the encoders is far below, motions far above. */
const STILL = 0.1;

/** The tool's motion in one stretch of the robot's log. */
export interface MotionSummary {
  /** Length, s. */
  readonly seconds: number;
  /** x y z in mm, a b r in deg at the start. */
  readonly start: readonly number[];
  /** The same at the end. */
  readonly end: readonly number[];
  /** Length of the way, mm. */
  readonly pathMm: number;
  /** From start to end on the straight line, mm. */
  readonly displacementMm: number;
  /** Turn from start to end on the short way, deg. */
  readonly turnDeg: number;
  /** Speed of the tool, mm/s, between rows of different times; zeros without any. */
  readonly speed: Percentiles & { readonly mean: number };
  /** How long the robot stands still at the end, s. */
  readonly idleTailSeconds: number;
}

/**
 * Length, ends, way and speed of a motion.
 *
 * @param time `(n,)` ascending, s; times may repeat
 * @param state `(n, 12)` joints in deg, x y z in mm, a b r in deg
 * @returns the figures
 * @throws {RangeError} with fewer than two rows
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { motionSummary } from "./motion.ts";
 *
 * const state = new Float32Array(3 * 12);
 * state[12 + 6] = state[24 + 6] = 4; // x: 0, 4, 4 mm
 * const motion = motionSummary([0, 1, 2], state);
 * assert.deepEqual([motion.pathMm, motion.speed.max, motion.idleTailSeconds], [4, 4, 1]);
 * ```
 */
export function motionSummary(time: ArrayLike<number>, state: ArrayLike<number>): MotionSummary {
  const n = time.length;
  if (n < 2 || state.length !== n * STATE_WIDTH) {
    throw new RangeError(
      `Cannot summarise a motion: it must have at least 2 rows of ${STATE_WIDTH} values, current ` +
        `values are ${n} times and ${state.length} values.`,
    );
  }
  const pose = (row: number) =>
    Array.from({ length: 6 }, (_, d) => state[row * STATE_WIDTH + X + d]!);
  const start = pose(0), end = pose(n - 1), seconds = time[n - 1]! - time[0]!;
  const speed = speedProfile(time, state);
  let pathMm = 0, idle = n - 1;
  for (let i = 0; i < n - 1; i++) pathMm += distance(pose(i), pose(i + 1));
  // NaN: the same pose at the same time.
  while (idle > 0 && !(speed.mm[idle - 1]! >= STILL || speed.deg[idle - 1]! >= STILL)) idle--;
  return {
    seconds,
    start,
    end,
    pathMm,
    displacementMm: distance(start, end),
    turnDeg: Math.hypot(...rotationVector(start.slice(3), end.slice(3))),
    speed: {
      ...percentiles(speed.mm.filter(Number.isFinite)),
      mean: seconds > 0 ? pathMm / seconds : 0,
    },
    idleTailSeconds: time[n - 1]! - time[idle]!,
  };
}

/** Speeds between n rows, `(n − 1,)` each. */
export interface SpeedProfile {
  /** Middles of the intervals, s. */
  readonly time: Float64Array<ArrayBuffer>;
  /** Speed of the tool, mm/s. */
  readonly mm: Float64Array<ArrayBuffer>;
  /** Speed of its turning, deg/s. */
  readonly deg: Float64Array<ArrayBuffer>;
}

/**
 * How fast the tool moves and turns.
 *
 * @param time `(n,)` ascending, s
 * @param state `(n, 12)` as in {@linkcode motionSummary}
 * @returns the speeds between neighbouring rows
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { speedProfile } from "./motion.ts";
 *
 * const state = new Float32Array(2 * 12);
 * [state[12 + 6], state[12 + 7]] = [3, 4];
 * assert.deepEqual([...speedProfile([0, 0.5], state).mm], [10]);
 * ```
 */
export function speedProfile(time: ArrayLike<number>, state: ArrayLike<number>): SpeedProfile {
  const n = Math.max(0, time.length - 1);
  const profile = {
    time: new Float64Array(n),
    mm: new Float64Array(n),
    deg: new Float64Array(n),
  };
  const pose = (row: number, from: number) =>
    [0, 1, 2].map((d) => state[row * STATE_WIDTH + from + d]!);
  for (let i = 0; i < n; i++) {
    const seconds = time[i + 1]! - time[i]!;
    profile.time[i] = (time[i]! + time[i + 1]!) / 2;
    profile.mm[i] = distance(pose(i, X), pose(i + 1, X)) / seconds;
    profile.deg[i] = Math.hypot(...rotationVector(pose(i, A), pose(i + 1, A))) / seconds;
  }
  return profile;
}

/** A turn of an angle over ±180°. */
export interface AngleWrap {
  /** Row before it. */
  readonly row: number;
  /** Which angle. */
  readonly angle: "a" | "b" | "r";
  /** The angle before, deg. */
  readonly from: number;
  /** The angle after, deg. */
  readonly to: number;
}

/**
 * Where an angle of the pose turns over ±180°, so that a plain difference would be wrong by 360°.
 *
 * @param state `(n, 12)` as in {@linkcode motionSummary}
 * @returns the places, in order
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { angleWraps } from "./motion.ts";
 *
 * const state = new Float32Array(2 * 12);
 * [state[11], state[23]] = [179, -179];
 * assert.deepEqual(angleWraps(state), [{ row: 0, angle: "r", from: 179, to: -179 }]);
 * ```
 */
export function angleWraps(state: ArrayLike<number>): AngleWrap[] {
  const wraps: AngleWrap[] = [];
  for (let row = 0; (row + 2) * STATE_WIDTH <= state.length; row++) {
    (["a", "b", "r"] as const).forEach((angle, d) => {
      const from = state[row * STATE_WIDTH + A + d]!, to = state[(row + 1) * STATE_WIDTH + A + d]!;
      if (Math.abs(to - from) > 180) wraps.push({ row, angle, from, to });
    });
  }
  return wraps;
}

/**
 * An angle without its turns over ±180°: a line that can be drawn and differentiated.
 *
 * @param degrees `(n,)`
 * @returns `(n,)` from the same first value, neighbours at most 180° apart
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { unwrapDegrees } from "./motion.ts";
 *
 * assert.deepEqual([...unwrapDegrees([170, -170, -150])], [170, 190, 210]);
 * ```
 */
export function unwrapDegrees(degrees: ArrayLike<number>): Float64Array<ArrayBuffer> {
  const line = Float64Array.from({ length: degrees.length }, (_, i) => degrees[i]!);
  for (let i = 1; i < line.length; i++) {
    line[i] = line[i - 1]! + wrapDegrees(degrees[i]! - degrees[i - 1]!);
  }
  return line;
}

/** Sum of the actions of a segment beside the way that was made. */
export interface SegmentIntegral {
  /** Number of the segment. */
  readonly segment: number;
  /** Actions in it. */
  readonly actions: number;
  /** Farthest that the sum and the way of any of x, y, z are apart, mm. */
  readonly errorMm: number;
}

/**
 * Adds up the actions of each segment and compares with the robot's poses at its ends: they are the
 * same, or actions are missing, wrong or of another unit.
 *
 * @param episode an opened episode
 * @returns a line for each segment; rounding gives less than 0.001 mm
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { actionIntegrals } from "./motion.ts";
 *
 * const robotState = new Float32Array(2 * 12);
 * robotState[12 + 6] = 0.5;
 * const [first] = actionIntegrals({
 *   robotState,
 *   action: Float32Array.of(0.5, 0, 0, 0, 0, 0, 1),
 *   actionIndex: Int32Array.of(0, 1),
 *   segment: Int32Array.of(0),
 * });
 * assert.equal(first!.errorMm, 0);
 * ```
 */
export function actionIntegrals(
  { robotState, action, actionIndex, segment }: Pick<
    Episode,
    "robotState" | "action" | "actionIndex" | "segment"
  >,
): SegmentIntegral[] {
  const groups = Map.groupBy(segment.keys(), (k) => segment[k]!);
  const width = segment.length === 0 ? 7 : action.length / segment.length;
  return [...groups].map(([number, members]) => {
    const first = actionIndex[2 * members[0]!]!, last = actionIndex[2 * members.at(-1)! + 1]!;
    const errors = [0, 1, 2].map((d) => {
      const sum = members.reduce((sum, k) => sum + action[k * width + d]!, 0);
      const at = (row: number) => robotState[row * STATE_WIDTH + X + d]!;
      return Math.abs(sum - (at(last) - at(first)));
    });
    return { segment: number, actions: members.length, errorMm: Math.max(...errors) };
  });
}

function distance(from: readonly number[], to: readonly number[]): number {
  return Math.hypot(to[0]! - from[0]!, to[1]! - from[1]!, to[2]! - from[2]!);
}
