import { largestOf } from "./_compact.ts";
import type { Axis, Figure, PanelTrace, Trace } from "./figure.ts";
import { drawable, isHorizontal } from "./_drawable.ts";
import { drawColourBar } from "./_heatmap.ts";
import { drawHorizontalBars } from "./_horizontal_bars.ts";
import { drawSample, drawTraces } from "./_marks.ts";
import { type Box, type Panel, resolvePanels } from "./_panel.ts";
import { PALETTE } from "./palette.ts";
import { drawScene } from "./_scene.ts";
import {
  AXIS_LINE,
  CHARACTER,
  element,
  escapeXml,
  GRID_LINE,
  GROUND,
  number,
  styleSheet,
} from "./_svg.ts";

const WIDTH = 680, HEIGHT = 340;
const MARGIN = 14,
  LEFT = 64,
  RIGHT = 14,
  BOTTOM = 30,
  AXIS_TITLE = 18,
  TITLE = 30,
  LEGEND_ROW = 20,
  SAMPLE = 26,
  COLOUR_BAR = 84;

/**
 * Draws a figure as SVG, without a browser: lines, points, grouped bars that stand or lie, heat maps,
 * paths in space, axes with ticks and titles, a legend. Colours follow the reader's light or dark mode; long names under
 * standing bars are turned.
 *
 * @param figure with traces of the kinds in {@linkcode Figure}
 * @returns the SVG, which can stand in a file or in HTML; beside lying bars nothing else is drawn
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { renderSvg } from "./mod.ts";
 *
 * const svg = renderSvg({
 *   data: [{ type: "scatter", mode: "lines", name: "force", x: [0, 1, 2], y: [2.4, 2.5, 3] }],
 *   layout: { xaxis: { title: { text: "time (s)" } }, yaxis: { title: { text: "force" } } },
 * });
 * assert.match(svg, /^<svg .*time \(s\)/s);
 * ```
 */
export function renderSvg(figure: Figure): string {
  const { layout } = figure;
  const data = figure.data.map(drawable);
  const lying = data.filter(isHorizontal);
  const upright = data.filter((trace): trace is PanelTrace =>
    !isHorizontal(trace) && trace.type !== "scatter3d"
  );
  const space = data.filter((trace) => trace.type === "scatter3d");
  const heat = upright.find((trace) => trace.type === "heatmap");
  const bar = heat === undefined || heat.showscale === false ? 0 : COLOUR_BAR;
  const width = layout.width ?? WIDTH, height = layout.height ?? HEIGHT;
  const colours = traceColours(data);
  const left = lying.length > 0 ? MARGIN : Math.max(LEFT, laneNames(layout));
  const title = layout.title === undefined ? 10 : TITLE;
  const legend = drawLegend(data, colours, { left, width, top: title });
  const top = title + legend.height;
  const bottom = BOTTOM + (hasHorizontalTitle(layout) ? AXIS_TITLE : 0) +
    (lying.length > 0 ? 0 : turnedHeight(upright, width));
  const area = {
    left,
    top,
    width: width - left - RIGHT - bar,
    height: Math.max(40, height - top - bottom),
  };
  const drawing = lying.length > 0
    ? drawHorizontalBars(lying, layout, area, colours)
    : space.length > 0
    ? drawScene(space, layout, area, colours)
    : resolvePanels(upright, layout, area)
      .map((panel) => drawAxes(panel) + clipped(panel, drawTraces(panel, colours))).join("") +
      (bar === 0 ? "" : drawColourBar(heat!, area));
  const name = layout.title?.text ?? "figure";
  return `<svg xmlns="http://www.w3.org/2000/svg" class="trocar-figure" role="img" ` +
    `aria-label="${escapeXml(name)}" viewBox="0 0 ${width} ${height}" width="${width}" ` +
    `height="${height}" font-family="system-ui, sans-serif" font-size="12">` +
    styleSheet() +
    element("rect", { class: "ground", width, height, fill: GROUND.light }) +
    (layout.title === undefined
      ? ""
      : element("text", { class: "title", x: left, y: 20 }, layout.title.text)) +
    legend.svg + drawing + "</svg>";
}

/** Colours by name, so that a series has one colour in all panels. */
function traceColours(data: readonly Trace[]): Map<Trace, string> {
  const order = Object.values(PALETTE).map(({ light }) => light);
  const keys = [...new Set(data.map(keyOf))];
  return new Map(data.map((trace) => {
    const own = trace.type === "scatter" || trace.type === "scatter3d"
      ? trace.line?.color ?? trace.marker?.color
      : trace.type === "bar"
      ? trace.marker?.color
      : undefined;
    return [trace, (own ?? order[keys.indexOf(keyOf(trace)) % order.length]!).toLowerCase()];
  }));
}

function keyOf({ legendgroup, name }: Trace): string {
  return legendgroup ?? name ?? "";
}

