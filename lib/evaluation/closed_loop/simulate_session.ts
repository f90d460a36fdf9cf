import { blendChunks, type TimedChunk } from "../../control/blend_chunks.ts";
import { assertPositive } from "../../control/_positive.ts";
import { limitAction } from "../../control/action_limits.ts";
import type { Schedule, ScheduledTick } from "../../control/schedule.ts";
import type {
  HoldReason,
  LiveSession,
  SessionEvent,
  SessionLimits,
  SessionTick,
} from "../../control/session.ts";
import { createClosedLoop } from "../../phantom/closed_loop.ts";
import { ACTION_SECONDS } from "../../phantom/samples.ts";
import { sampleScene } from "../../phantom/scene.ts";
import { SENSOR_HZ, SENSOR_VALUES } from "../../phantom/_sensor.ts";
import { ExpertPlanner } from "./_expert_planner.ts";

/** What {@linkcode simulateSession} runs. */
export interface SimulatedSessionOptions {
  /** When the models look and act; its length is the session's, its period 100 ms. */
  readonly schedule: Schedule;
  /** What the robot is allowed. */
  readonly limits: SessionLimits;
  /** `(n,)` from sending to the robot's answer, ms; NaN for none; begins again at its end. */
  readonly ackMs: ArrayLike<number>;
  /**
   * Seed of the scene and of the planner's errors.
   * @default {9000}
   */
  readonly sceneSeed?: number;
  /**
   * Spread of the planner's errors, mm and degrees per action.
   * @default {0.03}
   */
  readonly planError?: number;
  /**
   * When the operator stops the robot, s since the start.
   * @default {never}
   */
  readonly stopAt?: number;
}

const REST = new Float64Array(6);
const STEPS_PER_ACTION = Math.round(100 * ACTION_SECONDS);
const ACTIONS_PER_SECOND = Math.round(1 / ACTION_SECONDS);

/**
 * A live session in the simulator, to try what reviews sessions while there is no recorder of real
 * ones. In place of a policy plans somebody who knows the truth, with errors; the actions of all plans
 * are blended by time, limited, and sent; the robot is held while features are missing or too old, and
 * stopped for good when the force is too large or the operator says so.
 *
 * @param options schedule, limits, answers, scene
 * @returns the session; a pure function of the options
 * @throws {RangeError} when the schedule has no actions, or a limit is not above 0
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { simulateSchedule } from "../../control/mod.ts";
 * import { simulateSession } from "./mod.ts";
 *
 * const { ticks, events } = simulateSession({
 *   schedule: simulateSchedule({ visionMs: [381], actionMs: [15], seconds: 2 }),
 *   limits: { speedMm: 5, turnDeg: 10, force: 3.5, featureAgeMs: 1000 },
 *   ackMs: [4],
 *   stopAt: 1.5,
 * });
 * assert.equal(ticks[0]!.hold, "no features");
 * assert.equal(ticks.at(-1)!.hold, "stopped");
 * assert.deepEqual(events.map(({ kind }) => kind), ["operator"]);
 * ```
 */
export function simulateSession(options: SimulatedSessionOptions): LiveSession {
  const { schedule, limits, ackMs, sceneSeed = 9000, stopAt = Infinity } = options;
  const count = (schedule.ticks.at(-1)?.number ?? -1) + 1;
  if (count === 0) {
    throw new RangeError(
      "Cannot simulate a session: its schedule must have actions, current value is none.",
    );
  }
  const { speedMm, turnDeg, accelerationMm = Infinity, featureAgeMs } = limits;
  const positive = { speedMm, turnDeg, accelerationMm, force: limits.force, featureAgeMs };
  assertPositive("simulate a session", positive);
  const scene = sampleScene(sceneSeed);
  const run = createClosedLoop(scene, { seconds: (count + 1) * ACTION_SECONDS });
  const planner = new ExpertPlanner(scene, options.planError ?? 0.03);
  const ticked = new Map(schedule.ticks.map((tick) => [tick.number, tick]));
  const ticks: SessionTick[] = [], chunks: TimedChunk[] = [], events: SessionEvent[] = [];
  const robotTime = [0], pose = [...run.pose], force = new Log();
  let sent: Float64Array = REST;
  for (let number = 0; number < count; number++) {
    const time = number / ACTIONS_PER_SECOND, tick = ticked.get(number);
    const largest = readForce(run.observe(), force);
    if (events.length === 0 && time >= stopAt - 1e-9) {
      events.push({ time, kind: "operator", text: "the operator stopped the robot" });
    } else if (events.length === 0 && largest > limits.force) {
      const text = `force ${largest.toFixed(2)} above its limit ${limits.force}`;
      events.push({ time, kind: "force", text });
    }
    const requested = blendChunks(chunks, time)?.subarray(0, 6) ?? null;
    const hold = events.length > 0 ? "stopped" : holdOf(tick, requested, limits);
    const limited = hold === null
      ? limitAction(requested!, limits, { before: sent, periodSeconds: ACTION_SECONDS })
      : { action: REST, reasons: [] };
    sent = limited.action;
    const answer = ackMs[number % ackMs.length]!;
    ticks.push({
      ...{ number, time, requested, sent, hold },
      limits: limited.reasons,
      featureAgeMs: tick?.featureAgeMs ?? NaN,
      ackMs: Number.isFinite(answer) ? answer : null,
    });
    // What is planned now is known in time for the next command.
    if (tick !== undefined && tick.look !== null) {
      chunks.push({ start: time, actions: planner.plan(run.pose, run.isPunctured, number) });
    }
    const velocity = sent.map((value) => value / ACTION_SECONDS);
    for (let step = 0; step < STEPS_PER_ACTION; step++) {
      run.step(velocity);
      robotTime.push(run.time);
      pose.push(...run.pose);
    }
  }
  readForce(run.observe(), force);
  return {
    isSimulated: true,
    periodSeconds: ACTION_SECONDS,
    ...{ ticks, chunks, events, limits },
    robot: { time: Float64Array.from(robotTime), pose: Float64Array.from(pose) },
    force: { time: Float64Array.from(force.time), values: Float64Array.from(force.values) },
  };
}

function holdOf(
  tick: ScheduledTick | undefined,
  requested: Float64Array | null,
  limits: SessionLimits,
): HoldReason | null {
  if (tick === undefined) return "missed tick";
  if (tick.look === null) return "no features";
  if (tick.featureAgeMs > limits.featureAgeMs) return "old features";
  return requested === null ? "no plan" : null;
}

/** Force rows so far. */
class Log {
  readonly time: number[] = [];
  readonly values: number[] = [];
}

/** Adds the rows since the last reading; returns the largest of them. */
function readForce(
  seen: { sensor: Float32Array; sensorTimes: Float64Array },
  log: Log,
): number {
  const after = (log.time.at(-1) ?? -Infinity) + 0.5 / SENSOR_HZ;
  let largest = -Infinity;
  seen.sensorTimes.forEach((time, row) => {
    if (time <= after) return;
    const value = seen.sensor[row * SENSOR_VALUES]!;
    log.time.push(time);
    log.values.push(value);
    largest = Math.max(largest, value);
  });
  return largest;
}
