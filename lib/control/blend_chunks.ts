/** Which action is due, when several chunks have something to say about it. */

/** A chunk with the time of what it was predicted from. */
export interface TimedChunk {
  /** When its first action begins, s. */
  readonly start: number;
  /** `(H·A)` one action for each period. */
  readonly actions: ArrayLike<number>;
}

/** Options of {@linkcode blendChunks}. */
export interface BlendOptions {
  /**
   * Values of an action, A.
   * @default {7}
   */
  readonly actionDim?: number;
  /**
   * How long an action takes, s.
   * @default {0.1}
   */
  readonly periodSeconds?: number;
  /**
   * An action that was predicted i periods ahead has the weight exp(−decay · i).
   * @default {0.1}
   */
  readonly decay?: number;
}

/** Times are this exact, in periods. */
const ROUNDING = 1e-6;

/**
 * The action for a moment: the weighted mean of what all chunks that reach over it say about it. Each
 * chunk is read at the place that belongs to the time, so that the time which inference took is made
 * up for, and a chunk that nobody renewed ends by itself. Differences of angles are small and are
 * averaged as numbers.
 *
 * Method: Zhao, Kumar, Levine and Finn, "Learning fine-grained bimanual manipulation with low-cost
 * hardware" (temporal ensembling), 2023; here newer chunks weigh more.
 *
 * @param chunks in any order
 * @param time of the action, s
 * @param options size of an action, its duration, decay
 * @returns `(A)` the action; null if no chunk reaches over the time
 * @throws {RangeError} when a chunk is no whole number of actions
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { blendChunks } from "./mod.ts";
 *
 * const chunks = [{ start: 0, actions: [1, 2, 3] }, { start: 0.1, actions: [4, 5, 6] }];
 * const blend = (time: number) => blendChunks(chunks, time, { actionDim: 1, decay: 0 });
 * assert.deepEqual([0, 0.1, 0.3, 0.4].map((time) => blend(time)?.[0]), [1, 3, 6, undefined]);
 * ```
 */
export function blendChunks(
  chunks: readonly TimedChunk[],
  time: number,
  options: BlendOptions = {},
): Float64Array | null {
  const { actionDim = 7, periodSeconds = 0.1, decay = 0.1 } = options;
  const sum = new Float64Array(actionDim);
  let weights = 0;
  for (const { start, actions } of chunks) {
    const horizon = actions.length / actionDim;
    if (!Number.isInteger(horizon)) {
      throw new RangeError(
        `Cannot blend chunks: each must hold ${actionDim} values per action, current value is ` +
          `${actions.length} values.`,
      );
    }
    const step = Math.floor((time - start) / periodSeconds + ROUNDING);
    if (!(step >= 0 && step < horizon)) continue;
    const weight = Math.exp(-decay * step);
    for (let d = 0; d < actionDim; d++) {
      sum[d] = sum[d]! + weight * actions[step * actionDim + d]!;
    }
    weights += weight;
  }
  return weights === 0 ? null : sum.map((value) => value / weights);
}
