import { PathErrors } from "./_path_error.ts";
import type { ChunkPredictions } from "./chunk_predictions.ts";
import { predictionOf, truthOf } from "./error_summary.ts";

/** A window that was predicted badly. */
export interface WorstWindow {
  /** Its number. */
  readonly window: number;
  /** Number of its episode. */
  readonly episode: number;
  /** Its start, s since that of the episode; NaN if it is not known. */
  readonly time: number;
  /** RMSE over its recorded steps and the counted dimensions. */
  readonly rmse: number;
  /** Distance of the ends of the integrated chunks, mm; NaN if the units are others. */
  readonly path: number;
}

/**
 * The windows that are predicted worst. Neighbours overlap and are bad together: of an episode's
 * windows that are less than a chunk apart only the worst is listed.
 *
 * @param chunks predictions and truth
 * @param options `count`, default 5; `apart`: windows between two that are listed, default the horizon
 * @returns at most so many, the worst first
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { exampleChunks } from "./_example.ts";
 * import { worstWindows } from "./worst_windows.ts";
 *
 * const chunks = exampleChunks();
 * chunks.predicted[2 * 2 * 3] = 9; // window 2
 * assert.deepEqual(worstWindows(chunks).map(({ window }) => window), [2, 0]);
 * ```
 */
export function worstWindows(
  chunks: ChunkPredictions,
  options: { readonly count?: number; readonly apart?: number } = {},
): WorstWindow[] {
  const { windows, horizon, episode, time } = chunks;
  const { count = 5, apart = horizon } = options;
  const truth = truthOf(chunks), predicted = predictionOf(chunks);
  const paths = new PathErrors(chunks);
  const all = Array.from({ length: windows }, (_, window): WorstWindow => {
    let sum = 0, values = 0;
    for (let step = 0; step < horizon; step++) {
      if (chunks.mask[window * horizon + step] === 0) continue;
      for (const d of chunks.counted) {
        sum += (predicted(window, step, d) - truth(window, step, d)) ** 2;
        values++;
      }
    }
    return {
      ...{ window, episode: episode[window]!, time: time?.[window] ?? NaN },
      rmse: Math.sqrt(sum / values),
      path: paths.hasDistance ? paths.of(window, predicted, truth).distance : NaN,
    };
  }).sort((a, b) => b.rmse - a.rmse || a.window - b.window);
  const listed: WorstWindow[] = [];
  for (const each of all) {
    if (listed.length === count) break;
    const isNear = listed.some((other) =>
      other.episode === each.episode && Math.abs(other.window - each.window) < apart
    );
    if (!isNear) listed.push(each);
  }
  return listed;
}
