import { crc32, deflateSync } from "node:zlib";
import type { HeatmapTrace } from "./figure.ts";
import type { Box, Panel } from "./_panel.ts";
import { AXIS_LINE, element, number } from "./_svg.ts";
import { linearTicks, tickTexts } from "./_ticks.ts";

/** Grids of more cells become an image. */
const MOST_RECTANGLES = 1024;
const BAR_WIDTH = 14, BAR_GAP = 14;

/** The cells of a heat map, and what is written in them. */
export function drawHeatmap({ x, y }: Panel, trace: HeatmapTrace): string {
  const left = x.at(trace.x[0]!), right = x.at(trace.x.at(-1)!);
  const bottom = y.at(trace.y[0]!), top = y.at(trace.y.at(-1)!);
  const columns = trace.x.length, rows = trace.y.length;
  const width = columns > 1 ? (right - left) / (columns - 1) : 40;
  const height = rows > 1 ? (bottom - top) / (rows - 1) : 40;
  if (columns * rows > MOST_RECTANGLES) {
    const isUpward = bottom > top;
    const png = cellsAsPng(trace, isUpward);
    return element("image", {
      x: number(left - width / 2),
      y: number(Math.min(top, bottom) - Math.abs(height) / 2),
      width: number(right - left + width),
      height: number(Math.abs(bottom - top) + Math.abs(height)),
      preserveAspectRatio: "none",
      style: "image-rendering:pixelated",
      href: `data:image/png;base64,${png}`,
    });
  }
  return trace.z.map((row, r) =>
    row.map((value, c) => {
      const middle = x.at(trace.x[c]!), across = y.at(trace.y[r]!);
      const colour = colourOf(trace, value);
      const cell = colour === null ? "" : element("rect", {
        x: number(middle - width / 2),
        y: number(across - Math.abs(height) / 2),
        width: number(width),
        height: number(Math.abs(height)),
        fill: hex(colour),
      });
      const text = trace.text?.[r]?.[c] ?? "";
      const isDark = colour !== null && 0.3 * colour[0] + 0.59 * colour[1] + 0.11 * colour[2] < 128;
      return cell + (text === "" ? "" : element("text", {
        x: number(middle),
        y: number(across + 4),
        "text-anchor": "middle",
        style: `fill:${isDark ? "#ffffff" : "#111111"}`,
      }, text));
    }).join("")
  ).join("");
}

/** The scale of colours at the right of a figure. */
export function drawColourBar(trace: HeatmapTrace, { left, top, width, height }: Box): string {
  const x = left + width + BAR_GAP, steps = 40;
  const { zmin, zmax } = trace,
    at = (value: number) => top + height * (zmax - value) / (zmax - zmin);
  const parts = Array.from({ length: steps }, (_, i) =>
    element("rect", {
      x: number(x),
      y: number(top + height * (steps - 1 - i) / steps),
      width: BAR_WIDTH,
      height: number(height / steps + 0.5),
      fill: hex(colourOf(trace, zmin + (i + 0.5) / steps * (zmax - zmin))!),
    })).join("");
  const ticks = linearTicks(zmin, zmax, Math.max(2, height / 50));
  const texts = tickTexts(ticks);
  const marks = ticks.map((value, i) =>
    element("path", { d: `M${number(x + BAR_WIDTH)} ${number(at(value))}h4`, ...AXIS_LINE }) +
    element("text", { x: number(x + BAR_WIDTH + 6), y: number(at(value) + 4) }, texts[i]!)
  ).join("");
  const title = trace.colorbar?.title.text;
  return parts + marks + (title === undefined ? "" : element("text", {
    "text-anchor": "middle",
    transform: `translate(${number(x + 64)} ${number(top + height / 2)}) rotate(-90)`,
  }, title));
}

type Rgb = readonly [number, number, number];

function colourOf({ zmin, zmax, colorscale }: HeatmapTrace, value: number | null): Rgb | null {
  if (value === null || !Number.isFinite(value)) return null;
  const place = Math.min(1, Math.max(0, (value - zmin) / (zmax - zmin || 1)));
  const next = Math.max(1, colorscale.findIndex(([at]) => at >= place));
  const [from, first] = colorscale[next - 1]!, [to, second] = colorscale[next]!;
  const share = (place - from) / (to - from);
  const a = rgb(first), b = rgb(second);
  return [0, 1, 2].map((i) => Math.round(a[i]! + share * (b[i]! - a[i]!))) as unknown as Rgb;
}

function rgb(colour: string): Rgb {
  return [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16)) as unknown as Rgb;
}

function hex(colour: Rgb): string {
  return `#${colour.map((part) => part.toString(16).padStart(2, "0")).join("")}`;
}

/** One pixel per cell: a PNG of 256 colours (w3.org/TR/png), 0 being none. */
function cellsAsPng(trace: HeatmapTrace, isUpward: boolean): string {
  const width = trace.x.length, height = trace.y.length, { zmin, zmax } = trace;
  const pixels = new Uint8Array((width + 1) * height);
  trace.z.forEach((row, r) => {
    const line = (isUpward ? height - 1 - r : r) * (width + 1) + 1;
    row.forEach((value, c) => {
      const place = value === null ? NaN : (value - zmin) / (zmax - zmin || 1);
      pixels[line + c] = Number.isNaN(place)
        ? 0
        : 1 + Math.round(254 * Math.min(1, Math.max(0, place)));
    });
  });
  const palette = new Uint8Array(3 * 256);
  for (let i = 1; i < 256; i++) {
    palette.set(colourOf(trace, zmin + (i - 1) / 254 * (zmax - zmin || 1))!, 3 * i);
  }
  const header = new DataView(new ArrayBuffer(13));
  header.setUint32(0, width);
  header.setUint32(4, height);
  header.setUint8(8, 8); // bits per pixel
  header.setUint8(9, 3); // by palette
  const parts = [
    Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
    chunk("IHDR", new Uint8Array(header.buffer)),
    chunk("PLTE", palette),
    chunk("tRNS", Uint8Array.of(0)),
    chunk("IDAT", deflateSync(pixels, { level: 9 })),
    chunk("IEND", new Uint8Array(0)),
  ];
  return Uint8Array.from(parts.flatMap((part) => [...part])).toBase64();
}

function chunk(name: string, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(body.length + 12), view = new DataView(bytes.buffer);
  view.setUint32(0, body.length);
  bytes.set(new TextEncoder().encode(name), 4);
  bytes.set(body, 8);
  view.setUint32(8 + body.length, crc32(bytes.subarray(4, 8 + body.length)));
  return bytes;
}
