import { compact, leastOf } from "./_compact.ts";
import type { BarTrace, Figure, ScatterTrace } from "./figure.ts";
import { PALETTE } from "./palette.ts";
import { stackedFigure } from "./_stacked.ts";
import { streamStyle } from "./time_series.ts";

/** One lane of {@linkcode streamTimeline}. */
export interface StreamLane {
  /** Name of the stream. */
  readonly name: string;
  /** First sample, s; null without samples. */
  readonly start: number | null;
  /** Last sample, s; null without samples. */
  readonly end: number | null;
  /** Holes in it. */
  readonly gaps: readonly { readonly start: number; readonly seconds: number }[];
}

const LANE_HEIGHT = 26, LANES_MARGIN = 130;

/**
 * When each stream has samples, and where its holes are.
 *
 * @param lanes streams, as `streamQuality` describes them
 * @param options `origin`: time that becomes 0, s; default the first start
 * @returns the figure; a hole is marked over its length, and by a point so that short ones are seen
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { streamTimeline } from "./mod.ts";
 *
 * const gaps = [{ start: 12, seconds: 1 }];
 * const { data } = streamTimeline([{ name: "robot", start: 10, end: 20, gaps }]);
 * assert.deepEqual(data[0]!.x, [0, 2, 2, 3, 10, 10]);
 * assert.deepEqual(data[0]!.y, [1, 1, null, 1, 1, null]);
 * ```
 */
export function streamTimeline(
  lanes: readonly StreamLane[],
  options: { readonly origin?: number } = {},
): Figure {
  const starts = lanes.flatMap(({ start }) => start === null ? [] : [start]);
  const { origin = leastOf(starts, Infinity) } = options;
  const rows = lanes.map((lane, i) => ({ ...lane, row: lanes.length - i }));
  const recorded: [number, number | null][] = [], missing: [number, number | null][] = [];
  const marks: [number, number][] = [];
  for (const { start, end, gaps, row } of rows) {
    if (start === null || end === null) continue;
    let from = start;
    for (const gap of gaps) {
      recorded.push([from, row], [gap.start, row], [gap.start, null]);
      from = gap.start + gap.seconds;
      missing.push([gap.start, row], [from, row], [from, null]);
      marks.push([gap.start + gap.seconds / 2, row]);
    }
    recorded.push([from, row], [end, row], [end, null]);
  }
  const trace = (name: string, points: readonly [number, number | null][]) => ({
    type: "scatter" as const,
    name,
    x: compact(points.map(([time]) => time - origin)),
    y: points.map(([, row]) => row),
  });
  const data: ScatterTrace[] = [
    {
      ...trace("recorded", recorded),
      mode: "lines",
      line: { color: PALETTE.policy.light, width: 9 },
    },
    { ...trace("gap", missing), mode: "lines", line: { color: PALETTE.holdLast.light, width: 3 } },
    {
      ...trace("gap", marks),
      mode: "markers",
      legendgroup: "gap",
      showlegend: false,
      marker: { color: PALETTE.holdLast.light, size: 9, symbol: "diamond" },
    },
  ];
  return {
    data: data.filter(({ x }) => x.length > 0).map((each) => ({
      ...each,
      legendgroup: each.name!,
    })),
    layout: {
      title: { text: "Streams and their gaps" },
      height: LANES_MARGIN + LANE_HEIGHT * Math.max(2, lanes.length),
      xaxis: { title: { text: "time (s)" } },
      yaxis: laneAxis(rows.map(({ name, row }) => [row, name])),
    },
  };
}

/** An axis of names, one row each. */
export function laneAxis(lanes: readonly (readonly [row: number, name: string])[]) {
  return {
    range: [0.4, lanes.length + 0.6] as const,
    tickvals: lanes.map(([row]) => row),
    ticktext: lanes.map(([, name]) => name),
    automargin: true as const,
  };
}

/** Intervals of one stream. */
export interface IntervalSeries {
  /** Name of the stream. */
  readonly name: string;
  /** `(n − 1,)` times between samples, ms. */
  readonly intervalsMs: ArrayLike<number>;
}

const BINS = 40, ROW_HEIGHT = 150;

/**
 * How long the intervals between samples are, each stream on an axis of its own: their number
 * is drawn on a logarithmic scale, so that a single long one can be seen.
 *
 * @param streams names and intervals
 * @returns the figure
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { intervalHistogram } from "./mod.ts";
 *
 * const intervalsMs = [10, 10, 10, 50];
 * const { data } = intervalHistogram([{ name: "robot", intervalsMs }]);
 * assert.deepEqual(data[0]!.y.filter((count) => count !== null), [3, 1]);
 * ```
 */
export function intervalHistogram(streams: readonly IntervalSeries[]): Figure {
  const rows = streams.map(({ name, intervalsMs }, i): { name: string; trace: BarTrace } => {
    const { middles, counts } = histogram(intervalsMs, BINS);
    return {
      name,
      trace: {
        type: "bar",
        name,
        x: compact(middles),
        y: counts.map((count) => count === 0 ? null : count),
        marker: { color: streamStyle(i).marker.color! },
      },
    };
  });
  return separate(rows, "Intervals between samples", "interval (ms)");
}

/** One histogram below the other, each over its own axis. */
function separate(
  rows: readonly { readonly name: string; readonly trace: BarTrace }[],
  title: string,
  x: string,
): Figure {
  const figure = stackedFigure(
    { title: { text: title }, height: 90 + (ROW_HEIGHT + 24) * rows.length },
    {},
    rows.map(({ name, trace }) => ({
      y: {
        title: { text: `${name}: samples` },
        type: "log" as const,
        dtick: 1 as const,
        range: countRange(trace),
      },
      traces: [trace],
    })),
    false,
  );
  const height = 1 / Math.max(1, rows.length);
  let { layout } = figure;
  rows.forEach((_, row) => {
    const number = row === 0 ? "" : row + 1;
    const key = `xaxis${number}` as "xaxis", other = `yaxis${number}` as "yaxis";
    layout = {
      ...layout,
      [key]: {
        ...layout[key],
        ...(row === rows.length - 1 ? { title: { text: x } } : {}),
      },
      [other]: {
        ...layout[other],
        domain: [1 - (row + 1) * height + (rows.length > 1 ? 0.28 * height : 0), 1 - row * height],
      },
    };
  });
  return { data: figure.data, layout };
}

/** From below one, so that a single sample has a bar, as decimal logarithms. */
function countRange({ y }: BarTrace): [number, number] {
  const most = y.reduce<number>((most, count) => Math.max(most, count ?? 1), 1);
  return [-0.22, Number(Math.log10(1.5 * most).toPrecision(4))];
}

/** Counts of values in equal bins from the least to the largest. */
export function histogram(
  values: ArrayLike<number>,
  bins: number,
): { middles: number[]; counts: number[] } {
  let low = Infinity, high = -Infinity;
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i]!)) continue;
    low = Math.min(low, values[i]!);
    high = Math.max(high, values[i]!);
  }
  if (low > high) return { middles: [], counts: [] };
  const width = high > low ? (high - low) / bins : Math.abs(low) / bins || 1;
  const start = high > low ? low : low - width * bins / 2;
  const counts = new Array<number>(bins).fill(0);
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i]!)) continue;
    const bin = Math.min(bins - 1, Math.floor((values[i]! - start) / width));
    counts[bin] = counts[bin]! + 1;
  }
  return { middles: counts.map((_, i) => start + (i + 0.5) * width), counts };
}
