import type { Coordinate, HorizontalBarTrace, Trace, UprightTrace } from "./figure.ts";

/** Beyond, differences and logarithms leave the range of float64. */
const LARGEST = 1e100, SMALLEST = 1e-100;

/** The trace without values that no axis can show: they become holes. */
export function drawable(trace: Trace): Trace {
  return isHorizontal(trace)
    ? { ...trace, x: trace.x.map((value) => value === null ? null : place(value)) }
    : drawableUpright(trace);
}

/** Whether the bars lie. */
export function isHorizontal(trace: Trace): trace is HorizontalBarTrace {
  return trace.type === "bar" && "orientation" in trace;
}

function drawableUpright<T extends UprightTrace>(trace: T): T {
  const x: Coordinate[] = [], y: (number | null)[] = [];
  trace.x.forEach((value, i) => {
    const across = typeof value === "string" ? value : place(value), up = place(trace.y[i] ?? null);
    x.push(across ?? 0);
    y.push(across === null ? null : up);
  });
  return { ...trace, x, y };
}

function place(value: number | null): number | null {
  if (value === null || !(Math.abs(value) <= LARGEST)) return null;
  return Math.abs(value) < SMALLEST ? 0 : value;
}
