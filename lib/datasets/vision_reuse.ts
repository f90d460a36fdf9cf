/** How often a slow vision-language model can look while actions go on. */

/** Between two actions, ms. */
const ACTION_PERIOD = 100;
/** Quotients of measured times are this exact. */
const ROUNDING = 1e-9;

/**
 * How many actions must share a visual observation so that a vision-language model, which is asked
 * again as soon as it has answered, keeps up: the smallest whole number of periods that is not
 * shorter than its latency. Rounding down, as the Python reference does, asks for more than the model
 * can give. Pass the 95th percentile of measured latencies, times 1.1 for headroom.
 *
 * @param vlmMs how long the model takes, ms
 * @param periodMs from one action to the next, ms; default 100
 * @returns R, at least 1; `visionReuse` of an `EpisodeDataset`
 * @throws {RangeError} when the latency is negative, the period not positive, or one is not finite
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { reuseCount } from "./vision_reuse.ts";
 *
 * // Five views of 640 × 360, and of 1280 × 720, as measured on the reference's machine.
 * assert.deepEqual([381.3, 1487.25].map((ms) => reuseCount(ms)), [4, 15]);
 * assert.equal(reuseCount(300), 3);
 * ```
 */
export function reuseCount(vlmMs: number, periodMs: number = ACTION_PERIOD): number {
  if (!(Number.isFinite(vlmMs) && vlmMs >= 0)) {
    throw new RangeError(
      `Cannot choose a reuse count: the model's latency should be 0 ms or more, current value is ` +
        `${vlmMs}. Measure it.`,
    );
  }
  assertPeriod(periodMs);
  return Math.max(1, Math.ceil(vlmMs / periodMs * (1 - ROUNDING)));
}

/**
 * The rate at which a vision-language model must deliver, in words.
 *
 * @param reuse R, actions that share an observation
 * @param periodMs from one action to the next, ms; default 100
 * @returns such as `VLM 3.33 Hz, actions 10 Hz`
 * @throws {RangeError} when `reuse` is not a positive integer or the period not positive
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { describeReuse } from "./vision_reuse.ts";
 *
 * assert.equal(describeReuse(3), "VLM 3.33 Hz, actions 10 Hz");
 * assert.equal(describeReuse(1, 50), "VLM 20 Hz, actions 20 Hz");
 * ```
 */
export function describeReuse(reuse: number, periodMs: number = ACTION_PERIOD): string {
  assertReuse(reuse);
  assertPeriod(periodMs);
  const hertz = (period: number) => `${Number((1000 / period).toFixed(2))} Hz`;
  return `VLM ${hertz(reuse * periodMs)}, actions ${hertz(periodMs)}`;
}

/** @throws {RangeError} when it is not a positive integer */
export function assertReuse(reuse: number): void {
  if (Number.isSafeInteger(reuse) && reuse > 0) return;
  throw new RangeError(
    `Cannot choose an observation: reuse must be a positive integer, current value is ${reuse}.`,
  );
}

function assertPeriod(periodMs: number): void {
  if (Number.isFinite(periodMs) && periodMs > 0) return;
  throw new RangeError(
    `Cannot choose a reuse count: the period of actions should be above 0 ms, current value is ` +
      `${periodMs}.`,
  );
}
