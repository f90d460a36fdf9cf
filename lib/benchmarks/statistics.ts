/** Medians, percentiles and ratios of measured times. */

/** What a series of measurements comes to, in the unit of the measurements. */
export interface Summary {
  readonly median: number;
  /** 10th percentile. */
  readonly p10: number;
  /** 90th percentile. */
  readonly p90: number;
  /** Number of measurements. */
  readonly runs: number;
}

/**
 * A quantile, interpolated linearly between the two nearest values: type 7 of Hyndman and Fan (1996),
 * https://doi.org/10.1080/00031305.1996.10473566, as `numpy.quantile` and `d3.quantile` have it.
 *
 * @param values in any order
 * @param p 0 to 1
 * @returns the quantile, in the unit of the values
 * @throws {RangeError} if there are no values or p is outside 0 to 1
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { quantile } from "./statistics.ts";
 * assert(quantile([4, 1, 3, 2], 0.5) === 2.5);
 * ```
 */
export function quantile(values: readonly number[], p: number): number {
  if (values.length === 0) throw new RangeError("Cannot take a quantile: there are no values");
  if (!(p >= 0 && p <= 1)) {
    throw new RangeError(`Cannot take a quantile: p must be from 0 to 1, current value is ${p}`);
  }
  const sorted = values.toSorted((a, b) => a - b);
  const position = (sorted.length - 1) * p;
  const below = Math.floor(position);
  const low = sorted[below]!;
  const high = sorted[Math.min(below + 1, sorted.length - 1)]!;
  return low + (high - low) * (position - below);
}

/**
 * Median, 10th and 90th percentile.
 *
 * @param values measurements, at least one
 * @returns the summary, in the unit of the values
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { summarize } from "./statistics.ts";
 * assert(summarize([3, 1, 2]).median === 2);
 * ```
 */
export function summarize(values: readonly number[]): Summary {
  return {
    median: quantile(values, 0.5),
    p10: quantile(values, 0.1),
    p90: quantile(values, 0.9),
    runs: values.length,
  };
}

/** How long one side takes, measured against another in the same rounds. */
export interface Ratio {
  /** Median over the rounds of our median time divided by the peer's; below 1 we are faster. */
  readonly ratio: number;
  /** Smallest and largest ratio of the medians within one round: what the machine's noise does. */
  readonly ratioRange: readonly [number, number];
}

/**
 * Compares times that were measured in alternation.
 *
 * @param ours times of each round
 * @param peer times of each round, as many rounds, in the same unit
 * @returns the ratio and its range over the rounds
 * @throws {RangeError} if the numbers of rounds differ
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { compareRounds } from "./statistics.ts";
 * const { ratio, ratioRange } = compareRounds([[1], [3], [2]], [[2], [4], [4]]);
 * assert(ratio === 0.5 && ratioRange[1] === 0.75);
 * ```
 */
export function compareRounds(
  ours: readonly (readonly number[])[],
  peer: readonly (readonly number[])[],
): Ratio {
  if (ours.length !== peer.length) {
    throw new RangeError(
      `Cannot compare: both sides need as many rounds, current value is ${ours.length} and ${peer.length}`,
    );
  }
  const rounds = ours.map((times, i) => quantile(times, 0.5) / quantile(peer[i]!, 0.5));
  return {
    ratio: quantile(rounds, 0.5),
    ratioRange: [Math.min(...rounds), Math.max(...rounds)],
  };
}
