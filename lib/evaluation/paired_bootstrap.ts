import { quantileSorted } from "../datasets/quantile.ts";
import { deriveKey, fillUniform } from "../engine/_philox.ts";
import type { ChunkPredictions } from "./chunk_predictions.ts";

/** How {@linkcode pairedBootstrap} draws. */
export interface PairedBootstrapOptions {
  /** Resamples. @default {2000} */
  readonly resamples?: number;
  /** Seed of the draws. @default {0} */
  readonly seed?: number;
  /** Share of the resamples that the interval holds. @default {0.95} */
  readonly confidence?: number;
}

/** Difference of two policies on the same windows. */
export interface PairedBootstrap {
  /** RMSE of the first. */
  readonly rmse: number;
  /** RMSE of the second. */
  readonly otherRmse: number;
  /** RMSE of the second minus that of the first: above 0 the first is better. */
  readonly difference: number;
  /** Lower end of the interval of the difference. */
  readonly low: number;
  /** Upper end. */
  readonly high: number;
  /** Episodes that were resampled: of fewer than about ten the interval is too narrow. */
  readonly episodes: number;
}

/**
 * Is one policy better than another, or was it luck with these episodes? Whole episodes are drawn with
 * replacement, the same for both: windows of an episode overlap, and resampling them one by one would
 * claim a certainty that is not there. Errors are over the counted dimensions.
 *
 * Sources: Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, percentile interval; Field
 * and Welsh, "Bootstrapping clustered data", 2007.
 *
 * @param chunks predictions of the first policy
 * @param other predictions of the second on the same windows
 * @param options resamples, seed
 * @returns the difference of the RMSEs, with its interval
 * @throws {RangeError} if the windows are not the same, or an option is out of range
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { exampleChunks } from "./_example.ts";
 * import { pairedBootstrap } from "./paired_bootstrap.ts";
 *
 * const chunks = { ...exampleChunks(), episode: Int32Array.of(0, 0, 1, 1) };
 * const worse = { ...chunks, predicted: chunks.predicted.map((value) => value - 0.5) };
 * const { difference, low, high } = pairedBootstrap(chunks, worse);
 * assert(low > 0 && low <= difference && difference <= high);
 * ```
 */
export function pairedBootstrap(
  chunks: ChunkPredictions,
  other: ChunkPredictions,
  options: PairedBootstrapOptions = {},
): PairedBootstrap {
  const { resamples = 2000, seed = 0, confidence = 0.95 } = options;
  assertOptions(chunks, other, resamples, confidence);
  const episodes = [...new Set(chunks.episode)];
  const first = squaresOf(chunks, episodes), second = squaresOf(other, episodes);
  const uniforms = new Float32Array(episodes.length);
  const key = deriveKey(seed, "paired bootstrap");
  const differences = Float64Array.from({ length: resamples }, (_, draw) => {
    fillUniform(uniforms, key, draw);
    const drawn = Array.from(uniforms, (uniform) => Math.floor(uniform * episodes.length));
    return rmseOf(second, drawn) - rmseOf(first, drawn);
  }).sort();
  const every = [...episodes.keys()];
  const rmse = rmseOf(first, every), otherRmse = rmseOf(second, every);
  const tail = (1 - confidence) / 2;
  return {
    ...{ rmse, otherRmse, difference: otherRmse - rmse, episodes: episodes.length },
    low: quantileSorted(differences, tail),
    high: quantileSorted(differences, 1 - tail),
  };
}

/** Squared errors of an episode, and how many there are. */
interface Squares {
  sum: number;
  count: number;
}

function squaresOf(chunks: ChunkPredictions, episodes: readonly number[]): Squares[] {
  const { windows, horizon, dimensions, counted, mask, predicted, truth, episode } = chunks;
  const squares = new Map(episodes.map((number) => [number, { sum: 0, count: 0 }]));
  for (let row = 0; row < windows * horizon; row++) {
    if (mask[row] === 0) continue;
    const own = squares.get(episode[Math.floor(row / horizon)]!)!;
    for (const d of counted) {
      own.sum += (predicted[row * dimensions.length + d]! - truth[row * dimensions.length + d]!) **
        2;
    }
    own.count += counted.length;
  }
  return [...squares.values()];
}

function rmseOf(squares: readonly Squares[], drawn: readonly number[]): number {
  let sum = 0, count = 0;
  for (const episode of drawn) {
    sum += squares[episode]!.sum;
    count += squares[episode]!.count;
  }
  return Math.sqrt(sum / count);
}

function assertOptions(
  chunks: ChunkPredictions,
  other: ChunkPredictions,
  resamples: number,
  confidence: number,
): void {
  const isSame = (a: ArrayLike<number>, b: ArrayLike<number>) =>
    a.length === b.length && Array.prototype.every.call(a, (value, i) => value === b[i]);
  if (!isSame(chunks.truth, other.truth) || !isSame(chunks.episode, other.episode)) {
    throw new RangeError(
      `Cannot compare policies: both must predict the same windows, current values are ` +
        `${chunks.windows} and ${other.windows} windows with other truths or episodes.`,
    );
  }
  if (!(Number.isSafeInteger(resamples) && resamples >= 1 && confidence > 0 && confidence < 1)) {
    throw new RangeError(
      `Cannot bootstrap: resamples must be a positive integer and confidence between 0 and 1, ` +
        `current values are ${resamples} and ${confidence}. Use 2000 and 0.95`,
    );
  }
}
