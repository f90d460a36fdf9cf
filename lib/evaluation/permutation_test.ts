import { deriveKey, fillUniform } from "../engine/_philox.ts";
import type { ChunkPredictions } from "./chunk_predictions.ts";

/** How the test is done. */
export interface PermutationTestOptions {
  /** Seed of the permutations; default 0. */
  readonly seed?: number;
  /** Number of permutations; default 199. */
  readonly permutations?: number;
}

/** Whether a policy follows what it sees. */
export interface PermutationTest {
  /** Permutations drawn. */
  readonly permutations: number;
  /** Seed they were drawn with. */
  readonly seed: number;
  /** RMSE with the labels in place. */
  readonly rmse: number;
  /** Mean RMSE with labels of other moments. */
  readonly permutedRmse: number;
  /**
   * Share of permutations, the true order among them, that fit the predictions as well: small if the
   * policy follows the moment, near 1 if any other label would do.
   */
  readonly pValue: number;
}

/**
 * Label-permutation test: would labels of other moments fit the predictions as well? They do if the
 * policy does not use its inputs. The labels of each episode are shifted cyclically by a random
 * number of windows, which keeps their smoothness in time; a free shuffle of overlapping windows would
 * take smoothness for skill. Errors are over the counted dimensions.
 *
 * Sources: Phipson and Smyth, "Permutation P-values should never be zero", 2010; on why series must
 * be shifted, not shuffled: Harris, "Nonsense correlations in neuroscience", 2020.
 *
 * @param chunks predictions and truth; windows of an episode in order of time
 * @param options seed and number of permutations
 * @returns p = (1 + permutations at least as good) / (1 + permutations)
 * @throws {RangeError} if the number of permutations is not a positive integer
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { exampleChunks } from "./_example.ts";
 * import { permutationTest } from "./permutation_test.ts";
 *
 * const chunks = exampleChunks();
 * const constant = { ...chunks, predicted: new Float64Array(chunks.truth.length).fill(1) };
 * assert.equal(permutationTest(constant).pValue, 1);
 * assert(permutationTest(chunks).pValue < 0.6); // four windows cannot show more
 * ```
 */
export function permutationTest(
  chunks: ChunkPredictions,
  options: PermutationTestOptions = {},
): PermutationTest {
  const { seed = 0, permutations = 199 } = options;
  if (!Number.isSafeInteger(permutations) || permutations < 1) {
    throw new RangeError(
      `Cannot test: permutations must be a positive integer, current value is ${permutations}. ` +
        `Use 199`,
    );
  }
  const episodes = episodeRanges(chunks.episode);
  const uniforms = new Float32Array(episodes.length);
  const key = deriveKey(seed, "label permutation");
  const order = new Int32Array(chunks.windows);
  for (let i = 0; i < order.length; i++) order[i] = i;
  const rmse = permutedRmse(chunks, order);
  let sum = 0, asGood = 0;
  for (let draw = 0; draw < permutations; draw++) {
    fillUniform(uniforms, key, draw);
    episodes.forEach(({ start, end }, e) => {
      const count = end - start, shift = Math.floor(uniforms[e]! * count);
      for (let i = 0; i < count; i++) order[start + i] = start + (i + shift) % count;
    });
    const permuted = permutedRmse(chunks, order);
    sum += permuted;
    // Equal but for the order of summation counts as equal.
    if (permuted <= rmse * (1 + 1e-9)) asGood++;
  }
  return {
    permutations,
    seed,
    rmse,
    permutedRmse: sum / permutations,
    pValue: (1 + asGood) / (1 + permutations),
  };
}

/** RMSE of window i's prediction against the label of window `order[i]`. */
function permutedRmse(
  { predicted, truth, mask, horizon, dimensions, counted }: ChunkPredictions,
  order: Int32Array,
): number {
  const width = dimensions.length;
  let sum = 0, count = 0;
  for (let window = 0; window < order.length; window++) {
    for (let step = 0; step < horizon; step++) {
      const label = order[window]! * horizon + step, at = window * horizon + step;
      if (mask[label] === 0) continue;
      for (const d of counted) {
        const error = predicted[at * width + d]! - truth[label * width + d]!;
        sum += error * error;
      }
      count += counted.length;
    }
  }
  return Math.sqrt(sum / count);
}

function episodeRanges(episode: Int32Array): { start: number; end: number }[] {
  const ranges: { start: number; end: number }[] = [];
  for (let start = 0; start < episode.length;) {
    let end = start + 1;
    while (end < episode.length && episode[end] === episode[start]) end++;
    ranges.push({ start, end });
    start = end;
  }
  return ranges;
}
