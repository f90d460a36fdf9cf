import { compact, extentOf, titled } from "./_compact.ts";
import type { Figure, LineStyle, MarkerStyle, ScatterTrace } from "./figure.ts";
import { PALETTE, STREAM_COLOURS } from "./palette.ts";
import { stackedFigure } from "./_stacked.ts";
import { thinSeries } from "./thin_series.ts";

/** Values over time. */
export interface TimedSeries {
  /** Name in the legend; the same name has the same colour in all rows. */
  readonly name: string;
  /** `(n,)` ascending times, s. */
  readonly time: ArrayLike<number>;
  /** `(n,)`. */
  readonly values: ArrayLike<number>;
  /** Default `lines`. */
  readonly mode?: "lines" | "markers";
  /** Where two samples are farther apart, in seconds, the line is interrupted; default never. */
  readonly maxGap?: number;
}

/** One row of {@linkcode timeSeries}. */
export interface TimeRow {
  /** What the values are. */
  readonly title: string;
  /** Their unit. */
  readonly unit: string;
  /** What is drawn. */
  readonly series: readonly TimedSeries[];
  /** The axis begins at 0; default false. */
  readonly fromZero?: boolean;
}

/** What {@linkcode timeSeries} draws. */
export interface TimeSeriesInput {
  /** Heading. */
  readonly title: string;
  /** From top to bottom. */
  readonly rows: readonly TimeRow[];
  /** Time that becomes 0, s; default the first time of all series. */
  readonly origin?: number;
  /** Moments to mark by an upright line. */
  readonly events?: readonly { readonly name: string; readonly time: number }[];
}

const DASHES = ["solid", "dash", "dot", "dashdot"] as const;
const SYMBOLS = ["circle", "square", "diamond", "triangle-up"] as const;

/** Colour, dash and symbol of the series number `i`. */
export function streamStyle(i: number): { line: LineStyle; marker: MarkerStyle } {
  const color = STREAM_COLOURS[i % STREAM_COLOURS.length]!.light;
  const round = Math.floor(i / STREAM_COLOURS.length);
  return {
    line: { color, width: 1.6, dash: DASHES[round % DASHES.length]! },
    marker: { color, size: 5, symbol: SYMBOLS[i % SYMBOLS.length]! },
  };
}

/**
 * Values over time, one row for each kind of value. Long series are thinned so that no peak is lost.
 *
 * @param input rows and their series
 * @returns the figure
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { timeSeries } from "./mod.ts";
 *
 * const time = [10, 10.1, 10.2];
 * const { data, layout } = timeSeries({
 *   title: "Robot",
 *   rows: [{ title: "x", unit: "mm", series: [{ name: "x", time, values: [1, 2, 3] }] }],
 * });
 * assert.deepEqual(data[0]!.x, [0, 0.1, 0.2]);
 * assert.equal(layout.yaxis!.title!.text, "x (mm)");
 * ```
 */
export function timeSeries(input: TimeSeriesInput): Figure {
  const { title, rows, events = [] } = input;
  const names = [...new Set(rows.flatMap(({ series }) => series.map(({ name }) => name)))];
  const all = rows.flatMap(({ series }) => series.map(({ time }) => time));
  const origin = input.origin ?? extentOf(...all)[0];
  return stackedFigure(
    { title: { text: title }, height: Math.max(340, 120 + 150 * rows.length) },
    { title: { text: "time (s)" } },
    rows.map(({ title, unit, series, fromZero = false }) => {
      const [low, high] = extentOf(...series.map(({ values }) => values));
      return {
        y: { title: titled(title, unit), ...(fromZero ? { rangemode: "tozero" as const } : {}) },
        traces: [
          ...series.map((one) => traceOf(one, names.indexOf(one.name), origin)),
          ...events.map((event): ScatterTrace => ({
            type: "scatter",
            mode: "lines",
            name: event.name,
            legendgroup: event.name,
            x: compact([event.time - origin, event.time - origin]),
            y: compact([fromZero ? Math.min(0, low) : low, high]),
            line: { color: PALETTE.truth.light, width: 1.5, dash: "dash" },
          })),
        ],
      };
    }),
  );
}

function traceOf(series: TimedSeries, index: number, origin: number): ScatterTrace {
  const { name, time, values, mode = "lines", maxGap } = series;
  const thin = thinSeries(time, values, maxGap === undefined ? {} : { maxGap });
  const { line, marker } = streamStyle(index);
  return {
    type: "scatter",
    mode,
    name,
    legendgroup: name,
    x: compact(thin.x.map((each) => each - origin)),
    y: compact(thin.y),
    ...(mode === "lines" ? { line } : { marker }),
  };
}
