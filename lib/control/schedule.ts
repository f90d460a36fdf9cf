/** Two models at two speeds: when the slow one looks, when the fast one acts, what it knows then. */
import { assertReuse } from "../datasets/vision_reuse.ts";

/** What {@linkcode simulateSchedule} runs with. */
export interface ScheduleOptions {
  /** `(n,)` how long the vision-language model takes, call by call, ms; begins again at its end. */
  readonly visionMs: ArrayLike<number>;
  /** `(n,)` how long the policy takes, ms; likewise. */
  readonly actionMs: ArrayLike<number>;
  /**
   * `(n,)` how late the timer wakes the policy, ms; likewise.
   * @default {never late}
   */
  readonly latenessMs?: ArrayLike<number>;
  /**
   * Actions from one look to the next, R, if the model has answered by then.
   * @default {4}
   */
  readonly reuse?: number;
  /**
   * Length, s.
   * @default {10}
   */
  readonly seconds?: number;
  /**
   * From one action to the next, ms.
   * @default {100}
   */
  readonly periodMs?: number;
  /**
   * `deadlines`: action k is due at k periods, one that comes too late is left out.
   * `intervals`: an action is due one period after the last one began, so that lateness adds up.
   * @default {"deadlines"}
   */
  readonly pacing?: "deadlines" | "intervals";
  /**
   * From one image of a camera to the next, ms.
   * @default {200}
   */
  readonly framePeriodMs?: number;
  /**
   * From the moment that an image shows until a look can begin with it, ms.
   * @default {0}
   */
  readonly frameDelayMs?: number;
}

/** One action. */
export interface ScheduledTick {
  /** Its number; those of missed ones are left out. */
  readonly number: number;
  /** When it should begin, s. */
  readonly due: number;
  /** When it begins, s. */
  readonly start: number;
  /** When its actions are known, s. */
  readonly end: number;
  /** Number of the look whose features it uses; null before the first answer: nothing is computed. */
  readonly look: number | null;
  /** How long before `start` that look began, ms; NaN without. */
  readonly featureAgeMs: number;
  /** How long before `end` the image was taken that this look saw, ms; NaN without. */
  readonly imageAgeMs: number;
}

/** One call of the vision-language model. */
export interface ScheduledLook {
  /** When it begins, s. */
  readonly start: number;
  /** When its features are known, s. */
  readonly end: number;
  /** When the image was taken that it sees, s. */
  readonly frame: number;
}

/** What ran when. */
export interface Schedule {
  /** Actions, in order. */
  readonly ticks: readonly ScheduledTick[];
  /** Calls of the vision-language model, in order; the last one may end after the simulation. */
  readonly looks: readonly ScheduledLook[];
  /** Numbers of the actions that were left out because the one before had not ended. */
  readonly missed: readonly number[];
  /** Actions per second, of those that began. */
  readonly rateHz: number;
  /** `(looks − 1,)` from one look to the next, ms. */
  readonly visionPeriodMs: Float64Array;
}

/**
 * Runs the clock of a system that looks slowly and acts fast, without any model: one look at a time,
 * always at the newest image, begun together with an action; actions with the newest features that
 * are known. From latencies follow how old is what each action knows, how often the model really
 * looks, and which actions come too late. Both are taken to compute beside each other.
 *
 * @param options latencies, reuse, pacing
 * @returns ticks and looks; a pure function of the options
 * @throws {RangeError} when a length or period is not positive, a latency negative or not finite, or
 * there is none
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { simulateSchedule } from "./mod.ts";
 *
 * // 381 ms do not go into 3 actions, whatever is asked for.
 * const { visionPeriodMs, ticks } = simulateSchedule({ visionMs: [381], actionMs: [15], reuse: 3 });
 * assert.equal(Math.round(visionPeriodMs[0]!), 400);
 * assert.equal(Math.max(...ticks.slice(4).map(({ featureAgeMs }) => Math.round(featureAgeMs))), 700);
 * ```
 */
export function simulateSchedule(options: ScheduleOptions): Schedule {
  const setting = checked(options);
  const { seconds, periodMs, reuse, framePeriodMs, frameDelayMs, pacing } = setting;
  const ticks: ScheduledTick[] = [], looks: ScheduledLook[] = [], missed: number[] = [];
  const end = 1000 * seconds;
  let busyUntil = 0, known = -1, acted = 0, lookedAt = -Infinity, due = 0;
  for (let number = 0; due < end; number++) {
    const start = Math.max(due + cycled(setting.latenessMs, number), busyUntil);
    if (pacing === "deadlines" && start >= due + periodMs) {
      missed.push(number);
      due = periodMs * (number + 1);
      continue;
    }
    const isFree = (looks.at(-1)?.end ?? 0) <= start / 1000;
    if (isFree && number - lookedAt >= reuse) {
      const finished = start + cycled(setting.visionMs, looks.length);
      const frame = framePeriodMs * Math.floor((start - frameDelayMs) / framePeriodMs);
      looks.push({ start: start / 1000, end: finished / 1000, frame: frame / 1000 });
      lookedAt = number;
    }
    while ((looks[known + 1]?.end ?? Infinity) <= start / 1000) known++;
    busyUntil = known < 0 ? start : start + cycled(setting.actionMs, acted++);
    const look = looks[known] ?? null;
    ticks.push({
      number,
      due: due / 1000,
      start: start / 1000,
      end: busyUntil / 1000,
      look: look === null ? null : known,
      featureAgeMs: look === null ? NaN : start - 1000 * look.start,
      imageAgeMs: look === null ? NaN : busyUntil - 1000 * look.frame,
    });
    due = pacing === "deadlines" ? periodMs * (number + 1) : start + periodMs;
  }
  return {
    ...{ ticks, looks, missed },
    rateHz: ticks.length / seconds,
    visionPeriodMs: Float64Array.from(
      looks.slice(1),
      ({ start }, i) => 1000 * (start - looks[i]!.start),
    ),
  };
}

function checked(options: ScheduleOptions): Required<ScheduleOptions> {
  const setting = {
    ...{ latenessMs: [0], reuse: 4, seconds: 10, periodMs: 100, framePeriodMs: 200 },
    ...{ frameDelayMs: 0, pacing: "deadlines" as const, ...options },
  };
  assertReuse(setting.reuse);
  for (const name of ["seconds", "periodMs", "framePeriodMs"] as const) {
    if (setting[name] > 0 && Number.isFinite(setting[name])) continue;
    throw new RangeError(
      `Cannot simulate a schedule: ${name} must be above 0, current value is ${setting[name]}.`,
    );
  }
  for (const name of ["visionMs", "actionMs", "latenessMs", "frameDelayMs"] as const) {
    const given = setting[name], values = typeof given === "number" ? [given] : Array.from(given);
    const bad = values.findIndex((value) => !(value >= 0 && Number.isFinite(value)));
    if (values.length > 0 && bad < 0) continue;
    throw new RangeError(
      `Cannot simulate a schedule: ${name} must be latencies of 0 ms or more, current value is ` +
        `${
          values.length === 0 ? "none" : `${values[bad]} in place ${bad}`
        }. Measure them, or draw ` +
        "them with drawLatencies.",
    );
  }
  return setting;
}

function cycled(values: ArrayLike<number>, i: number): number {
  return values[i % values.length]!;
}
