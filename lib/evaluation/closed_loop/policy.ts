/** What acts in a closed loop, and two that everything is compared with. */
import { ACTION_VALUES, CHUNK_ACTIONS } from "../../phantom/samples.ts";

/**
 * What the policy sees of all scenes at one moment, in physical units; nothing of it is newer than
 * `time`. The arrays are filled again for the next query.
 */
export interface ClosedLoopQuery {
  /** Seconds since the start. */
  readonly time: number;
  /** Number of scenes, B. */
  readonly scenes: number;
  /**
   * `(B)` number of each observation, for policies that draw noise: 1000 times the scene's seed, and
   * the tenths of a second since the start.
   */
  readonly index: Float64Array;
  /** `(B)` what the policy is told, in the words that recordings of the task have. */
  readonly instructions: readonly string[];
  /** `(B·1·D)` the feature of the newest frame of each view: pixel-2048, unless asked for another. */
  readonly vision: Float32Array;
  /** `(B·5)` how old these frames are, s. */
  readonly frameAge: Float64Array;
  /** Actions of a plan, H. */
  readonly horizon: number;
  /**
   * `(B·R·1026)` the newest R sensor rows, 650 each second, oldest first: force, then A-line. Where
   * the window begins more than 0.2 s before the start, there are no rows yet, as in recordings.
   */
  readonly sensor: Float32Array;
  /** `(B·R)` 1 for measured rows; the others are 0. */
  readonly sensorMask: Uint8Array;
  /** `(B·R)` when they were measured, seconds since the start. */
  readonly sensorTimes: Float64Array;
  /** `(B·7)` motion of the last 0.1 s: mm, degrees, 1; without motion before the start. */
  readonly lastAction: Float32Array;
}

/**
 * Plans the next actions of all scenes at once.
 *
 * @param query what is seen
 * @returns `(B·H·7)` differences of x, y, z in mm and of a, b, r in degrees, each for 0.1 s; the
 * seventh value of an action is not used
 */
export type ClosedLoopPolicy = (
  query: ClosedLoopQuery,
) => ArrayLike<number> | Promise<ArrayLike<number>>;

/** Policies that need no training: the demonstrator, who knows the truth, and the baselines. */
export const BUILT_IN_POLICIES = ["expert", "hold", "zero"] as const;

/** One of {@linkcode BUILT_IN_POLICIES}. */
export type BuiltInPolicy = typeof BUILT_IN_POLICIES[number];

/**
 * A baseline: commands no motion.
 *
 * @param query what is seen; it is not looked at
 * @returns `(B·H·7)` zeros; H is 8 by default
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { evaluateClosedLoop, zeroPolicy } from "./mod.ts";
 *
 * const report = await evaluateClosedLoop(zeroPolicy, { episodes: 1 });
 * assert.deepEqual(report.failures, { "no-contact": 1 });
 * ```
 */
export function zeroPolicy(
  { scenes, horizon = CHUNK_ACTIONS }:
    & Pick<ClosedLoopQuery, "scenes">
    & Partial<Pick<ClosedLoopQuery, "horizon">>,
): Float32Array {
  return new Float32Array(scenes * horizon * ACTION_VALUES);
}

/**
 * A baseline: goes on as in the last 0.1 s.
 *
 * @param query what is seen
 * @returns `(B·H·7)` the last action, H times; H is 8 by default
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { holdPolicy } from "./mod.ts";
 *
 * const chunks = holdPolicy({ scenes: 1, lastAction: Float32Array.of(1, 2, 3, 4, 5, 6, 1) });
 * assert.deepEqual([...chunks.subarray(49)], [1, 2, 3, 4, 5, 6, 1]);
 * ```
 */
export function holdPolicy(
  { scenes, lastAction, horizon = CHUNK_ACTIONS }:
    & Pick<ClosedLoopQuery, "scenes" | "lastAction">
    & Partial<Pick<ClosedLoopQuery, "horizon">>,
): Float32Array {
  const chunks = new Float32Array(scenes * horizon * ACTION_VALUES);
  for (let scene = 0; scene < scenes; scene++) {
    const action = lastAction.subarray(scene * ACTION_VALUES, (scene + 1) * ACTION_VALUES);
    for (let step = 0; step < horizon; step++) {
      chunks.set(action, (scene * horizon + step) * ACTION_VALUES);
    }
  }
  return chunks;
}
