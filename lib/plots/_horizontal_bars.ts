import { largestOf, leastOf } from "./_compact.ts";
import type { Axis, HorizontalBarTrace, Layout } from "./figure.ts";
import { BAR_SHARE, fill, WHISKER } from "./_marks.ts";
import { type Box, numericScale, type Scale } from "./_panel.ts";
import { AXIS_LINE, CHARACTER, element, GRID_LINE, number } from "./_svg.ts";

/** Lying bars with their axes; names have their room taken from the left of `area`. */
export function drawHorizontalBars(
  traces: readonly HorizontalBarTrace[],
  layout: Layout,
  area: Box,
  colours: ReadonlyMap<unknown, string>,
): string {
  const names = [...new Set(traces.flatMap(({ y }) => y))];
  const most = Math.floor(area.width * 0.6 / CHARACTER);
  const shown = names.map((name) => name.length > most ? `${name.slice(0, most - 1)}…` : name);
  const room = largestOf(shown.map((name) => name.length), 0) * CHARACTER + 10;
  const box = { ...area, left: area.left + room, width: area.width - room };
  const x = valueScale(layout.xaxis ?? {}, traces, box);
  const band = box.height / Math.max(1, names.length), height = band * BAR_SHARE / traces.length;
  const isReversed = layout.yaxis?.autorange === "reversed";
  const middle = (row: number) =>
    box.top + ((isReversed ? row : names.length - 1 - row) + 0.5) * band;
  const texts = shown.map((name, row) =>
    element("text", {
      x: number(box.left - 8),
      y: number(middle(row) + 4),
      "text-anchor": "end",
    }, name)
  );
  const bars = traces.map((trace, i) => {
    const shift = (i - (traces.length - 1) / 2) * height * (isReversed ? 1 : -1);
    const at = (place: number) => middle(names.indexOf(trace.y[place]!)) + shift;
    return drawBars(trace, x, at, height, colours.get(trace)!);
  });
  return drawValueAxis(x, box) + texts.join("") + bars.join("");
}

function valueScale(axis: Axis, traces: readonly HorizontalBarTrace[], box: Box): Scale {
  const ends = traces.flatMap(({ x, error_x }) =>
    x.flatMap((value, i) =>
      value === null ? [] : [
        value - (error_x?.arrayminus[i] ?? 0),
        value + (error_x?.array[i] ?? 0),
      ]
    )
  );
  const low = leastOf(ends, 0), high = largestOf(ends, 0);
  const span = high > low ? high - low : 1;
  // Texts stand beyond the ends of bars.
  const range: [number, number] = [low, low + span * 1.14];
  const linear = { ...axis, type: "linear" } as const;
  return numericScale(linear, range, box.left, box.left + box.width, Math.max(3, box.width / 75));
}

function drawValueAxis({ axis, ticks }: Scale, { left, top, width, height }: Box): string {
  const bottom = top + height;
  const lines = ticks.map(({ at, text }) =>
    element("path", { d: `M${number(at)} ${number(top)}V${number(bottom)}`, ...GRID_LINE }) +
    element("text", { x: number(at), y: number(bottom + 17), "text-anchor": "middle" }, text)
  );
  const base = `M${number(left)} ${number(top)}V${number(bottom)}H${number(left + width)}`;
  const title = axis.title === undefined ? "" : element("text", {
    x: number(left + width / 2),
    y: number(bottom + 36),
    "text-anchor": "middle",
  }, axis.title.text);
  return lines.join("") + element("path", { d: base, fill: "none", ...AXIS_LINE }) + title;
}

function drawBars(
  { x: values, error_x, text, opacity }: HorizontalBarTrace,
  { at }: Scale,
  middle: (place: number) => number,
  height: number,
  colour: string,
): string {
  const look = fill(colour, { opacity });
  return values.map((value, i) => {
    if (value === null) return "";
    const zero = at(0), end = at(value), y = middle(i);
    const bar = element("rect", {
      x: number(Math.min(zero, end)),
      y: number(y - height / 2),
      width: number(Math.abs(end - zero)),
      height: number(Math.max(0.5, height - Math.min(2, height / 8))),
      ...look,
    });
    const low = at(value - (error_x?.arrayminus[i] ?? 0));
    const high = at(value + (error_x?.array[i] ?? 0));
    const whisker = error_x === undefined ? "" : element("path", {
      d: `M${number(low)} ${number(y - 4)}v8M${number(low)} ${number(y)}H${number(high)}` +
        `M${number(high)} ${number(y - 4)}v8`,
      ...WHISKER,
    });
    const label = text?.[i] ?? "";
    return bar + whisker + (label === "" ? "" : element("text", {
      x: number(Math.max(zero, end, high) + 6),
      y: number(y + 4),
    }, label));
  }).join("");
}
