import { fillRotationMatrix, wrapDegrees, writeRotationVector } from "../robot/rotation.ts";
import { type Percentiles, percentiles } from "./stream_quality.ts";

/** Values per row of a robot state: joints 1–6 (deg), x y z (mm), a b r (deg). */
export const STATE_WIDTH = 12;
/** Values per action: Δx Δy Δz (mm), Δa Δb Δr (deg), and 1.0, the gripper that does not exist. */
export const ACTION_WIDTH = 7;
const POSE = 6;

/** Which pose differences become actions. */
export interface ActionOptions {
  /** Actions per second; default 10. */
  readonly actionHz?: number;
  /** An action ends at the sample nearest to start + 1/actionHz, if nearer than this; default 0.020 s. */
  readonly tolerance?: number;
  /** `wrapped` reduces angle differences to [−180, 180), `raw` does not; default wrapped. */
  readonly angles?: "wrapped" | "raw";
  /** Stretches of time whose rows are not to be trusted; segments end before them and begin after. */
  readonly overlaps?: readonly (readonly [start: number, end: number])[];
}

/** The actions of one robot log; N actions. */
export interface Actions {
  /** (N, 7) Δx Δy Δz mm, Δa Δb Δr deg, 1.0. */
  readonly action: Float32Array<ArrayBuffer>;
  /** (N, 3) rotation vector in the tool frame at the start, in degrees. */
  readonly rotation: Float32Array<ArrayBuffer>;
  /** (N, 2) first and last row of the robot log. */
  readonly index: Int32Array<ArrayBuffer>;
  /** (N, 2) times of these rows, in seconds. */
  readonly time: Float64Array<ArrayBuffer>;
  /** (N) actions of one segment follow each other without a hole. */
  readonly segment: Int32Array<ArrayBuffer>;
  /** Number of segments. */
  readonly segments: number;
  /** Stretches of time whose rows are not to be trusted, at whose ends segments end. */
  readonly overlaps: NonNullable<ActionOptions["overlaps"]>;
  /** Rows at which no action could start, because no row was near start + 1/actionHz. */
  readonly skipped: number;
  /** |end − start − 1/actionHz|, in milliseconds. */
  readonly residualMs: Percentiles;
}

/**
 * Step 0: chains of actions of 1/actionHz. From the first row on, the row nearest in time to
 * start + 1/actionHz ends the action and starts the next; where none is within the tolerance, the
 * next row is tried, and a new segment begins. Differences telescope, so the actions of a segment
 * sum up to its displacement (angles modulo 360°).
 *
 * The search is by time: neither the rate nor pauses of the log matter.
 *
 * @param time strictly ascending times of the robot log (n), in seconds
 * @param state robot states (n, 12)
 * @param options rate, tolerance, angles
 * @returns the actions, with the rows and times they come from
 * @throws {RangeError} when state and time do not belong together
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { extractActions } from "./actions.ts";
 *
 * const time = Float64Array.from({ length: 41 }, (_, i) => 1000 + 0.01 * i); // 100 Hz
 * const state = new Float32Array(41 * 12);
 * for (let i = 0; i < 41; i++) state[i * 12 + 6] = 0.5 * i; // x, in mm
 * const { action, segments } = extractActions(time, state);
 * assert.deepEqual([...action.subarray(0, 7)], [5, 0, 0, 0, 0, 0, 1]);
 * assert.deepEqual([action.length / 7, segments], [4, 1]);
 * ```
 */
export function extractActions(
  time: Float64Array,
  state: Float32Array,
  options: ActionOptions = {},
): Actions {
  const { actionHz = 10, tolerance = 0.02 } = options;
  checkLengths(time, state);
  const period = 1 / actionHz;
  if (!(tolerance > 0 && tolerance < period / 2)) {
    throw new RangeError(
      `Cannot extract actions: at ${actionHz} actions per second the tolerance should be below ` +
        `${period * 500} ms, current value is ${tolerance * 1000} ms. Lower it.`,
    );
  }
  const pairs: number[] = [];
  let skipped = 0;
  let after = 1; // first row not before the target; targets ascend, so it never goes back
  for (let i = 0; i + 1 < time.length;) {
    const target = time[i]! + period;
    after = Math.max(after, i + 1);
    while (after < time.length && time[after]! < target) after++;
    const best = nearer(time, i + 1, after, target);
    if (Math.abs(time[best]! - target) < tolerance) {
      pairs.push(i, best);
      i = best;
    } else {
      i++;
      skipped++;
    }
  }
  // The last 1/actionHz of the log cannot start an action: that is its end, not a hole.
  const end = time.length > 0 ? time[time.length - 1]! - period + tolerance : 0;
  for (let i = time.length - 2; i >= 0 && skipped > 0 && time[i]! > end; i--) {
    if (pairs.length > 0 && i < pairs.at(-1)!) break;
    skipped--;
  }
  return actionsOfPairs(time, state, pairs, skipped, options);
}

/** Whichever of the rows before and at `after` is nearer to the target; the earlier if both are. */
function nearer(time: Float64Array, first: number, after: number, target: number): number {
  if (after >= time.length) return time.length - 1;
  const before = after - 1;
  if (before < first) return after;
  return Math.abs(time[before]! - target) <= Math.abs(time[after]! - target) ? before : after;
}

