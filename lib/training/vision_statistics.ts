import type { trocar } from "../policies/mod.ts";

/**
 * Statistics of visual features, in one pass: Welford's method in float64, feature by feature.
 *
 * Welford, Note on a Method for Calculating Corrected Sums of Squares and Products, Technometrics 4, 1962.
 *
 * @param batches Tokens of the training samples without padding, `(N, width)` each; more than once where
 * samples share them.
 * @param width Features of a token.
 * @returns Mean of each feature; root mean square of those that vary, about their means, 0 if none does.
 * @throws {RangeError} If there are no tokens, a batch has another width, or a feature is not finite.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { visionStatistics } from "./vision_statistics.ts";
 *
 * const { mean, std } = await visionStatistics([Float32Array.of(1, 5, 3, 5)], 2);
 * assert.deepEqual(mean, [2, 5]);
 * assert.equal(std, 1); // the second feature does not vary
 * ```
 */
export async function visionStatistics(
  batches: Iterable<Float32Array> | AsyncIterable<Float32Array>,
  width: number,
): Promise<trocar.VisionStatistics> {
  const mean = new Float64Array(width), squares = new Float64Array(width);
  let count = 0;
  for await (const batch of batches) {
    if (batch.length % width !== 0) {
      refuse(`a batch must be rows of ${width} features`, `${batch.length} values`);
    }
    for (let start = 0; start < batch.length; start += width) {
      count++;
      for (let i = 0; i < width; i++) {
        const difference = batch[start + i]! - mean[i]!;
        mean[i]! += difference / count;
        squares[i]! += difference * (batch[start + i]! - mean[i]!);
      }
    }
  }
  if (count === 0) refuse("there must be at least one token", "none");
  const broken = mean.findIndex((value) => !Number.isFinite(value));
  if (broken >= 0) refuse("features must be finite", `${mean[broken]} at feature ${broken}`);
  const varying = squares.filter((sum) => sum > 0);
  const total = varying.reduce((sum, each) => sum + each, 0);
  return {
    mean: [...mean],
    std: varying.length === 0 ? 0 : Math.sqrt(total / (count * varying.length)),
  };
}

function refuse(expected: string, value: string): never {
  throw new RangeError(
    `Cannot compute statistics of visual features: ${expected}, current value is ${value}`,
  );
}
