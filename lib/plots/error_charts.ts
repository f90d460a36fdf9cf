import type { Axis, Figure, Layout, UprightTrace } from "./figure.ts";
import { type SeriesRole, styleOf } from "./_series.ts";

export type { SeriesRole };

/** Errors of the policy or of a baseline. */
export interface ErrorSeries {
  /** Name in the legend. */
  readonly name: string;
  /** Colour and symbol. */
  readonly role: SeriesRole;
  /** One per dimension or step; null where there is none. */
  readonly values: readonly (number | null)[];
}

/** What {@linkcode errorBars} draws. */
export interface ErrorBarsInput {
  /** Names of the dimensions. */
  readonly dimensions: readonly string[];
  /** Their units; each unit has its own axis, dimensions with unit `1` are left out. */
  readonly units: readonly string[];
  /** Policy and baselines, values per dimension. */
  readonly series: readonly ErrorSeries[];
}

/**
 * RMSE of each dimension, policy beside baselines, one axis per unit.
 *
 * @param input dimensions, units and series
 * @returns the figure
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { errorBars } from "./mod.ts";
 *
 * const { data } = errorBars({
 *   dimensions: ["dx", "da", "gripper"],
 *   units: ["mm", "deg", "1"],
 *   series: [{ name: "policy", role: "policy", values: [0.02, 0.1, 0] }],
 * });
 * assert.deepEqual(data.map(({ x }) => x), [["dx"], ["da"]]);
 * ```
 */
export function errorBars({ dimensions, units, series }: ErrorBarsInput): Figure {
  const kinds = [...new Set(units)].filter((unit) => unit !== "1");
  const panels = kinds.map((unit) => dimensions.flatMap((_, d) => units[d] === unit ? [d] : []));
  return panelFigure(
    "RMSE of each dimension",
    panels.map((places, i) => ({
      x: { type: "category" },
      y: { title: { text: titled("RMSE", kinds[i]!) } },
      traces: series.map(({ name, role, values }) => ({
        type: "bar",
        name,
        legendgroup: name,
        x: places.map((d) => dimensions[d]!),
        y: places.map((d) => finite(values[d])),
        marker: styleOf(role).marker,
      })),
    })),
  );
}

/** What {@linkcode stepErrors} draws. */
export interface StepErrorsInput {
  /** One axis each, side by side: `translation`, `mm`, values per step. */
  readonly panels: readonly {
    /** What the errors are of. */
    readonly title: string;
    /** Their unit. */
    readonly unit: string;
    /** Policy and baselines, values per step. */
    readonly series: readonly ErrorSeries[];
  }[];
  /** Seconds per step; default 0.1. */
  readonly stepSeconds?: number;
}

/**
 * RMSE of each step of the chunk: how errors grow with the distance into the future.
 *
 * @param input panels with their series
 * @returns the figure
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { stepErrors } from "./mod.ts";
 *
 * const series = [{ name: "policy", role: "policy" as const, values: [0.01, 0.02] }];
 * const { data } = stepErrors({ panels: [{ title: "translation", unit: "mm", series }] });
 * assert.deepEqual(data[0]!.x, [0.1, 0.2]);
 * ```
 */
export function stepErrors({ panels, stepSeconds = 0.1 }: StepErrorsInput): Figure {
  return panelFigure(
    "RMSE of each step of the chunk",
    panels.map(({ title, unit, series }) => ({
      x: { title: { text: "time into the chunk (s)" } },
      y: { title: { text: titled(`RMSE, ${title}`, unit) }, rangemode: "tozero" },
      traces: series.map(({ name, role, values }) => ({
        type: "scatter",
        mode: "lines+markers",
        name,
        legendgroup: name,
        x: values.map((_, i) => Number(((i + 1) * stepSeconds).toFixed(6))),
        y: values.map(finite),
        ...styleOf(role),
      })),
    })),
  );
}

/** What one pair of axes shows. */
interface PanelInput {
  readonly x: Axis;
  readonly y: Axis;
  readonly traces: readonly UprightTrace[];
}

/** Panels side by side; the legend has each series once. */
function panelFigure(title: string, panels: readonly PanelInput[]): Figure {
  const gap = panels.length > 1 ? 0.14 : 0;
  const width = (1 - gap * (panels.length - 1)) / Math.max(1, panels.length);
  const data: UprightTrace[] = [];
  let layout: Layout = { title: { text: title }, barmode: "group" };
  panels.forEach(({ x, y, traces }, i) => {
    const number = i === 0 ? "" : i + 1;
    const left = i * (width + gap);
    data.push(...traces.map((trace): UprightTrace => ({
      ...trace,
      xaxis: `x${number}` as "x",
      yaxis: `y${number}` as "y",
      showlegend: i === 0,
    })));
    layout = {
      ...layout,
      [`xaxis${number}`]: { ...x, domain: [left, left + width], anchor: `y${number}` },
      [`yaxis${number}`]: { ...y, anchor: `x${number}` },
    };
  });
  return { data, layout };
}

function finite(value: number | null | undefined): number | null {
  return value === null || value === undefined || !Number.isFinite(value) ? null : value;
}

function titled(title: string, unit: string): string {
  return unit === "" ? title : `${title} (${unit})`;
}
