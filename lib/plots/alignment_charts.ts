import type { Figure } from "./figure.ts";
import { type TimedSeries, timeSeries } from "./time_series.ts";

/**
 * How much longer or shorter each action is than it should be.
 *
 * @param time `(N,)` starts of the actions, s
 * @param residualMs `(N,)` length of the action − 1 / action rate, ms
 * @returns the figure; good data lie within ±half an interval of the robot's log
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { alignmentResiduals } from "./mod.ts";
 *
 * const { data } = alignmentResiduals([3, 3.1], [0, -5]);
 * assert.deepEqual(data[0]!.y, [0, -5]);
 * ```
 */
export function alignmentResiduals(
  time: ArrayLike<number>,
  residualMs: ArrayLike<number>,
): Figure {
  return timeSeries({
    title: "Length of the actions beside their nominal length",
    rows: [{
      title: "residual",
      unit: "ms",
      series: [{ name: "action", time, values: residualMs, mode: "markers" }],
    }],
  });
}

/**
 * How old the newest image of each view is at the start of each action.
 *
 * @param time `(N,)` starts of the actions, s
 * @param views names and `(N,)` ages in ms; what is not finite (no image yet) is left out
 * @returns the figure; a sawtooth up to one frame's interval is right, a ramp is a camera that stopped
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { frameAges } from "./mod.ts";
 *
 * const { data } = frameAges([0, 0.1], [{ name: "View1", ageMs: [NaN, 40] }]);
 * assert.deepEqual(data[0]!.y, [40]);
 * ```
 */
export function frameAges(
  time: ArrayLike<number>,
  views: readonly { readonly name: string; readonly ageMs: ArrayLike<number> }[],
): Figure {
  const series = views.map(({ name, ageMs }): TimedSeries => ({ name, time, values: ageMs }));
  return timeSeries({
    title: "Age of the newest image at the start of each action",
    rows: [{ title: "age", unit: "ms", series, fromZero: true }],
  });
}

/** What {@linkcode wrappedDeltas} draws. */
export interface WrappedDeltasInput {
  /** `(N,)` s. */
  readonly time: ArrayLike<number>;
  /** Angles as recorded and after the turn over ±180° was taken out, `(N,)` deg each. */
  readonly angles: readonly {
    /** `a`, `b` or `r`. */
    readonly name: string;
    /** Differences as subtracted. */
    readonly raw: ArrayLike<number>;
    /** Differences on the short way. */
    readonly wrapped: ArrayLike<number>;
  }[];
}

/**
 * Differences of angles as they were subtracted, beside those on the short way: they differ where an
 * angle turned over ±180°.
 *
 * @param input times and differences
 * @returns the figure; a spike of 360° in the raw ones is a turn over ±180°, in the others an error
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { wrappedDeltas } from "./mod.ts";
 *
 * const angles = [{ name: "r", raw: [1, -359], wrapped: [1, 1] }];
 * assert.deepEqual(wrappedDeltas({ time: [0, 0.1], angles }).data[1]!.y, [1, 1]);
 * ```
 */
export function wrappedDeltas({ time, angles }: WrappedDeltasInput): Figure {
  return timeSeries({
    title: "Differences of angles, as subtracted and on the short way",
    rows: angles.map(({ name, raw, wrapped }) => ({
      title: `Δ${name}`,
      unit: "deg",
      series: [
        { name: "as subtracted", time, values: raw },
        { name: "short way", time, values: wrapped },
      ],
    })),
  });
}

/**
 * The force on the needle over time.
 *
 * @param time `(n,)` s
 * @param force `(n,)`
 * @param options `unit`, default `raw` (the reference's recordings hold no calibration); `maxGap` in
 * seconds beyond which the line is interrupted, default 0.01; `events` to mark
 * @returns the figure
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { forceTimeline } from "./mod.ts";
 *
 * const events = [{ name: "puncture", time: 1 }];
 * const { data } = forceTimeline([0, 0.001, 1], [2.4, 2.4, 3], { events });
 * assert.deepEqual(data[0]!.y, [2.4, 2.4, null, 3]); // a gap
 * ```
 */
export function forceTimeline(
  time: ArrayLike<number>,
  force: ArrayLike<number>,
  options: {
    readonly unit?: string;
    readonly maxGap?: number;
    readonly events?: readonly { readonly name: string; readonly time: number }[];
  } = {},
): Figure {
  const { unit = "raw", maxGap = 0.01, events = [] } = options;
  return timeSeries({
    title: "Force",
    rows: [{
      title: "force",
      unit,
      series: [{ name: "force", time, values: force, maxGap }],
    }],
    events,
  });
}
