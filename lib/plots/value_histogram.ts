import { compact } from "./_compact.ts";
import type { Figure } from "./figure.ts";
import { histogram } from "./stream_charts.ts";
import { streamStyle } from "./time_series.ts";

/** What {@linkcode valueHistogram} draws. */
export interface ValueHistogramInput {
  /** Heading. */
  readonly title: string;
  /** What the values are, with their unit, e.g. `norm (1)`. */
  readonly axis: string;
  /** What is counted, e.g. `observations`. */
  readonly counted: string;
  /** `(n,)`; values that are not finite are left out. */
  readonly values: ArrayLike<number>;
  /** Equal bins from the least to the largest value; default 40. */
  readonly bins?: number;
}

const MOST_BINS = 100_000;

/**
 * How values are distributed.
 *
 * @param input values and titles
 * @returns the figure
 * @throws {RangeError} if `bins` is no whole number from 1 to 100,000
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { valueHistogram } from "./mod.ts";
 *
 * const values = [1, 1, 1, 3, NaN];
 * const { data } = valueHistogram({
 *   title: "Norms", axis: "norm (1)", counted: "features", values, bins: 2,
 * });
 * assert.deepEqual(data[0]!.y, [3, 1]);
 * ```
 */
export function valueHistogram(input: ValueHistogramInput): Figure {
  const { title, axis, counted, values, bins = 40 } = input;
  if (!Number.isInteger(bins) || bins < 1 || bins > MOST_BINS) {
    throw new RangeError(
      `Cannot draw a histogram: bins must be a whole number from 1 to ${MOST_BINS}, current value ` +
        `is ${bins}.`,
    );
  }
  const { middles, counts } = histogram(values, bins);
  return {
    data: [{
      type: "bar",
      name: counted,
      showlegend: false,
      x: compact(middles),
      y: counts,
      marker: { color: streamStyle(0).marker.color! },
    }],
    layout: {
      title: { text: title },
      height: 280,
      xaxis: { title: { text: axis } },
      yaxis: { title: { text: counted }, rangemode: "tozero" },
    },
  };
}
