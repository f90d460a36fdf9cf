import type { Figure, ScatterTrace } from "./figure.ts";
import { type SeriesRole, styleOf } from "./_series.ts";
import { stackedFigure } from "./_stacked.ts";

/** Chunks of one series, one after the other. */
export interface ChunkSeries {
  /** Name in the legend. */
  readonly name: string;
  /** Colour and dash. */
  readonly role: SeriesRole;
  /** `(chunks, H, A)` actions. */
  readonly values: ArrayLike<number>;
}

/** What {@linkcode chunkOverlay} draws. */
export interface ChunkOverlayInput {
  /** Heading. */
  readonly title: string;
  /** `(A,)` names. */
  readonly dimensions: readonly string[];
  /** `(A,)` units; dimensions with unit `1` are left out. */
  readonly units: readonly string[];
  /** `(chunks,)` start of each chunk, s. */
  readonly starts: ArrayLike<number>;
  /** Actions per chunk, H. */
  readonly horizon: number;
  /** `(chunks, H)` 0 for steps that are not drawn; default all are. */
  readonly mask?: ArrayLike<number>;
  /** Truth, prediction, baselines; later ones lie on top. */
  readonly series: readonly ChunkSeries[];
  /** Seconds per step; default 0.1. */
  readonly stepSeconds?: number;
}

const ROW_HEIGHT = 104, MARGIN = 130;

/**
 * Chunks over time: what was done, what was predicted at the start of each chunk, what a baseline
 * says. One row per dimension.
 *
 * @param input chunks and their times
 * @returns the figure
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { chunkOverlay } from "./mod.ts";
 *
 * const { data } = chunkOverlay({
 *   title: "one chunk",
 *   dimensions: ["dx"],
 *   units: ["mm"],
 *   starts: [3],
 *   horizon: 2,
 *   series: [{ name: "truth", role: "truth", values: [0.1, 0.2] }],
 * });
 * assert.deepEqual(data[0]!.y, [0.1, 0.2, null]); // null: the next chunk is another line
 * ```
 */
export function chunkOverlay(input: ChunkOverlayInput): Figure {
  const { dimensions, units, series } = input;
  const rows = dimensions.flatMap((_, d) => units[d] === "1" ? [] : [d]);
  return stackedFigure(
    { title: { text: input.title }, height: MARGIN + ROW_HEIGHT * rows.length },
    { title: { text: "time (s)" } },
    rows.map((dimension) => {
      const unit = units[dimension] === "" ? "" : ` (${units[dimension]})`;
      return {
        y: { title: { text: `${dimensions[dimension]}${unit}` } },
        traces: series.map((one): ScatterTrace => ({
          type: "scatter",
          mode: "lines",
          name: one.name,
          legendgroup: one.name,
          ...strokeOf(one.role),
          ...points(input, one.values, dimension),
        })),
      };
    }),
  );
}

/** The truth is a pale band, on which the policy's thin line can be seen to lie. */
function strokeOf(role: SeriesRole): Pick<ScatterTrace, "line" | "marker" | "opacity"> {
  const { line } = styleOf(role);
  return role === "truth"
    ? { line: { ...line, width: 7 }, marker: { size: 11 }, opacity: 0.32 }
    : { line: { ...line, width: role === "policy" ? 2.2 : 1.6 } };
}

/** One line per chunk: null interrupts. */
function points(
  { starts, horizon, dimensions, mask, stepSeconds = 0.1 }: ChunkOverlayInput,
  values: ArrayLike<number>,
  dimension: number,
): { x: number[]; y: (number | null)[] } {
  const x: number[] = [], y: (number | null)[] = [];
  for (let chunk = 0; chunk < starts.length; chunk++) {
    for (let step = 0; step <= horizon; step++) {
      const at = chunk * horizon + step;
      const isDrawn = step < horizon && (mask === undefined || mask[at] === 1);
      const value = isDrawn ? values[at * dimensions.length + dimension]! : null;
      x.push(Number((starts[chunk]! + Math.min(step, horizon - 1) * stepSeconds).toFixed(6)));
      y.push(value === null || !Number.isFinite(value) ? null : value);
    }
  }
  return { x, y };
}
