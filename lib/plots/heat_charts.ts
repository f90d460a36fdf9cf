import { compact, extentOf } from "./_compact.ts";
import type { Figure } from "./figure.ts";
import { HEAT_SCALE } from "./palette.ts";

/** What {@linkcode mMode} draws. */
export interface MModeInput {
  /** `(n,)` ascending times, s. */
  readonly time: ArrayLike<number>;
  /** `(n, depths)` A-scans, one after the other. */
  readonly values: ArrayLike<number>;
  /** Samples of an A-scan. */
  readonly depths: number;
  /** Time that becomes 0, s; default the first. */
  readonly origin?: number;
  /** Mean A-scan, of finite samples, subtracted from each, so that standing echoes vanish; default false. */
  readonly removeBackground?: boolean;
  /** Heading; default "A-scans over time (M-mode)". */
  readonly title?: string;
}

const MOST_COLUMNS = 240, MOST_ROWS = 128;

/**
 * A-scans over time, depth downwards. The axis is time, not the number of the sample: where nothing
 * was recorded stays empty. Of more samples than pixels the strongest echo of each is drawn.
 *
 * @param input A-scans and their times
 * @returns the figure
 * @throws {RangeError} if the values are not a multiple of the A-scan's length
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { mMode } from "./mod.ts";
 *
 * const { data } = mMode({ time: [5, 6], depths: 3, values: [0, 9, 0, 0, 0, 9] });
 * assert(data[0]!.type === "heatmap");
 * assert.deepEqual(data[0]!.z, [[0, 0], [9, 0], [0, 9]]);
 * ```
 */
export function mMode(input: MModeInput): Figure {
  const { time, values, depths, removeBackground = false } = input, n = time.length;
  if (values.length !== n * depths || n === 0) {
    throw new RangeError(
      `Cannot draw A-scans: there must be ${n} × ${depths} values of at least one, current value is ` +
        `${values.length}.`,
    );
  }
  const origin = input.origin ?? time[0]!;
  const columns = Math.min(MOST_COLUMNS, n), rows = Math.min(MOST_ROWS, depths);
  const width = n > 1 ? (time[n - 1]! - time[0]!) / (columns > 1 ? columns - 1 : 1) : 1;
  const grid = new Float64Array(rows * columns).fill(-Infinity);
  const background = removeBackground ? meanScan(values, n, depths) : undefined;
  for (let i = 0; i < n; i++) {
    const column = Math.min(columns - 1, Math.round((time[i]! - time[0]!) / width));
    for (let d = 0; d < depths; d++) {
      const value = values[i * depths + d]! - (background?.[d] ?? 0);
      const cell = Math.floor(d * rows / depths) * columns + column;
      if (value > grid[cell]!) grid[cell] = value;
    }
  }
  const [low, high] = extentOf(grid);
  return {
    data: [{
      type: "heatmap",
      x: compact(Array.from({ length: columns }, (_, c) => time[0]! - origin + c * width)),
      y: compact(Array.from({ length: rows }, (_, r) => (r + 0.5) * depths / rows - 0.5)),
      z: Array.from(
        { length: rows },
        (_, r) =>
          Array.from(
            grid.subarray(r * columns, (r + 1) * columns),
            (value) => Number.isFinite(value) ? Number(value.toPrecision(3)) : null,
          ),
      ),
      zmin: Number(low.toPrecision(3)),
      zmax: Number((high > low ? high : low + 1).toPrecision(3)),
      colorscale: HEAT_SCALE,
      colorbar: { title: { text: removeBackground ? "echo − mean (raw)" : "echo (raw)" } },
    }],
    layout: {
      title: { text: input.title ?? "A-scans over time (M-mode)" },
      height: 400,
      xaxis: {
        title: { text: "time (s)" },
        range: range(time[0]! - origin - width / 2, time[0]! - origin + (columns - 0.5) * width),
      },
      yaxis: { title: { text: "depth (sample)" }, range: [depths - 0.5, -0.5] },
    },
  };
}

function meanScan(values: ArrayLike<number>, n: number, depths: number): Float64Array {
  const sums = new Float64Array(depths), counts = new Uint32Array(depths);
  for (let i = 0; i < n * depths; i++) {
    if (!Number.isFinite(values[i]!)) continue;
    const depth = i % depths;
    sums[depth] = sums[depth]! + values[i]!;
    counts[depth] = counts[depth]! + 1;
  }
  return sums.map((sum, depth) => sum / Math.max(1, counts[depth]!));
}

function range(low: number, high: number): [number, number] {
  return [Number(low.toPrecision(6)), Number(high.toPrecision(6))];
}

/**
 * How often each class was taken for each other: rows are what is true, columns what was said.
 *
 * @param names `(C,)` of the classes
 * @param counts `(C, C)` row by row; what is not finite is shown as –
 * @param options `title`, default "Confusion"
 * @returns the figure, coloured by the share of each row
 * @throws {RangeError} if the counts are not as many as the names ask for
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { confusionMatrix } from "./mod.ts";
 *
 * const { data } = confusionMatrix(["free", "contact"], [338, 3, 9, 50]);
 * assert(data[0]!.type === "heatmap");
 * assert.deepEqual(data[0]!.text, [["338", "3"], ["9", "50"]]);
 * ```
 */
export function confusionMatrix(
  names: readonly string[],
  counts: ArrayLike<number>,
  options: { readonly title?: string } = {},
): Figure {
  const n = names.length;
  if (counts.length !== n * n) {
    throw new RangeError(
      `Cannot draw a confusion matrix: ${n} classes need ${n * n} counts, current value is ` +
        `${counts.length}.`,
    );
  }
  const rows = names.map((_, r) => Array.from({ length: n }, (_, c) => counts[r * n + c]!));
  const places = names.map((_, i) => i);
  const axis = { tickvals: places, ticktext: names };
  return {
    data: [{
      type: "heatmap",
      x: places,
      y: places,
      z: rows.map((row) => {
        const sum = row.filter(Number.isFinite).reduce((a, b) => a + b, 0);
        return row.map((count) =>
          sum === 0 || !Number.isFinite(count) ? null : Number((count / sum).toPrecision(4))
        );
      }),
      zmin: 0,
      zmax: 1,
      colorscale: HEAT_SCALE,
      colorbar: { title: { text: "share of the row" } },
      text: rows.map((row) => row.map((count) => Number.isFinite(count) ? String(count) : "–")),
      texttemplate: "%{text}",
    }],
    layout: {
      title: { text: options.title ?? "Confusion" },
      width: 520,
      height: 420,
      xaxis: { ...axis, title: { text: "said" }, range: [-0.5, n - 0.5] },
      yaxis: { ...axis, title: { text: "true" }, range: [n - 0.5, -0.5], automargin: true },
    },
  };
}
