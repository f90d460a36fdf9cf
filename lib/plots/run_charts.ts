import type { Axis, Figure, HorizontalBarTrace, LineStyle, Trace } from "./figure.ts";
import { formatPercent } from "./_percent.ts";
import { styleOf } from "./_series.ts";
import { PALETTE } from "./palette.ts";

/** One line of `metrics.jsonl`: numbers by name. */
export type MetricRow = Readonly<Record<string, unknown>>;

/**
 * Training and validation loss over the steps of a run.
 *
 * @param rows lines of `metrics.jsonl` with `global_step` and `train/loss_step` or `train/loss`, and
 * lines with `val/loss_epoch` or `val/loss`; other names are ignored
 * @returns the figure, its vertical axis logarithmic
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { lossCurves } from "./mod.ts";
 *
 * const { data } = lossCurves([
 *   { global_step: 1, "train/loss_step": 0.5 },
 *   { global_step: 2, "train/loss_step": 0.3, "val/loss_epoch": 0.4 },
 * ]);
 * assert.deepEqual(data.map(({ name, x }) => [name, x]), [["training", [1, 2]], ["validation", [2]]]);
 * ```
 */
export function lossCurves(rows: readonly MetricRow[]): Figure {
  const training = curve(rows, ["train/loss_step", "train/loss"]);
  const validation = curve(rows, ["val/loss_epoch", "val/loss"]);
  const data: Trace[] = [
    {
      type: "scatter",
      mode: "lines",
      name: "training",
      ...training,
      line: { color: PALETTE.policy.light, width: training.x.length > 300 ? 1 : 2 },
    },
    {
      type: "scatter",
      mode: "lines+markers",
      name: "validation",
      ...validation,
      line: styleOf("holdLast").line,
      marker: styleOf("holdLast").marker,
    },
  ];
  return {
    data: data.filter(({ x }) => x.length > 0),
    layout: {
      title: { text: "Loss (normalised actions)" },
      xaxis: { title: { text: "optimizer step" } },
      yaxis: { title: { text: "loss (log scale)" }, type: "log" },
    },
  };
}

/** The loss of a run, for {@linkcode lossOverlay}. */
export interface RunLoss {
  /** Name of the run. */
  readonly name: string;
  /** Lines of its `metrics.jsonl`. */
  readonly rows: readonly MetricRow[];
}

/** More runs than this could not be told apart: they are grey and without a name. */
const MOST_NAMED = 12;
const OVERLAY_COLOURS = [PALETTE.policy, PALETTE.mean, PALETTE.holdLast, PALETTE.truth];
const OVERLAY_DASHES = ["solid", "dash", "dot"] as const;

/**
 * The losses of several runs over their steps.
 *
 * @param runs lines of each; the first twelve are told apart by colour and dash, the others are grey
 * @param part which loss: on the training samples, the mean of each epoch, or on the validation samples
 * @returns the figure, its vertical axis logarithmic; without the runs that have no such loss
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { lossOverlay } from "./mod.ts";
 *
 * const rows = [{ global_step: 10, "train/loss_epoch": 0.5, "val/loss_epoch": 0.4 }];
 * const { data } = lossOverlay([{ name: "first", rows }, { name: "empty", rows: [] }], "validation");
 * assert.deepEqual(data.map(({ name, y }) => [name, y]), [["first", [0.4]]]);
 * ```
 */
export function lossOverlay(runs: readonly RunLoss[], part: "training" | "validation"): Figure {
  const names = part === "training"
    ? ["train/loss_epoch", "epoch/avg_loss", "train/loss"]
    : ["val/loss_epoch", "val/loss"];
  const curves = runs.map(({ name, rows }) => ({ name, ...curve(rows, names) }))
    .filter(({ x }) => x.length > 0);
  const data = curves.map((each, i): Trace => ({
    type: "scatter",
    mode: "lines",
    ...each,
    showlegend: i < MOST_NAMED,
    line: i < MOST_NAMED ? overlayLine(i) : { color: PALETTE.zero.light, width: 1 },
  }));
  return {
    data: [...data.slice(MOST_NAMED), ...data.slice(0, MOST_NAMED)], // grey lines behind
    layout: {
      title: { text: part === "training" ? "Training loss of each epoch" : "Validation loss" },
      height: 380,
      xaxis: { title: { text: "optimizer step" } },
      yaxis: { title: { text: "loss (log scale)" }, type: "log" },
    },
  };
}

function overlayLine(i: number): LineStyle {
  const colours = OVERLAY_COLOURS.length;
  const color = OVERLAY_COLOURS[i % colours]!.light,
    dash = OVERLAY_DASHES[Math.floor(i / colours)]!;
  return { color, dash, width: 2 };
}

