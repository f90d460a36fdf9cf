import type { ChunkPredictions } from "./chunk_predictions.ts";
import { averageDraws } from "./policy_predictions.ts";

/** Windows in which the draws lie about equally far apart. */
export interface CalibrationBin {
  /** Windows. */
  readonly windows: number;
  /** Root mean square spread of the draws. */
  readonly spread: number;
  /** RMSE of the mean draw that such a spread promises: spread · √(1 + 1/K). */
  readonly expected: number;
  /** RMSE of the mean draw. */
  readonly rmse: number;
}

/** Whether a policy that draws knows how uncertain it is. */
export interface Calibration {
  /** Draws of each window, K. */
  readonly draws: number;
  /** Bins of equally many windows, smallest spread first. */
  readonly bins: readonly CalibrationBin[];
  /** All windows together. */
  readonly all: CalibrationBin;
  /** Errors as large as the spread promises give 1, a policy that is too sure more. */
  readonly ratio: number;
  /** Pearson correlation of the windows' spreads and errors; NaN if one does not vary. */
  readonly correlation: number;
  /** Share of the recorded values that lie between the smallest and the largest draw. */
  readonly covered: number;
  /** That share if the record were one more draw: (K − 1) / (K + 1). */
  readonly expectedCovered: number;
}

/**
 * Spread against error: of a calibrated policy the record is like one more draw, so that its draws
 * lie as far apart as their mean is off. Over the counted dimensions and all recorded steps.
 *
 * Sources: Fortin et al., "Why should ensemble spread match the RMSE of the ensemble mean?", 2014, for
 * √(1 + 1/K); Hamill, "Interpretation of rank histograms for verifying ensemble forecasts", 2001, for
 * the share between the extreme draws.
 *
 * @param draws of the same windows, at least 2
 * @param options `bins`, default 5
 * @returns spread and error in bins, and in all
 * @throws {RangeError} if there are fewer than two draws, or fewer windows than bins
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { exampleChunks } from "./_example.ts";
 * import { calibration } from "./calibration.ts";
 *
 * const chunks = exampleChunks(); // says the same twice, but is off by 0.1 mm in dx: too sure
 * const { ratio, all } = calibration([chunks, chunks], { bins: 2 });
 * assert.equal(all.spread, 0);
 * assert.equal(ratio, Infinity);
 * ```
 */
export function calibration(
  draws: readonly ChunkPredictions[],
  options: { readonly bins?: number } = {},
): Calibration {
  const { bins = 5 } = options, [first] = draws;
  if (first === undefined || draws.length < 2 || !(bins >= 1 && bins <= first.windows)) {
    throw new RangeError(
      `Cannot calibrate: there must be at least 2 draws and as many windows as bins, current ` +
        `values are ${draws.length} draws, ${first?.windows ?? 0} windows and ${bins} bins.`,
    );
  }
  const measured = measureWindows(first, draws);
  const order = Array.from(measured.keys())
    .sort((a, b) => measured[a]!.variance - measured[b]!.variance || a - b)
    .map((i) => measured[i]!);
  const parts = Array.from({ length: bins }, (_, bin) => {
    const at = (part: number) => Math.round(part * order.length / bins);
    return binOf(order.slice(at(bin), at(bin + 1)), draws.length);
  });
  const all = binOf(measured, draws.length);
  const values = measured.reduce((sum, { count }) => sum + count, 0);
  return {
    draws: draws.length,
    bins: parts,
    all,
    ratio: all.rmse / all.expected,
    correlation: correlate(
      measured.map(({ variance }) => Math.sqrt(variance)),
      measured.map(({ squared }) => Math.sqrt(squared)),
    ),
    covered: measured.reduce((sum, { inside }) => sum + inside, 0) / values,
    expectedCovered: (draws.length - 1) / (draws.length + 1),
  };
}

/** One window: means over its recorded values. */
interface MeasuredWindow {
  readonly count: number;
  readonly variance: number;
  readonly squared: number;
  readonly inside: number;
}

function measureWindows(
  first: ChunkPredictions,
  draws: readonly ChunkPredictions[],
): MeasuredWindow[] {
  const { windows, horizon, dimensions, counted, mask, truth } = first;
  const mean = averageDraws(draws).predicted, width = dimensions.length;
  return Array.from({ length: windows }, (_, window) => {
    let count = 0, variance = 0, squared = 0, inside = 0;
    for (let step = 0; step < horizon; step++) {
      if (mask[window * horizon + step] === 0) continue;
      for (const d of counted) {
        const at = (window * horizon + step) * width + d;
        let squares = 0, low = Infinity, high = -Infinity;
        for (const { predicted } of draws) {
          const value = predicted[at]!;
          squares += (value - mean[at]!) ** 2;
          low = Math.min(low, value);
          high = Math.max(high, value);
        }
        variance += squares / (draws.length - 1);
        squared += (mean[at]! - truth[at]!) ** 2;
        if (low <= truth[at]! && truth[at]! <= high) inside++;
        count++;
      }
    }
    return { count, variance: variance / count, squared: squared / count, inside };
  });
}

function binOf(windows: readonly MeasuredWindow[], draws: number): CalibrationBin {
  const count = windows.reduce((sum, window) => sum + window.count, 0);
  const mean = (of: (window: MeasuredWindow) => number) =>
    windows.reduce((sum, window) => sum + window.count * of(window), 0) / count;
  const spread = Math.sqrt(mean(({ variance }) => variance));
  return {
    windows: windows.length,
    spread,
    expected: spread * Math.sqrt(1 + 1 / draws),
    rmse: Math.sqrt(mean(({ squared }) => squared)),
  };
}

function correlate(a: readonly number[], b: readonly number[]): number {
  const mean = (values: readonly number[]) => values.reduce((x, y) => x + y, 0) / values.length;
  const [ma, mb] = [mean(a), mean(b)];
  const product = (x: readonly number[], mx: number, y: readonly number[], my: number) =>
    x.reduce((sum, value, i) => sum + (value - mx) * (y[i]! - my), 0);
  return product(a, ma, b, mb) / Math.sqrt(product(a, ma, a, ma) * product(b, mb, b, mb));
}