function drawLegend(
  data: readonly Trace[],
  colours: ReadonlyMap<Trace, string>,
  { left, width, top }: Pick<Box, "left" | "width" | "top">,
): { svg: string; height: number } {
  const entries = [...new Map(
    data.filter(({ name, showlegend }) => name !== undefined && showlegend !== false)
      .toReversed().map((trace) => [keyOf(trace), trace]),
  ).values()].toReversed();
  if (entries.length < 2) return { svg: "", height: 6 };
  let x = left, y = top + 8, svg = "";
  for (const trace of entries) {
    const size = SAMPLE + 6 + trace.name!.length * CHARACTER + 16;
    if (x + size > width && x > left) {
      x = left;
      y += LEGEND_ROW;
    }
    svg += drawSample(trace, colours.get(trace)!, x, y) +
      element("text", { x: number(x + SAMPLE + 6), y: number(y + 4) }, trace.name!);
    x += size;
  }
  return { svg, height: y - top + 22 };
}

function hasHorizontalTitle(layout: Figure["layout"]): boolean {
  return Object.entries(layout).some(([key, value]) =>
    key.startsWith("xaxis") && (value as Axis).title !== undefined
  );
}

/** Room for names beside the lanes of the vertical axes, and for a title beside them. */
function laneNames(layout: Figure["layout"]): number {
  const rooms = Object.entries(layout).flatMap(([key, value]) => {
    const { ticktext, title } = Object(value) as Axis;
    if (!key.startsWith("yaxis") || ticktext === undefined) return [];
    const longest = largestOf(ticktext.map((text) => text.length), 0);
    return [longest * CHARACTER + 10 + (title === undefined ? 0 : AXIS_TITLE)];
  });
  return largestOf(rooms, 0);
}

/** Space for names of categories that are too long to stand side by side. */
function turnedHeight(data: readonly PanelTrace[], width: number): number {
  const names = new Set(
    data.flatMap(({ x }) => x.flatMap((value) => typeof value === "string" ? [value] : [])),
  );
  const longest = largestOf([...names].map((name) => name.length), 0);
  const isTight = longest * CHARACTER > (width - LEFT - RIGHT) / Math.max(1, names.size) - 6;
  return isTight ? Math.min(110, longest * CHARACTER * 0.6) : 0;
}

function drawAxes({ box, x, y }: Panel): string {
  const { left, top, width, height } = box;
  const right = left + width, bottom = top + height;
  const grid = y.ticks.map(({ at }) =>
    element("path", { d: `M${number(left)} ${number(at)}H${number(right)}`, ...GRID_LINE })
  ).join("");
  const isTurned = x.axis.showticklabels !== false &&
    x.ticks.some(({ text }, i) => text.length * CHARACTER > tickRoom(x.ticks, i, width) - 6);
  const xTexts = x.axis.showticklabels === false
    ? ""
    : x.ticks.map(({ at, text }) =>
      isTurned
        ? element("text", {
          "text-anchor": "end",
          transform: `translate(${number(at + 4)} ${number(bottom + 14)}) rotate(-35)`,
        }, shortened(text))
        : element("text", { x: number(at), y: number(bottom + 17), "text-anchor": "middle" }, text)
    ).join("");
  const marks = x.ticks.map(({ at }) =>
    element("path", { d: `M${number(at)} ${number(bottom)}v4`, ...AXIS_LINE })
  ).join("");
  const yTexts = y.axis.showticklabels === false
    ? ""
    : y.ticks.map(({ at, text }) =>
      element("text", { x: number(left - 7), y: number(at + 4), "text-anchor": "end" }, text)
    ).join("");
  const base = element("path", {
    d: `M${number(left)} ${number(bottom)}H${number(right)}`,
    ...AXIS_LINE,
  });
  return grid + base + marks + xTexts + yTexts + drawTitles({ box, x, y });
}

function drawTitles({ box, x, y }: Pick<Panel, "box" | "x" | "y">): string {
  const { left, top, width, height } = box;
  const below = x.axis.title === undefined ? "" : element("text", {
    x: number(left + width / 2),
    y: number(top + height + 36),
    "text-anchor": "middle",
  }, x.axis.title.text);
  if (y.axis.title === undefined) return below;
  const widest = largestOf(y.ticks.map(({ text }) => text.length), 0) * CHARACTER;
  const at = `translate(${number(left - 19 - widest)} ${number(top + height / 2)}) rotate(-90)`;
  return below + element("text", { transform: at, "text-anchor": "middle" }, y.axis.title.text);
}

function tickRoom(ticks: Panel["x"]["ticks"], i: number, width: number): number {
  const next = ticks[i + 1] ?? ticks[i - 1];
  return next === undefined ? width : Math.abs(next.at - ticks[i]!.at);
}

function shortened(text: string): string {
  return text.length > 24 ? `${text.slice(0, 23)}…` : text;
}

/** Nothing is drawn beyond the axes; a margin leaves room for points and texts at the edge. */
function clipped({ box: { left, top, width, height } }: Panel, svg: string): string {
  const x = left - 5, y = top - 18, w = width + 10, h = height + 23;
  return `<svg x="${number(x)}" y="${number(y)}" width="${number(w)}" height="${number(h)}" ` +
    `viewBox="${number(x)} ${number(y)} ${number(w)} ${number(h)}">${svg}</svg>`;
}