/** Names beside lying bars: long ones stay readable. */
const NAMES: Axis = { type: "category", autorange: "reversed", automargin: true };

/** A group of recordings in a run. */
export interface GroupShare {
  /** Name. */
  readonly name: string;
  /** Share of samples that was asked for, 0 to 1. */
  readonly requestedShare: number;
  /** Share of samples that was drawn, 0 to 1. */
  readonly realisedShare: number;
}

/**
 * How often each group was drawn, beside how often it should have been.
 *
 * @param groups shares per group
 * @returns the figure
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { shareBars } from "./mod.ts";
 *
 * const { data } = shareBars([{ name: "part1", requestedShare: 0.5, realisedShare: 0.49 }]);
 * assert.deepEqual(data.map(({ x }) => x[0]), [0.5, 0.49]);
 * ```
 */
export function shareBars(groups: readonly GroupShare[]): Figure {
  const bars = (
    name: string,
    color: string,
    of: (group: GroupShare) => number,
  ): HorizontalBarTrace => ({
    type: "bar",
    orientation: "h",
    name,
    x: groups.map(of),
    y: groups.map((group) => group.name),
    text: groups.map((group) => formatPercent(of(group))),
    textposition: "outside",
    marker: { color },
  });
  return {
    data: [
      bars("requested", PALETTE.zero.light, ({ requestedShare }) => requestedShare),
      bars("realised", PALETTE.policy.light, ({ realisedShare }) => realisedShare),
    ],
    layout: {
      title: { text: "Share of samples per group" },
      height: 110 + 42 * groups.length,
      barmode: "group",
      xaxis: { title: { text: "share of samples" }, tickformat: ".0%", rangemode: "tozero" },
      yaxis: NAMES,
    },
  };
}

/** How often a policy succeeded in closed loop. */
export interface SuccessRow {
  /** Policy, and how often it plans. */
  readonly name: string;
  /** Runs. */
  readonly episodes: number;
  /** Share of runs that succeeded, 0 to 1. */
  readonly successRate: number;
}

/**
 * Success in closed loop with 95 % confidence intervals.
 *
 * Source of the interval: Wilson, "Probable inference, the law of succession, and statistical
 * inference", 1927.
 *
 * @param rows one per policy
 * @returns the figure
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { type HorizontalBarTrace, successBars } from "./mod.ts";
 *
 * const { data } = successBars([{ name: "expert", episodes: 40, successRate: 1 }]);
 * const { array, arrayminus } = (data[0] as HorizontalBarTrace).error_x!;
 * assert(array[0]! < 1e-9 && Math.abs(arrayminus[0]! - 0.0876) < 1e-4);
 * ```
 */
export function successBars(rows: readonly SuccessRow[]): Figure {
  const intervals = rows.map(({ episodes, successRate }) => wilson(successRate, episodes));
  return {
    data: [{
      type: "bar",
      orientation: "h",
      x: rows.map(({ successRate }) => successRate),
      y: rows.map(({ name }) => name),
      text: rows.map(({ successRate }) => formatPercent(successRate)),
      textposition: "outside",
      marker: { color: PALETTE.policy.light },
      opacity: 0.5, // whiskers are seen on it
      error_x: {
        type: "data",
        array: rows.map(({ successRate }, i) => Math.max(0, intervals[i]![1] - successRate)),
        arrayminus: rows.map(({ successRate }, i) => Math.max(0, successRate - intervals[i]![0])),
      },
    }],
    layout: {
      title: { text: "Success in closed loop" },
      height: 90 + 34 * rows.length,
      xaxis: { title: { text: "runs that succeed" }, range: [0, 1.12], tickformat: ".0%" },
      yaxis: NAMES,
    },
  };
}

function wilson(share: number, count: number): [number, number] {
  if (count === 0) return [0, 1];
  const z = 1.959964, spread = z * z / count;
  const middle = (share + spread / 2) / (1 + spread);
  const half = z * Math.sqrt(share * (1 - share) / count + spread / (4 * count)) / (1 + spread);
  return [Math.max(0, middle - half), Math.min(1, middle + half)];
}

function curve(rows: readonly MetricRow[], names: readonly string[]): { x: number[]; y: number[] } {
  const x: number[] = [], y: number[] = [];
  for (const row of rows) {
    const value = names.map((name) => row[name]).find(isNumber);
    if (value === undefined || !isNumber(row.global_step)) continue;
    x.push(row.global_step);
    y.push(value);
  }
  return { x, y };
}

function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}
