import type { Policy } from "../control/mod.ts";
import { SequentialOrder } from "../datasets/mod.ts";
import { type ChunkPredictions, predictDataset, type WindowFlags } from "../evaluation/mod.ts";
import { type DataPart, type LoadedBatch, Loader } from "../training/mod.ts";

/** Most windows that a policy is asked about at once. */
const BATCH = 64;

/** How the predictions are made. */
export interface OpenLoopOptions {
  /** `(7)` mean action of the training episodes, mm and degrees. */
  readonly meanAction: ArrayLike<number>;
  /** Called after each batch. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Stops between batches. */
  readonly signal?: AbortSignal;
}

/**
 * What a policy predicts at each sample, beside what was recorded.
 *
 * @param policy the policy
 * @param part samples and their features
 * @param options mean action, progress
 * @returns predictions and what is known of each window
 */
export async function openLoopPredictions(
  policy: Policy,
  { dataset, features }: DataPart,
  options: OpenLoopOptions,
): Promise<{ chunks: ChunkPredictions; flags: WindowFlags }> {
  await using loader = new Loader(dataset, new SequentialOrder(dataset.length), {
    ...{ batchSize: Math.min(BATCH, dataset.length), features },
  });
  return await predictDataset<LoadedBatch>(dataset, (batch) => policy.predict(batch), {
    ...{ ...options, batches: loader.batches(0) },
  });
}