/**
 * The action list of the Python reference, bit for bit, for comparison with its `data.pkl`: the
 * search window is a number of rows derived from the mean rate, so pauses and low rates lose
 * actions; times are neither sorted nor freed of duplicates; angles jump by 360°.
 *
 * @param time times as recorded (n), in seconds
 * @param state robot states (n, 12)
 * @param options rate and tolerance; `angles` is `raw`
 * @returns its actions, and the mean rate it computes
 * @throws {RangeError} when there are fewer than two rows
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { referenceActions } from "./actions.ts";
 *
 * // An exact 10 Hz log: the window holds no row, so there is no action.
 * const time = Float64Array.from({ length: 100 }, (_, i) => i / 10);
 * assert.equal(referenceActions(time, new Float32Array(1200)).action.length, 0);
 * ```
 */
export function referenceActions(
  time: Float64Array,
  state: Float32Array,
  options: ActionOptions = {},
): Actions & { readonly meanHz: number } {
  const { actionHz = 10, tolerance = 0.02 } = options;
  checkLengths(time, state);
  const n = time.length;
  if (n < 2) {
    throw new RangeError(
      `Cannot extract actions: a log should have at least 2 rows, current value is ${n}.`,
    );
  }
  const period = 1 / actionHz;
  const mean = pairwiseMeanInterval(time);
  const meanHz = mean > 0 ? 1 / mean : 100;
  const window = Math.trunc(meanHz * period * 1.5);
  const pairs: number[] = [];
  let skipped = 0;
  for (let i = 0; i + 1 < n;) {
    const target = time[i]! + period;
    let best = -1, least = Infinity;
    for (let j = i + 1; j < Math.min(n, i + window); j++) {
      const distance = Math.abs(time[j]! - target);
      if (distance < least) [best, least] = [j, distance];
    }
    if (best >= 0 && least < tolerance) {
      pairs.push(i, best);
      i = best;
    } else {
      i++;
      skipped++;
    }
  }
  return { ...actionsOfPairs(time, state, pairs, skipped, { ...options, angles: "raw" }), meanHz };
}

/** Mean of differences with NumPy's pairwise summation, so that the window is truncated alike. */
function pairwiseMeanInterval(time: Float64Array): number {
  const difference = (i: number) => time[i + 1]! - time[i]!;
  const sum = (start: number, count: number): number => {
    if (count < 8) {
      // NumPy starts from -0.0 here, which changes nothing for the sum of ordinary numbers.
      let total = 0;
      for (let i = 0; i < count; i++) total += difference(start + i);
      return total;
    }
    if (count <= 128) {
      const lanes = Array.from({ length: 8 }, (_, lane) => difference(start + lane));
      let i = 8;
      for (; i < count - (count % 8); i += 8) {
        for (let lane = 0; lane < 8; lane++) lanes[lane]! += difference(start + i + lane);
      }
      let total = ((lanes[0]! + lanes[1]!) + (lanes[2]! + lanes[3]!)) +
        ((lanes[4]! + lanes[5]!) + (lanes[6]! + lanes[7]!));
      for (; i < count; i++) total += difference(start + i);
      return total;
    }
    const half = Math.floor(count / 2) - Math.floor(count / 2) % 8;
    return sum(start, half) + sum(start + half, count - half);
  };
  return sum(0, time.length - 1) / (time.length - 1);
}

function actionsOfPairs(
  time: Float64Array,
  state: Float32Array,
  pairs: readonly number[],
  skipped: number,
  { actionHz = 10, angles = "wrapped", overlaps = [] }: ActionOptions,
): Actions {
  const count = pairs.length / 2;
  const action = new Float32Array(count * ACTION_WIDTH);
  const rotation = new Float32Array(count * 3);
  const times = new Float64Array(count * 2);
  const segment = new Int32Array(count);
  const residuals = new Float64Array(count);
  let wasInOverlap = false;
  let from3 = new Float64Array(9), to3 = new Float64Array(9), held = -1;
  for (let k = 0; k < count; k++) {
    const start = pairs[2 * k]!, end = pairs[2 * k + 1]!;
    const from = start * STATE_WIDTH + POSE, to = end * STATE_WIDTH + POSE;
    for (let d = 0; d < 6; d++) {
      const difference = state[to + d]! - state[from + d]!;
      action[k * ACTION_WIDTH + d] = d < 3 || angles === "raw"
        ? difference
        : wrapDegrees(difference);
    }
    action[k * ACTION_WIDTH + 6] = 1;
    if (held !== start) {
      fillRotationMatrix(from3, state[from + 3]!, state[from + 4]!, state[from + 5]!);
    }
    fillRotationMatrix(to3, state[to + 3]!, state[to + 4]!, state[to + 5]!);
    writeRotationVector(rotation, k * 3, from3, to3);
    const last = from3; // the end of an action is mostly the start of the next
    from3 = to3;
    to3 = last;
    held = end;
    times[2 * k] = time[start]!;
    times[2 * k + 1] = time[end]!;
    residuals[k] = Math.abs(time[end]! - time[start]! - 1 / actionHz) * 1000;
    const isInOverlap = overlaps.length > 0 &&
      overlaps.some(([begin, finish]) => time[start]! <= finish && time[end]! >= begin);
    const goesOn = k > 0 && pairs[2 * k - 1] === start && isInOverlap === wasInOverlap;
    segment[k] = k === 0 ? 0 : segment[k - 1]! + (goesOn ? 0 : 1);
    wasInOverlap = isInOverlap;
  }
  return {
    action,
    rotation,
    index: Int32Array.from(pairs),
    time: times,
    segment,
    segments: count === 0 ? 0 : segment[count - 1]! + 1,
    overlaps,
    skipped,
    residualMs: percentiles(residuals),
  };
}

function checkLengths(time: Float64Array, state: Float32Array): void {
  if (state.length !== time.length * STATE_WIDTH) {
    throw new RangeError(
      `Cannot extract actions: ${time.length} times need ${time.length * STATE_WIDTH} ` +
        `state values, current value is ${state.length}.`,
    );
  }
}
