/** Training samples of a simulated episode: when they are, what their labels are. */
import type { PhantomEpisode, PhantomTruth } from "./episode.ts";
import { wrapDegrees } from "../robot/rotation.ts";

/** Actions in a chunk. */
export const CHUNK_ACTIONS = 8;
/** Values of an action: differences of x, y, z in mm and a, b, r in degrees, and 1. */
export const ACTION_VALUES = 7;
/** Seconds that an action takes. */
export const ACTION_SECONDS = 0.1;

const CHUNK_SECONDS = 0.8;
const PUSH_MARGIN = 0.02; // s

/**
 * The times of an episode at which a sample can be taken: its chunk ends before the episode does
 * and no push moves the robot meanwhile, so that labels show the expert alone.
 *
 * @param episode the episode
 * @param stride seconds between samples; default 0.03
 * @returns `(N,)` seconds since the start
 * @throws {RangeError} if the stride is not positive
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { sampleTimes, simulateEpisode } from "./mod.ts";
 *
 * const quiet = simulateEpisode({ seed: 5000, disturbances: false });
 * const pushed = simulateEpisode({ seed: 5000 });
 * assert(sampleTimes(pushed).length < sampleTimes(quiet).length);
 * ```
 */
export function sampleTimes(episode: PhantomEpisode, stride = 0.03): Float64Array {
  if (!(stride > 0)) {
    throw new RangeError(
      `Cannot choose sample times: the stride must be positive, current value is ${stride}. ` +
        `Use 0.03 s`,
    );
  }
  const { duration, truth } = episode;
  const times: number[] = [];
  for (let i = 0; i * stride < duration - CHUNK_SECONDS; i++) {
    const time = i * stride;
    const isPushed = truth.disturbances.some(([start, end]) =>
      start < time + CHUNK_SECONDS && end > time - PUSH_MARGIN
    );
    if (!isPushed) times.push(time);
  }
  return Float64Array.from(times);
}

/**
 * The label of a sample: how the robot's log goes on.
 *
 * @param episode the episode
 * @param time seconds since the start
 * @returns `(8·7)` per action the differences of x, y, z in mm and of a, b, r in degrees, wrapped,
 * and 1
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { actionChunk, simulateEpisode } from "./mod.ts";
 *
 * const chunk = actionChunk(simulateEpisode({ seed: 5000 }), 1);
 * assert.equal(chunk.length, 56);
 * assert(chunk[2]! < -0.3 && chunk[6] === 1); // mm downwards in 0.1 s
 * ```
 */
export function actionChunk(episode: PhantomEpisode, time: number): Float64Array {
  const chunk = new Float64Array(CHUNK_ACTIONS * ACTION_VALUES);
  let before = loggedPose(episode, time);
  for (let step = 0; step < CHUNK_ACTIONS; step++) {
    const after = loggedPose(episode, time + (step + 1) * ACTION_SECONDS);
    chunk.set(poseDifference(before, after), step * ACTION_VALUES);
    before = after;
  }
  return chunk;
}

/**
 * A baseline: the motion of the last 0.1 s, for all actions of the chunk.
 *
 * @param episode the episode
 * @param time seconds since the start; before it the robot rests
 * @returns `(8·7)` as {@linkcode actionChunk}
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { holdLastChunk, simulateEpisode } from "./mod.ts";
 *
 * const still = holdLastChunk(simulateEpisode({ seed: 5000 }), 0);
 * assert(Math.abs(still[0]!) < 0.02); // mm
 * ```
 */
export function holdLastChunk(episode: PhantomEpisode, time: number): Float64Array {
  const before = loggedPose(episode, time - ACTION_SECONDS);
  const action = poseDifference(before, loggedPose(episode, time));
  const chunk = new Float64Array(CHUNK_ACTIONS * ACTION_VALUES);
  for (let step = 0; step < CHUNK_ACTIONS; step++) chunk.set(action, step * ACTION_VALUES);
  return chunk;
}

/**
 * Whether the expert changes its mind within the chunk: it slows down, the membrane gives way, or
 * it stops. Only the sensor tells when.
 *
 * @param truth ground truth of the episode
 * @param time seconds since the start
 * @returns whether one of the three events is after `time` and at most 0.8 s later
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { isDecisionWindow, simulateEpisode } from "./mod.ts";
 *
 * const { truth } = simulateEpisode({ seed: 5000 });
 * assert(isDecisionWindow(truth, truth.tPun - 0.1));
 * assert(!isDecisionWindow(truth, truth.tStop));
 * ```
 */
export function isDecisionWindow(
  truth: Pick<PhantomTruth, "tDec" | "tPun" | "tStop">,
  time: number,
): boolean {
  return [truth.tDec, truth.tPun, truth.tStop].some((event) =>
    time < event && event <= time + CHUNK_SECONDS
  );
}

/** Pose of the log at a time, interpolated linearly, held beyond its ends; angles may leave ±180. */
function loggedPose({ robot, startTime }: PhantomEpisode, time: number): Float64Array {
  const { time: stamps, pose } = robot;
  const last = stamps.length - 1;
  let low = 0, high = last;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (stamps[middle]! - startTime <= time) low = middle;
    else high = middle;
  }
  const from = stamps[low]! - startTime, span = stamps[high]! - startTime - from;
  const share = span > 0 ? Math.min(1, Math.max(0, (time - from) / span)) : 0;
  return Float64Array.from({ length: 6 }, (_, i) => {
    const a = pose[6 * low + i]!, b = pose[6 * high + i]!;
    return a + share * (i < 3 ? b - a : wrapDegrees(b - a));
  });
}

function poseDifference(before: Float64Array, after: Float64Array): number[] {
  const differences = Array.from(after, (value, i) => value - before[i]!);
  return [...differences.map((value, i) => i < 3 ? value : wrapDegrees(value)), 1];
}
