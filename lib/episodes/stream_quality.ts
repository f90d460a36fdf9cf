import { quantiles } from "./_quantiles.ts";

/** A hole in a stream: more time between two samples than one sample missing explains. */
export interface Gap {
  /** Row of the sample before it. */
  readonly row: number;
  /** Time of that sample, in seconds. */
  readonly start: number;
  /** Length, in seconds. */
  readonly seconds: number;
  /** Samples that are missing, at the stream's rate. */
  readonly lost: number;
}

/** Median, 95th percentile and maximum. */
export interface Percentiles {
  /** Median. */
  readonly p50: number;
  /** 95th percentile, by linear interpolation. */
  readonly p95: number;
  /** Maximum. */
  readonly max: number;
}

/** How regular a stream is. */
export interface StreamQuality {
  /** Samples. */
  readonly samples: number;
  /**
   * Rate, in hertz; 0 with fewer than two samples. 1 / median interval where most intervals are equal
   * to it within 1 %, else 1 / mean interval without the gaps: neither pauses nor jitter move it.
   */
  readonly hz: number;
  /** (samples − 1) / duration, in hertz; 0 with fewer than two samples. */
  readonly meanHz: number;
  /** First time, in seconds; null without samples. */
  readonly start: number | null;
  /** Last time, in seconds; null without samples. */
  readonly end: number | null;
  /** |interval − median interval|, in milliseconds. */
  readonly jitterMs: Percentiles;
  /** Holes, in order of time. */
  readonly gaps: readonly Gap[];
  /** Samples missing in all holes. */
  readonly lost: number;
}

/** Intervals longer than this many median intervals may be gaps: one sample lost makes 2. */
const GAP_PERIODS = 1.75;
/** Intervals longer than this many are gaps without a closer look. */
const CERTAIN_PERIODS = 3;
/** Up to so many times the different stamps, samples with equal ones count for the rate. */
const COARSE_SHARE = 1.2;
/** Intervals on either side of a doubtful one that are looked at. */
const NEIGHBOURS = 3;

/**
 * Rate, jitter and gaps of a stream. Medians, because one long pause must not change the rate.
 *
 * @param time strictly ascending times, in seconds
 * @param all the same with duplicates, ascending; default `time`. They show that no sample was lost
 * where a coarse clock gave two the same stamp
 * @returns the figures; rates are 0 and percentiles 0 with fewer than two samples
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { streamQuality } from "./stream_quality.ts";
 *
 * const quality = streamQuality(Float64Array.of(0, 0.25, 0.5, 1.25, 1.5));
 * assert.equal(quality.hz, 4);
 * assert.deepEqual(quality.gaps, [{ row: 2, start: 0.5, seconds: 0.75, lost: 2 }]);
 * ```
 */
export function streamQuality(time: Float64Array, all: Float64Array = time): StreamQuality {
  const n = time.length;
  const bounds = { samples: n, start: n > 0 ? time[0]! : null, end: n > 0 ? time[n - 1]! : null };
  if (n < 2) {
    return { ...bounds, hz: 0, meanHz: 0, jitterMs: percentiles([]), gaps: [], lost: 0 };
  }
  const intervals = new Float64Array(n - 1);
  for (let i = 0; i < n - 1; i++) intervals[i] = time[i + 1]! - time[i]!;
  const period = quantiles(intervals, [0.5])[0]!;
  const gaps: Gap[] = [];
  let at = 0; // the last row of `all` with the time of `row`
  for (let row = 0; row < n - 1; row++) {
    const seconds = intervals[row]!;
    while (all[at + 1]! <= time[row]!) at++;
    if (seconds > GAP_PERIODS * period && isGap(all, at, period)) {
      gaps.push({ row, start: time[row]!, seconds, lost: Math.round(seconds / period) - 1 });
    }
  }
  const steady = intervals.filter((each) => Math.abs(each - period) <= period / 100).length;
  const paused = gaps.reduce((sum, { seconds }) => sum + seconds, 0);
  // A few equal stamps come from a coarse clock, many from rows that were written twice.
  const samples = all.length < COARSE_SHARE * n ? all.length : n;
  const mean = (time[n - 1]! - time[0]! - paused) / (samples - 1 - gaps.length);
  return {
    ...bounds,
    hz: 1 / (2 * steady > intervals.length || !(mean > 0) ? period : mean),
    meanHz: (n - 1) / (time[n - 1]! - time[0]!),
    jitterMs: percentiles(intervals.map((interval) => Math.abs(interval - period) * 1000)),
    gaps,
    lost: gaps.reduce((sum, { lost }) => sum + lost, 0),
  };
}

/** A late stamp is made up for by early ones after it, a lost sample is not. */
function isGap(time: Float64Array, row: number, period: number): boolean {
  if (time[row + 1]! - time[row]! > CERTAIN_PERIODS * period) return true;
  const first = Math.max(0, row - NEIGHBOURS);
  const last = Math.min(time.length - 1, row + 1 + NEIGHBOURS);
  return Math.round((time[last]! - time[first]!) / period) > last - first;
}

/**
 * Median, 95th percentile and maximum of some values; zeros of none.
 *
 * @param values in any order, not changed
 * @returns the three, by linear interpolation as in NumPy
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { percentiles } from "./stream_quality.ts";
 *
 * assert.deepEqual(percentiles([3, 1, 2]), { p50: 2, p95: 2.9, max: 3 });
 * ```
 */
export function percentiles(values: ArrayLike<number>): Percentiles {
  if (values.length === 0) return { p50: 0, p95: 0, max: 0 };
  const [p50, p95, max] = quantiles(values, [0.5, 0.95, 1]);
  return { p50: p50!, p95: p95!, max: max! };
}
