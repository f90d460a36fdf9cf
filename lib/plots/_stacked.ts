import type { Axis, Figure, Layout, UprightTrace } from "./figure.ts";

/** One row of a figure. */
export interface Row {
  /** Its vertical axis. */
  readonly y: Axis;
  /** What is drawn in it; traces of one `legendgroup` share an entry of the legend. */
  readonly traces: readonly UprightTrace[];
}

/**
 * Rows one above the other, over one horizontal axis whose numbers stand below the last; or with
 * `isShared` false each over an axis of its own.
 */
export function stackedFigure(
  layout: Layout,
  x: Axis,
  rows: readonly Row[],
  isShared = true,
): Figure {
  const shared = isShared && rows.length > 1 ? rangeOf(rows) : undefined;
  const height = 1 / Math.max(1, rows.length), gap = rows.length === 1 ? 0 : 0.16 * height;
  const data: UprightTrace[] = [], named = new Set<string>();
  let axes: Layout = layout;
  rows.forEach(({ y, traces }, row) => {
    const number = row === 0 ? "" : row + 1, isLast = row === rows.length - 1;
    for (const trace of traces) {
      const group = trace.legendgroup ?? trace.name ?? "";
      data.push({
        ...trace,
        showlegend: trace.showlegend ?? !named.has(group),
        xaxis: `x${number}` as "x",
        yaxis: `y${number}` as "y",
      });
      named.add(group);
    }
    const { title, ...rest } = x;
    axes = {
      ...axes,
      [`xaxis${number}`]: {
        ...rest,
        anchor: `y${number}`,
        ...(shared === undefined ? {} : { range: shared }),
        ...(shared === undefined || row === 0 ? {} : { matches: "x" as const }),
        showticklabels: isLast || !isShared,
        ...(isLast && title !== undefined ? { title } : {}),
      },
      [`yaxis${number}`]: {
        ...y,
        anchor: `x${number}`,
        domain: [1 - (row + 1) * height + gap / 2, 1 - row * height - gap / 2],
      },
    };
  });
  return { data, layout: axes };
}

/** From the first to the last number of all rows, with room for points. */
function rangeOf(rows: readonly Row[]): [number, number] | undefined {
  let low = Infinity, high = -Infinity;
  const traces = rows.flatMap(({ traces }) => traces);
  for (const { x } of traces) {
    for (const value of x) {
      if (typeof value !== "number") return undefined;
      if (!Number.isFinite(value)) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  const hasPoints = traces.some((trace) => trace.type === "bar" || trace.mode !== "lines");
  const room = hasPoints ? Number(((high - low) * 0.02).toPrecision(2)) : 0;
  return low < high ? [low - room, high + room] : undefined;
}
