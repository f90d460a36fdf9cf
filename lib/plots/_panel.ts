import type { Axis, Coordinate, Layout, PanelTrace } from "./figure.ts";
import { leastOf } from "./_compact.ts";
import { linearTicks, logTicks, logTickTexts, roundRange, tickTexts } from "./_ticks.ts";

/** A rectangle in pixels. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** An axis of a panel: from values to pixels. */
export interface Scale {
  readonly axis: Axis;
  /** Pixel of a value. */
  readonly at: (value: Coordinate) => number;
  /** Pixels and texts of the ticks. */
  readonly ticks: readonly { readonly at: number; readonly text: string }[];
  /** Pixels between two categories; of numbers, between the nearest two. */
  readonly band: number;
}

/** One pair of axes and what is drawn between them. */
export interface Panel {
  readonly box: Box;
  readonly x: Scale;
  readonly y: Scale;
  readonly traces: readonly PanelTrace[];
}

/** The panels of a figure, in the order in which their traces appear. */
export function resolvePanels(data: readonly PanelTrace[], layout: Layout, area: Box): Panel[] {
  const byAxes = Map.groupBy(data, ({ xaxis = "x", yaxis = "y" }) => `${xaxis} ${yaxis}`);
  return [...byAxes.values()].map((traces) => {
    const { xaxis = "x", yaxis = "y" } = traces[0]!;
    const horizontal = axisOf(layout, xaxis), vertical = axisOf(layout, yaxis);
    const [x0, x1] = horizontal.domain ?? [0, 1], [y0, y1] = vertical.domain ?? [0, 1];
    const box = {
      left: area.left + x0 * area.width,
      top: area.top + (1 - y1) * area.height,
      width: (x1 - x0) * area.width,
      height: (y1 - y0) * area.height,
    };
    return {
      box,
      traces,
      x: horizontalScale(horizontal, traces, box),
      y: verticalScale(vertical, traces, box),
    };
  });
}

function axisOf(layout: Layout, id: string): Axis {
  const key = `${id[0]}axis${id.slice(1)}` as `xaxis${number}`;
  return layout[key] ?? {};
}

function horizontalScale(axis: Axis, traces: readonly PanelTrace[], { left, width }: Box): Scale {
  const values = [...new Set(traces.flatMap(({ x }) => [...x]))];
  if (axis.type === "category" || values.some((value) => typeof value === "string")) {
    const band = width / Math.max(1, values.length);
    const at = (value: Coordinate) => left + (values.indexOf(value) + 0.5) * band;
    const ticks = values.map((value) => ({ at: at(value), text: String(value) }));
    return { axis, at, band, ticks };
  }
  const numbers = (values as number[]).sort((a, b) => a - b);
  const hasBars = traces.some(({ type }) => type === "bar");
  const gap = leastOf(numbers.slice(1).map((value, i) => value - numbers[i]!), Infinity);
  const margin = !hasBars ? 0 : Number.isFinite(gap) ? gap / 2 : 0.5;
  const low = (numbers[0] ?? 0) - margin, high = (numbers.at(-1) ?? 1) + margin;
  const scale = numericScale(
    axis,
    [low, high > low ? high : low + 1],
    left,
    left + width,
    width / 55,
  );
  return { ...scale, band: Number.isFinite(gap) ? gap / (high - low) * width : width };
}

function verticalScale(axis: Axis, traces: readonly PanelTrace[], { top, height }: Box): Scale {
  const values = traces.flatMap((trace) => {
    const errors = trace.type === "heatmap" ? undefined : trace.error_y;
    return trace.y.flatMap((value, i) =>
      value === null ? [] : [value - (errors?.arrayminus[i] ?? 0), value + (errors?.array[i] ?? 0)]
    );
  }).filter((value) => axis.type !== "log" || value > 0);
  let low = values.reduce((a, b) => Math.min(a, b), Infinity);
  let high = values.reduce((a, b) => Math.max(a, b), -Infinity);
  if (values.length === 0) [low, high] = [axis.type === "log" ? 0.1 : 0, 1];
  const isFromZero = axis.rangemode === "tozero" || traces.some(({ type }) => type === "bar");
  if (isFromZero && axis.type !== "log") [low, high] = [Math.min(0, low), Math.max(0, high)];
  const count = Math.max(3, Math.floor(height / 38));
  if (axis.type === "log") {
    const margin = Math.max(0.04, (Math.log10(high) - Math.log10(low)) * 0.05);
    low = 10 ** (Math.log10(low) - margin);
    high = 10 ** (Math.log10(high) + margin);
  } else [low, high] = roundRange(low, high, count);
  return numericScale(axis, [low, high], top + height, top, count);
}

/** An axis of numbers between two pixels, with about `count` ticks. */
export function numericScale(
  axis: Axis,
  fromData: readonly [number, number],
  start: number,
  end: number,
  count: number,
): Scale {
  const isLog = axis.type === "log";
  const of = (value: number) => isLog ? Math.log10(value) : value;
  const [low, last] = axis.range ?? [of(fromData[0]), of(fromData[1])];
  const high = last === low ? low + 1 : last; // an axis may be turned round
  const [least, most] = high > low ? [low, high] : [high, low];
  const at = (value: Coordinate) =>
    start + (of(Number(value)) - low) / (high - low) * (end - start);
  const places = axis.tickvals ?? (isLog ? logTicks(least, most) : linearTicks(least, most, count));
  const texts = axis.ticktext ??
    (isLog ? logTickTexts(places) : tickTexts(places, axis.tickformat));
  return {
    axis,
    at,
    band: 0,
    ticks: places.map((value, i) => ({ at: at(value), text: texts[i]! })),
  };
}
