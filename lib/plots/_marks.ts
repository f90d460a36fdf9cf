import type { BarTrace, Scatter3dTrace, ScatterTrace, Trace, UprightTrace } from "./figure.ts";
import { drawHeatmap } from "./_heatmap.ts";
import type { Panel } from "./_panel.ts";
import { colourClass, element, number } from "./_svg.ts";

const DASHES = { solid: undefined, dash: "7 4", dot: "2 3", dashdot: "7 3 2 3" } as const;
/** Of the room of a category, what its bars fill. */
export const BAR_SHARE = 0.82;
/** Attributes of bars of uncertainty. */
export const WHISKER = {
  class: "axis",
  fill: "none",
  stroke: "#444",
  "stroke-width": 1.3,
} as const;

/** Everything of one panel between its axes. */
export function drawTraces(panel: Panel, colours: ReadonlyMap<Trace, string>): string {
  const heat = panel.traces.filter((trace) => trace.type === "heatmap");
  const bars = panel.traces.filter((trace) => trace.type === "bar");
  const lines = panel.traces.filter((trace) => trace.type === "scatter");
  return heat.map((trace) => drawHeatmap(panel, trace)).join("") +
    bars.map((bar, i) => drawBars(panel, bar, i, bars.length, colours.get(bar)!)).join("") +
    lines.map((line) => drawScatter(panel, line, colours.get(line)!)).join("");
}

/** The sample of a trace in the legend, 26 pixels wide, its middle at (x, y). */
export function drawSample(trace: Trace, colour: string, x: number, y: number): string {
  if (trace.type === "bar" || trace.type === "heatmap") {
    return element("rect", {
      x: number(x + 6),
      y: number(y - 6),
      width: 14,
      height: 12,
      ...fill(colour, trace),
    });
  }
  const line = trace.mode === "markers" ? "" : element("path", {
    d: `M${number(x)} ${number(y)}h26`,
    ...stroke(colour, trace),
  });
  const point = trace.mode === "lines" ? "" : drawPoint(trace, x + 13, y, colour);
  return line + point;
}

function drawScatter({ x, y }: Panel, trace: ScatterTrace, colour: string): string {
  const points = trace.x.map((value, i) => {
    const height = trace.y[i];
    if (height === null || height === undefined) return null;
    const point = [x.at(value), y.at(height)] as const;
    return point.every(Number.isFinite) ? point : null;
  });
  const path = points.map((point, i) =>
    point === null ? "" : `${points[i - 1] ? "L" : "M"}${number(point[0])} ${number(point[1])}`
  ).join("");
  const line = trace.mode === "markers" || path === ""
    ? ""
    : element("path", { d: path, fill: "none", ...stroke(colour, trace) });
  // A point between two holes has no line.
  const dots = points.map((point, i) => {
    if (point === null) return "";
    const isAlone = !points[i - 1] && !points[i + 1];
    return trace.mode !== "lines" || isAlone ? drawPoint(trace, point[0], point[1], colour) : "";
  });
  return line + drawErrors({ x, y }, trace, (i) => points[i]?.[0]) + dots.join("");
}

function drawBars(
  { x, y, box }: Panel,
  trace: BarTrace,
  index: number,
  count: number,
  colour: string,
): string {
  const width = x.band * BAR_SHARE / count;
  const middle = (i: number) => x.at(trace.x[i]!) + (index - (count - 1) / 2) * width;
  const zero = y.axis.type === "log" ? box.top + box.height : y.at(0);
  const bars = trace.y.map((value, i) => {
    if (value === null || !Number.isFinite(y.at(value))) return ""; // no logarithm
    const top = y.at(value), up = y.at(value + (trace.error_y?.array[i] ?? 0));
    const text = trace.text?.[i] ?? "";
    return element("rect", {
      x: number(middle(i) - width / 2),
      y: number(Math.min(top, zero)),
      width: number(Math.max(0.5, width - Math.min(2, width / 8))),
      height: number(Math.abs(zero - top)),
      ...fill(colour, trace),
    }) + (text === "" ? "" : element("text", {
      x: number(middle(i)),
      y: number(Math.min(top, up) - 5),
      "text-anchor": "middle",
    }, text));
  });
  return bars.join("") + drawErrors({ x, y }, trace, middle);
}

function drawErrors(
  { y }: Pick<Panel, "x" | "y">,
  { error_y, y: values }: UprightTrace,
  at: (index: number) => number | undefined,
): string {
  if (error_y === undefined) return "";
  const path = values.map((value, i) => {
    const x = at(i);
    if (value === null || x === undefined) return "";
    const high = y.at(value + error_y.array[i]!), low = y.at(value - error_y.arrayminus[i]!);
    return `M${number(x - 4)} ${number(high)}h8M${number(x)} ${number(high)}V${number(low)}` +
      `M${number(x - 4)} ${number(low)}h8`;
  }).join("");
  return element("path", { d: path, ...WHISKER });
}

/** A point of a trace at some pixel. */
export function drawPoint(
  { marker, opacity }: ScatterTrace | Scatter3dTrace,
  x: number,
  y: number,
  colour: string,
): string {
  const r = (marker?.size ?? 6) / 2, look = fill(colour, { opacity });
  if (marker?.symbol === undefined || marker.symbol === "circle") {
    return element("circle", { cx: number(x), cy: number(y), r: number(r), ...look });
  }
  const corners = {
    square: [[-r, -r], [r, -r], [r, r], [-r, r]],
    diamond: [[0, -1.3 * r], [1.3 * r, 0], [0, 1.3 * r], [-1.3 * r, 0]],
    "triangle-up": [[0, -1.2 * r], [1.1 * r, r], [-1.1 * r, r]],
  }[marker.symbol];
  const points = corners.map(([dx, dy]) => `${number(x + dx!)},${number(y + dy!)}`).join(" ");
  return element("polygon", { points, ...look });
}

/** Attributes of a line. */
export function stroke(colour: string, { line, opacity }: ScatterTrace | Scatter3dTrace) {
  return {
    stroke: colour,
    "stroke-width": line?.width ?? 2,
    "stroke-linejoin": "round",
    "stroke-opacity": opacity,
    "stroke-dasharray": DASHES[line?.dash ?? "solid"],
    class: colourClass("stroke", colour),
  };
}

/** Attributes of what has a colour inside. */
export function fill(colour: string, { opacity }: { readonly opacity?: number | undefined }) {
  return { fill: colour, "fill-opacity": opacity, class: colourClass("fill", colour) };
}
