import { compact, leastOf } from "./_compact.ts";
import type { Figure, ScatterTrace } from "./figure.ts";
import { STREAM_COLOURS } from "./palette.ts";
import { laneAxis } from "./stream_charts.ts";
import { streamStyle } from "./time_series.ts";

/** Percentiles of one stage's latency, ms. */
export interface StageLatency {
  /** Name of the stage. */
  readonly name: string;
  /** Median. */
  readonly p50: number;
  /** 95th percentile. */
  readonly p95: number;
  /** 99th percentile. */
  readonly p99: number;
}

/**
 * Latency of each stage: median, 95th and 99th percentile.
 *
 * @param stages of a cycle
 * @param options `budgetMs`: what a cycle may take, drawn as a line; `title`, default "Latency"
 * @returns the figure
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { latencyPercentiles } from "./mod.ts";
 *
 * const { data } = latencyPercentiles([{ name: "policy", p50: 4, p95: 6, p99: 9 }]);
 * assert.deepEqual(data.map(({ name, y }) => [name, y]), [["median", [4]], ["95 %", [6]], ["99 %", [9]]]);
 * ```
 */
export function latencyPercentiles(
  stages: readonly StageLatency[],
  options: { readonly budgetMs?: number; readonly title?: string } = {},
): Figure {
  const names = stages.map(({ name }) => name);
  const kinds = [["median", "p50"], ["95 %", "p95"], ["99 %", "p99"]] as const;
  const { budgetMs } = options;
  return {
    data: [
      ...kinds.map(([name, key], i) => ({
        type: "bar" as const,
        name,
        x: names,
        y: compact(stages.map((stage) => stage[key])),
        marker: { color: STREAM_COLOURS[i]!.light },
      })),
      ...(budgetMs === undefined ? [] : [{
        type: "scatter" as const,
        mode: "lines" as const,
        name: `budget, ${budgetMs} ms`,
        x: names,
        y: names.map(() => budgetMs),
        line: { color: STREAM_COLOURS[3]!.light, dash: "dash" as const },
      }]),
    ],
    layout: {
      title: { text: options.title ?? "Latency" },
      barmode: "group",
      xaxis: { type: "category", title: { text: "stage" } },
      yaxis: { title: { text: "latency (ms)" }, rangemode: "tozero" },
    },
  };
}

/** Something that takes a time. */
export interface GanttSpan {
  /** Row in which it stands. */
  readonly lane: string;
  /** Start, s. */
  readonly start: number;
  /** End, s. */
  readonly end: number;
}

/** Longest stretch whose axis is in milliseconds, s. */
const LONGEST_IN_MS = 5;

/**
 * What runs when: one row for each lane, spans as bars.
 *
 * @param spans what ran
 * @param options `from` and `to`: the stretch that is shown, s, default one second from the first start;
 * `title`, default "What runs when"
 * @returns the figure; lanes in the order of their first span, time in ms, of stretches above 5 s in s
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { gantt } from "./mod.ts";
 *
 * const { data } = gantt([{ lane: "camera", start: 2, end: 2.04 }]);
 * assert.deepEqual(data[0]!.x, [0, 40, 40]); // ms
 * ```
 */
export function gantt(
  spans: readonly GanttSpan[],
  options: { readonly from?: number; readonly to?: number; readonly title?: string } = {},
): Figure {
  const lanes = [...new Set(spans.map(({ lane }) => lane))];
  const { from = leastOf(spans.map(({ start }) => start), Infinity) } = options;
  const { to = from + 1 } = options;
  const isLong = to - from > LONGEST_IN_MS, scale = isLong ? 1 : 1000;
  const data = lanes.map((lane, i): ScatterTrace => {
    const row = lanes.length - i;
    const shown = spans.filter((span) => span.lane === lane && span.end > from && span.start < to);
    return {
      type: "scatter",
      mode: "lines",
      name: lane,
      showlegend: false,
      x: compact(shown.flatMap(({ start, end }) => {
        const a = (Math.max(start, from) - from) * scale, b = (Math.min(end, to) - from) * scale;
        return [a, b, b];
      })),
      y: shown.flatMap(() => [row, row, null]),
      line: { color: streamStyle(i).line.color!, width: 14 },
    };
  });
  return {
    data,
    layout: {
      title: { text: options.title ?? "What runs when" },
      height: 110 + 34 * Math.max(2, lanes.length),
      xaxis: {
        title: { text: isLong ? "time (s)" : "time (ms)" },
        range: [0, Number(((to - from) * scale).toPrecision(6))],
      },
      yaxis: laneAxis(lanes.map((lane, i) => [lanes.length - i, lane])),
    },
  };
}
