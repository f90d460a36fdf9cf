import type { Layout, Scatter3dTrace, Trace } from "./figure.ts";
import { drawPoint, stroke } from "./_marks.ts";
import type { Box } from "./_panel.ts";
import { AXIS_LINE, CHARACTER, element, GRID_LINE, number } from "./_svg.ts";
import { linearTicks, tickTexts } from "./_ticks.ts";

type Point = readonly [number, number, number];

/** Where the eye is: around the third axis, and above the plane of the other two, in radians. */
const AZIMUTH = 0.9, ELEVATION = 0.45;
const ROOM = 44;
/** Height of a line of text. */
const LINE = 12;

/**
 * Paths in a box, seen from afar (without perspective), with one unit equally long along all three axes
 * and the floor's grid.
 */
export function drawScene(
  data: readonly Scatter3dTrace[],
  layout: Layout,
  area: Box,
  colours: ReadonlyMap<Trace, string>,
): string {
  const [x, y, z] = (["x", "y", "z"] as const).map((axis) =>
    limits(data.flatMap((trace) => trace[axis].filter(Number.isFinite)))
  ) as [Limits, Limits, Limits];
  const corners = [x.low, x.high].flatMap((a) =>
    [y.low, y.high].flatMap((b) => [z.low, z.high].map((c) => project([a, b, c])))
  );
  const [left, right] = extent(corners.map(([u]) => u)),
    [low, high] = extent(corners.map(([, v]) => v));
  const scale = Math.min(
    (area.width - 2 * ROOM) / (right - left),
    (area.height - ROOM) / (high - low),
  );
  const at = (point: Point) => {
    const [u, v] = project(point);
    return [
      area.left + area.width / 2 + (u - (left + right) / 2) * scale,
      area.top + area.height / 2 - (v - (low + high) / 2) * scale - ROOM / 4,
    ] as const;
  };
  const path = (points: readonly Point[]) =>
    points.map((point, i) => `${i === 0 ? "M" : "L"}${at(point).map(number).join(" ")}`).join("");
  const floor = [
    ...x.ticks.map((a) => path([[a, y.low, z.low], [a, y.high, z.low]])),
    ...y.ticks.map((b) => path([[x.low, b, z.low], [x.high, b, z.low]])),
  ].map((d) => element("path", { d, fill: "none", ...GRID_LINE })).join("");
  // The edges that are nearest to the reader along the floor, and the leftmost upright one.
  const edges = [
    path([[x.low, y.low, z.low], [x.high, y.low, z.low]]),
    path([[x.high, y.low, z.low], [x.high, y.high, z.low]]),
    path([[x.low, y.low, z.low], [x.low, y.low, z.high]]),
  ].map((d) => element("path", { d, fill: "none", ...AXIS_LINE })).join("");
  const texts = [
    ...labels(x.ticks, (a) => at([a, y.low, z.low]), [-6, 14], "end"),
    ...labels(y.ticks, (b) => at([x.high, b, z.low]), [6, 14], "start"),
    ...labels(z.ticks, (c) => at([x.low, y.low, c]), [-7, 4], "end"),
    title(layout.scene?.xaxis.title?.text, at([(x.low + x.high) / 2, y.low, z.low]), [-34, 34]),
    title(layout.scene?.yaxis.title?.text, at([x.high, (y.low + y.high) / 2, z.low]), [38, 34]),
    title(layout.scene?.zaxis.title?.text, at([x.low, y.low, z.high]), [0, -10]),
  ].join("");
  const lines = data.map((trace) => drawPath(trace, at, colours.get(trace)!)).join("");
  return floor + edges + texts + lines;
}

function drawPath(
  trace: Scatter3dTrace,
  at: (point: Point) => readonly [number, number],
  colour: string,
): string {
  const points = trace.x.map((x, i) => at([x, trace.y[i]!, trace.z[i]!]));
  const shown = points.map((point) => point.every(Number.isFinite) ? point : null);
  const d = shown.map((point, i) =>
    point === null ? "" : `${shown[i - 1] ? "L" : "M"}${point.map(number).join(" ")}`
  ).join("");
  return (trace.mode === "markers" || d === ""
    ? ""
    : element("path", { d, fill: "none", ...stroke(colour, trace) })) +
    (trace.mode === "lines"
      ? ""
      : shown.map((point) => point === null ? "" : drawPoint(trace, point[0], point[1], colour))
        .join(""));
}

interface Limits {
  readonly low: number;
  readonly high: number;
  readonly ticks: readonly number[];
}

function limits(values: readonly number[]): Limits {
  const [least, most] = values.length === 0 ? [0, 1] : extent(values);
  const margin = most > least ? (most - least) * 0.05 : 1;
  const low = least - margin, high = most + margin;
  return { low, high, ticks: linearTicks(low, high, 4) };
}

function extent(values: readonly number[]): [number, number] {
  return values.reduce(
    ([low, high], value) => [Math.min(low, value), Math.max(high, value)] as [number, number],
    [Infinity, -Infinity] as [number, number],
  );
}

function project([x, y, z]: Point): [number, number] {
  const across = x * Math.sin(AZIMUTH) + y * Math.cos(AZIMUTH);
  const away = -x * Math.cos(AZIMUTH) + y * Math.sin(AZIMUTH);
  return [across, z * Math.cos(ELEVATION) + away * Math.sin(ELEVATION)];
}

function labels(
  ticks: readonly number[],
  at: (value: number) => readonly [number, number],
  [dx, dy]: readonly [number, number],
  anchor: string,
): string[] {
  const texts = tickTexts(ticks);
  let last: readonly [number, number] | undefined;
  return ticks.flatMap((value, i) => {
    const [x, y] = at(value), room = texts[i]!.length * CHARACTER + 2;
    // On an axis that is short as seen from here, numbers would lie on each other.
    if (last !== undefined && Math.abs(x - last[0]) < room && Math.abs(y - last[1]) < LINE) {
      return [];
    }
    last = [x, y];
    return [element(
      "text",
      { x: number(x + dx), y: number(y + dy), "text-anchor": anchor },
      texts[i]!,
    )];
  });
}

function title(
  text: string | undefined,
  [x, y]: readonly [number, number],
  [dx, dy]: readonly [number, number],
): string {
  return text === undefined
    ? ""
    : element("text", { x: number(x + dx), y: number(y + dy), "text-anchor": "middle" }, text);
}
