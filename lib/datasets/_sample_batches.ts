import { type Batch, createBatch } from "./batch.ts";
import type { EpisodeDataset } from "./episode_dataset.ts";

/** Samples that lie side by side in a data set. */
export interface SampleBatch {
  /** Number of the first. */
  readonly start: number;
  /** Numbers of all. */
  readonly index: readonly number[];
  /** What is read of them; memory of its own. */
  readonly batch: Batch;
}

/** All samples of a data set, in order; the last batch may be smaller. */
export function* sampleBatches(dataset: EpisodeDataset, batchSize = 64): Generator<SampleBatch> {
  for (let start = 0; start < dataset.length; start += batchSize) {
    const size = Math.min(batchSize, dataset.length - start);
    const index = Array.from({ length: size }, (_, i) => start + i);
    yield { start, index, batch: dataset.readBatch(index, createBatch(size, dataset)) };
  }
}
