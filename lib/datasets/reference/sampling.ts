/** Data sets that are drawn from with a common weight per sample. */
export interface WeightedGroup {
  /** Samples. */
  readonly count: number;
  /** Weight of each. */
  readonly weight: number;
}

/**
 * What drawing with replacement in proportion to the weights, as the reference does, leads to.
 *
 * @param groups the data sets
 * @param draws per epoch; default as many as there are samples
 * @returns for each group its expected share of the draws, and the probability that one of its
 * samples is not drawn at all: (1 − w/Σw)^draws
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { weightedDraws } from "./sampling.ts";
 *
 * const [once, thrice] = weightedDraws([{ count: 10, weight: 1 }, { count: 10, weight: 3 }]);
 * assert.equal(once!.share, 0.25);
 * assert(thrice!.unseen < once!.unseen);
 * ```
 */
export function weightedDraws(
  groups: readonly WeightedGroup[],
  draws: number = groups.reduce((sum, { count }) => sum + count, 0),
): { share: number; unseen: number }[] {
  const total = groups.reduce((sum, { count, weight }) => sum + count * weight, 0);
  return groups.map(({ count, weight }) => ({
    share: count * weight / total,
    unseen: (1 - weight / total) ** draws,
  }));
}

/**
 * The samples that one of several processes gets from PyTorch's `DistributedSampler` without shuffle:
 * the list is filled from its start to a multiple of the processes, and each takes every world-th.
 *
 * @param length of the data set
 * @param world number of processes
 * @param rank of this one, 0 … world − 1
 * @returns the samples
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { distributedSamples } from "./sampling.ts";
 *
 * assert.deepEqual([...distributedSamples(10, 4, 3)], [3, 7, 1]);
 * ```
 */
export function distributedSamples(length: number, world: number, rank: number): Int32Array {
  return Int32Array.from(
    { length: Math.ceil(length / world) },
    (_, k) => (rank + k * world) % length,
  );
}
