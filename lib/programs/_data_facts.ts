/** What a summary and a plan say of the data. */
import type { GroupShare } from "../datasets/mod.ts";
import type { TrainingData } from "../training/mod.ts";

/** Episodes, samples, and how the collections share the first epoch. */
export function dataFacts(
  { training, validation }: TrainingData,
  shares: readonly GroupShare[],
) {
  return {
    episodes: {
      train: training.dataset.episodes.length,
      val: validation?.dataset.episodes.length ?? 0,
    },
    samples: { train: training.dataset.length, val: validation?.dataset.length ?? 0 },
    groups: shares.map(({ name, weight, requested, realised, samples }) => ({
      ...{ name, weight, requestedShare: requested, realisedShare: realised, samples },
    })),
  };
}
