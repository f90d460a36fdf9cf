import { compact, extentOf } from "./_compact.ts";
import type { Figure, Layout, ScatterTrace, Trace } from "./figure.ts";
import { streamStyle } from "./time_series.ts";

/** A path of the robot's tool. */
export interface PosePath {
  /** Name in the legend. */
  readonly name: string;
  /** `(n,)` mm. */
  readonly x: ArrayLike<number>;
  /** `(n,)` mm. */
  readonly y: ArrayLike<number>;
  /** `(n,)` mm, upwards. */
  readonly z: ArrayLike<number>;
}

/** A path is drawn with no more points. */
const MOST_POINTS = 1500;

/**
 * Paths in space, with their starts (square) and ends (diamond).
 *
 * @param paths of the tool
 * @param options `title`, default "Path of the tool"
 * @returns the figure, one millimetre equally long along all axes
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { posePath3d } from "./mod.ts";
 *
 * const { layout } = posePath3d([{ name: "episode", x: [0, 1], y: [0, 0], z: [5, 4] }]);
 * assert.equal(layout.scene!.zaxis.title!.text, "z (mm)");
 * ```
 */
export function posePath3d(
  paths: readonly PosePath[],
  options: { readonly title?: string } = {},
): Figure {
  const data = paths.flatMap(({ name, x, y, z }, i): Trace[] => {
    const { line, marker } = streamStyle(i);
    const rows = chosenRows(x.length),
      pick = (values: ArrayLike<number>, rows: number[]) =>
        compact(rows.map((row) => values[row]!));
    const trace = { type: "scatter3d" as const, name, legendgroup: name };
    const at = (rows: number[]) => ({ x: pick(x, rows), y: pick(y, rows), z: pick(z, rows) });
    const end = (row: number, symbol: "square" | "diamond"): Trace => ({
      ...trace,
      ...at([row]),
      mode: "markers",
      showlegend: false,
      marker: { ...marker, size: 5, symbol },
    });
    return [
      { ...trace, ...at(rows), mode: "lines", line: { ...line, width: 3 } },
      ...(x.length === 0 ? [] : [end(0, "square"), end(x.length - 1, "diamond")]),
    ];
  });
  return {
    data,
    layout: {
      title: { text: options.title ?? "Path of the tool" },
      height: 460,
      scene: {
        xaxis: { title: { text: "x (mm)" } },
        yaxis: { title: { text: "y (mm)" } },
        zaxis: { title: { text: "z (mm)" } },
        aspectmode: "data",
      },
    },
  };
}

/**
 * Paths as seen from above (x, y) and from the side (x, z), side by side.
 *
 * @param paths of the tool
 * @param options `title`, default "Path of the tool from above and from the side"
 * @returns the figure
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { posePath2d } from "./mod.ts";
 *
 * const { data } = posePath2d([{ name: "episode", x: [0, 1], y: [2, 3], z: [5, 4] }]);
 * assert.deepEqual(data.filter(({ type, xaxis }) => type === "scatter" && xaxis === "x2").length, 3);
 * ```
 */
export function posePath2d(
  paths: readonly PosePath[],
  options: { readonly title?: string } = {},
): Figure {
  const data = (["y", "z"] as const).flatMap((upwards, panel) =>
    paths.flatMap((path, i): ScatterTrace[] => {
      const { line, marker } = streamStyle(i), rows = chosenRows(path.x.length);
      const at = (rows: number[]) => ({
        x: compact(rows.map((row) => path.x[row]!)),
        y: compact(rows.map((row) => path[upwards][row]!)),
      });
      const trace = {
        type: "scatter" as const,
        name: path.name,
        legendgroup: path.name,
        showlegend: false,
        xaxis: panel === 0 ? "x" as const : "x2" as const,
        yaxis: panel === 0 ? "y" as const : "y2" as const,
      };
      const end = (row: number, symbol: "square" | "diamond"): ScatterTrace => ({
        ...trace,
        ...at([row]),
        mode: "markers",
        marker: { ...marker, size: 8, symbol },
      });
      return [
        { ...trace, ...at(rows), mode: "lines", showlegend: panel === 0, line },
        ...(path.x.length === 0 ? [] : [end(0, "square"), end(path.x.length - 1, "diamond")]),
      ];
    })
  );
  const margin = (values: readonly ArrayLike<number>[]): [number, number] => {
    const [low, high] = extentOf(...values), room = (high - low) * 0.05 || 1;
    return [Number((low - room).toPrecision(6)), Number((high + room).toPrecision(6))];
  };
  const range = margin(paths.map(({ x }) => x));
  const layout: Layout = {
    title: { text: options.title ?? "Path of the tool from above and from the side" },
    height: 380,
    xaxis: { title: { text: "x (mm)" }, domain: [0, 0.43], anchor: "y", range },
    xaxis2: { title: { text: "x (mm)" }, domain: [0.57, 1], anchor: "y2", range },
    yaxis: { title: { text: "y (mm)" }, anchor: "x" },
    yaxis2: { title: { text: "z (mm)" }, anchor: "x2" },
  };
  return { data, layout };
}

/** Rows of a path, evenly chosen where it has too many, with its first and last. */
function chosenRows(length: number): number[] {
  const count = Math.min(length, MOST_POINTS);
  return Array.from(
    { length: count },
    (_, i) => count < 2 ? i : Math.round(i * (length - 1) / (count - 1)),
  );
}
