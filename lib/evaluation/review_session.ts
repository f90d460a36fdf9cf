/** What analysts look at after a policy drove a robot. */
import type { LimitReason } from "../control/action_limits.ts";
import type { HoldReason, LiveSession } from "../control/session.ts";
import { type LatencySummary, latencySummary } from "./latency.ts";
import { positionAt } from "./_position_at.ts";

/** The robot was held for a while. */
export interface SessionHold {
  /** Why. */
  readonly reason: HoldReason;
  /** When it began, s since the start. */
  readonly start: number;
  /** How long it lasted, s. */
  readonly seconds: number;
}

/** What was sent, and what was done. */
export interface SessionMotion {
  /** `(ticks·3)` what was sent for each period, mm. */
  readonly sentMm: Float64Array;
  /** `(ticks·3)` what the robot did in the same period, mm; NaN beyond its log. */
  readonly executedMm: Float64Array;
  /** Root mean square of their distance, over all periods, mm. */
  readonly errorMm: number;
  /** How much later than sent the robot moves, ms: the shift with the least error. */
  readonly delayMs: number;
  /** The error that is left at this shift, mm. */
  readonly delayedErrorMm: number;
}

/** Lengths of paths, mm. */
export interface SessionPaths {
  /** What the chunks said, blended by time. */
  readonly requested: number;
  /** What was sent. */
  readonly sent: number;
  /** What the robot did. */
  readonly executed: number;
  /**
   * All actions of all chunks added up. Chunks overlap, so that this is no path of anything: about as
   * many times too long as a chunk has actions.
   */
  readonly summed: number;
}

/** Review of a session. */
export interface SessionReview {
  /** Commands. */
  readonly ticks: number;
  /** How many commands each limit changed, most first. */
  readonly limited: readonly { readonly reason: LimitReason; readonly ticks: number }[];
  /** When the robot was held, in order. */
  readonly holds: readonly SessionHold[];
  /** From sending to the robot's answer; null if nothing was answered. */
  readonly ack: LatencySummary | null;
  /** Numbers of the commands that nobody answered. */
  readonly unanswered: readonly number[];
  /** Sent and executed, over the same periods. */
  readonly motion: SessionMotion;
  /** Lengths. */
  readonly paths: SessionPaths;
  /** Smallest and largest force of each period that has rows. */
  readonly force: {
    /** `(p,)` middle of the period, s since the start. */
    readonly time: Float64Array;
    /** `(p,)` smallest, raw. */
    readonly least: Float64Array;
    /** `(p,)` largest, raw. */
    readonly most: Float64Array;
  };
}

/** Values of a chunk's action. */
const ACTION_DIM = 7;
/** Shifts that are tried, ms. */
const SHIFTS_MS = Array.from({ length: 41 }, (_, i) => 10 * i);

/**
 * Reviews a session: what was limited and why, when the robot was held, how fast it answered, and
 * whether it did what was sent. Displacements are compared over the same period of time, and again
 * with the delay that fits best, because a robot follows with a lag.
 *
 * @param session commands, chunks, the robot's log
 * @returns the review
 * @throws {RangeError} when there are no commands
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { simulateSchedule } from "../control/mod.ts";
 * import { reviewSession, simulateSession } from "./mod.ts";
 *
 * const { holds, motion, paths } = reviewSession(simulateSession({
 *   schedule: simulateSchedule({ visionMs: [381], actionMs: [15], seconds: 3 }),
 *   limits: { speedMm: 4, turnDeg: 10, force: 3.5, featureAgeMs: 1000 },
 *   ackMs: [4],
 * }));
 * assert.deepEqual(holds.map(({ reason }) => reason), ["no features", "no plan"]);
 * assert(motion.delayedErrorMm < motion.errorMm && motion.delayMs > 0);
 * assert(paths.summed > 6 * paths.executed); // chunks overlap: their sum is no path
 * ```
 */
