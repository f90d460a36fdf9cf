import type { Coordinate, HorizontalBarTrace, Trace, UprightTrace } from "./figure.ts";

/** Beyond, differences and logarithms leave the range of float64. */
const LARGEST = 1e100, SMALLEST = 1e-100;

/** The trace without values that no axis can show: they become holes. */
export function drawable(trace: Trace): Trace {
  if (trace.type === "heatmap" || trace.type === "scatter3d") return trace;
  return isHorizontal(trace)
    ? { ...trace, x: trace.x.map((value) => value === null ? null : place(value)) }
    : drawableUpright(trace);
}

/** Whether the bars lie. */
export function isHorizontal(trace: Trace): trace is HorizontalBarTrace {
  return trace.type === "bar" && "orientation" in trace;
}

function drawableUpright<T extends UprightTrace>(trace: T): T {
  const places = trace.x.map((value) => typeof value === "string" ? value : place(value));
  const known = places.find((value) => value !== null);
  if (known === undefined) return { ...trace, x: [], y: [] };
  // A hole stands where something else does, so that it does not stretch the axis.
  const x: Coordinate[] = places.map((value) => value ?? known);
  const y = places.map((value, i) => value === null ? null : place(trace.y[i] ?? null));
  return { ...trace, x, y };
}

function place(value: number | null): number | null {
  if (value === null || !(Math.abs(value) <= LARGEST)) return null;
  return Math.abs(value) < SMALLEST ? 0 : value;
}
