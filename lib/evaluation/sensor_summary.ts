import { sampleBatches } from "../datasets/_sample_batches.ts";
import type { EpisodeDataset } from "../datasets/episode_dataset.ts";
import { SENSOR_DIM } from "../datasets/window.ts";

/** Points, one for each sample. */
export interface Embedding {
  /** `(n, d)` row by row. */
  readonly values: Float32Array<ArrayBuffer>;
  /** d. */
  readonly dimensions: number;
}

/**
 * What can be said of a sensor window without a policy: the mean force, its change from the first to
 * the second half of the window, and the mean A-line in bands of depth. A learned embedding should
 * know more.
 *
 * @param dataset samples with a sensor window
 * @param options `bands` of depth, default 16
 * @returns `(S, 2 + bands)`, raw units
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { EpisodeDataset } from "../datasets/mod.ts";
 * import { sensorSummary } from "./sensor_summary.ts";
 *
 * assert.equal(sensorSummary(new EpisodeDataset([]), { bands: 8 }).dimensions, 10);
 * ```
 */
export function sensorSummary(
  dataset: EpisodeDataset,
  options: { readonly bands?: number } = {},
): Embedding {
  const { bands = 16 } = options, dimensions = 2 + bands, depths = SENSOR_DIM - 1;
  const values = new Float32Array(dataset.length * dimensions);
  for (const { start, batch } of sampleBatches(dataset)) {
    const rows = batch.sensorMask.length / batch.size;
    for (let b = 0; b < batch.size; b++) {
      const sums = new Float64Array(dimensions), counts = new Float64Array(dimensions);
      const halves = new Float64Array(2), inHalf = new Float64Array(2);
      for (let row = 0; row < rows; row++) {
        if (batch.sensorMask[b * rows + row] === 0) continue;
        const at = (b * rows + row) * SENSOR_DIM, half = row < rows / 2 ? 0 : 1;
        const force = batch.sensor[at]!;
        sums[0]! += force;
        counts[0]! += 1;
        halves[half]! += force;
        inHalf[half]! += 1;
        for (let depth = 0; depth < depths; depth++) {
          const band = 2 + Math.floor(depth * bands / depths);
          sums[band]! += batch.sensor[at + 1 + depth]!;
          counts[band]! += 1;
        }
      }
      const target = (start + b) * dimensions;
      sums.forEach((sum, d) => values[target + d] = counts[d]! > 0 ? sum / counts[d]! : 0);
      const isWhole = inHalf[0]! > 0 && inHalf[1]! > 0;
      values[target + 1] = isWhole ? halves[1]! / inHalf[1]! - halves[0]! / inHalf[0]! : 0;
    }
  }
  return { values, dimensions };
}