export function reviewSession(session: LiveSession): SessionReview {
  const { ticks, chunks } = session;
  if (ticks.length === 0) {
    throw new RangeError("Cannot review a session: it must have commands, current value is none.");
  }
  const answered = ticks.flatMap(({ ackMs }) => ackMs ?? []);
  const motion = motionOf(session);
  return {
    ticks: ticks.length,
    limited: countLimits(session),
    holds: findHolds(session),
    ack: answered.length === 0 ? null : latencySummary(answered, { warmUp: 0 }),
    unanswered: ticks.flatMap(({ number, ackMs }) => ackMs === null ? [number] : []),
    motion,
    paths: {
      requested: lengthOf(ticks.flatMap(({ requested }) => requested === null ? [] : [requested])),
      sent: lengthOf(ticks.map(({ sent }) => sent)),
      executed: lengthOf(ticks.map((_, i) => motion.executedMm.subarray(3 * i, 3 * i + 3))),
      summed: lengthOf(chunks.flatMap(({ actions }) =>
        Array.from(
          { length: actions.length / ACTION_DIM },
          (_, step) => Array.from({ length: 3 }, (_, d) => actions[ACTION_DIM * step + d]!),
        )
      )),
    },
    force: forceEnvelope(session),
  };
}

function countLimits({ ticks }: LiveSession): SessionReview["limited"] {
  const counts = new Map<LimitReason, number>();
  for (const reason of ticks.flatMap(({ limits }) => limits)) {
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  return [...counts].map(([reason, ticks]) => ({ reason, ticks })).sort((a, b) =>
    b.ticks - a.ticks
  );
}

function findHolds({ ticks, periodSeconds }: LiveSession): SessionHold[] {
  const holds: { reason: HoldReason; start: number; first: number; next: number }[] = [];
  for (const { hold, time, number } of ticks) {
    if (hold === null) continue;
    const last = holds.at(-1);
    if (last?.reason === hold && last.next === number) last.next++;
    else holds.push({ reason: hold, start: time, first: number, next: number + 1 });
  }
  return holds.map(({ reason, start, first, next }) => ({
    ...{ reason, start },
    seconds: Number(((next - first) * periodSeconds).toPrecision(12)),
  }));
}

function motionOf(session: LiveSession): SessionMotion {
  const { ticks, periodSeconds } = session;
  const sentMm = Float64Array.from(ticks.flatMap(({ sent }) => [...sent.subarray(0, 3)]));
  const executed = (shift: number) =>
    Float64Array.from(ticks.flatMap(({ time }) => {
      const from = positionAt(session.robot, time + shift);
      const to = positionAt(session.robot, time + shift + periodSeconds);
      return [0, 1, 2].map((d) => to[d]! - from[d]!);
    }));
  const executedMm = executed(0);
  let best = { shift: 0, error: rootMeanSquare(sentMm, executedMm) };
  const errorMm = best.error;
  for (const shift of SHIFTS_MS) {
    const error = rootMeanSquare(sentMm, executed(shift / 1000));
    if (error < best.error) best = { shift, error };
  }
  return { sentMm, executedMm, errorMm, delayMs: best.shift, delayedErrorMm: best.error };
}

/** Of the distances of points, where both are known; NaN without any. */
function rootMeanSquare(a: Float64Array, b: Float64Array): number {
  let sum = 0, points = 0;
  for (let i = 0; i < a.length; i += 3) {
    const squared = [0, 1, 2].reduce((total, d) => total + (a[i + d]! - b[i + d]!) ** 2, 0);
    if (!Number.isFinite(squared)) continue;
    sum += squared;
    points++;
  }
  return Math.sqrt(sum / points);
}

/** Sum of the lengths of displacements, mm; those that are not known are left out. */
function lengthOf(steps: readonly ArrayLike<number>[]): number {
  return steps.reduce((sum, step) => {
    const length = Math.hypot(step[0]!, step[1]!, step[2]!);
    return Number.isFinite(length) ? sum + length : sum;
  }, 0);
}

function forceEnvelope({ force, ticks, periodSeconds }: LiveSession): SessionReview["force"] {
  const periods = new Map<number, { least: number; most: number }>();
  const last = ticks.at(-1)!.number;
  force.values.forEach((value, row) => {
    const period = Math.floor(force.time[row]! / periodSeconds + 1e-9);
    if (period < 0 || period > last || !Number.isFinite(value)) return;
    const { least, most } = periods.get(period) ?? { least: value, most: value };
    periods.set(period, { least: Math.min(least, value), most: Math.max(most, value) });
  });
  const sorted = [...periods].sort(([a], [b]) => a - b);
  return {
    time: Float64Array.from(sorted, ([period]) => (period + 0.5) * periodSeconds),
    least: Float64Array.from(sorted, ([, { least }]) => least),
    most: Float64Array.from(sorted, ([, { most }]) => most),
  };
}
