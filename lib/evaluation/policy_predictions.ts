import type { Policy } from "../control/open_policy.ts";
import { sampleBatches } from "../datasets/_sample_batches.ts";
import type { Batch } from "../datasets/batch.ts";
import type { EpisodeDataset } from "../datasets/episode_dataset.ts";
import type { FeatureBatch } from "../features/mod.ts";
import type { ChunkPredictions, WindowFlags } from "./chunk_predictions.ts";
import { predictDataset, type PredictDatasetOptions } from "./predict_dataset.ts";

/** Samples and what was seen of them; `openDataPart` of `trocar/training` gives such. */
export interface SeenDataset {
  /** The samples. */
  readonly dataset: EpisodeDataset;
  /** Their visual features. */
  readonly features: { readBatch(indices: ArrayLike<number>): Promise<FeatureBatch> };
}

/** How {@linkcode policyPredictions} asks. */
export interface PolicyPredictionsOptions
  extends Omit<PredictDatasetOptions<Batch>, "batches" | "batchSize"> {
  /** How often a policy that draws is asked about each window. @default {1} */
  readonly draws?: number;
  /** Most windows that the policy is asked about at once. @default {64} */
  readonly batchSize?: number;
}

/**
 * What a policy predicts at each sample, once or several times. The draws of a diffusion policy follow
 * from its seed, the number of the window and that of the draw alone.
 *
 * @param policy from `openPolicy`
 * @param part samples and their features
 * @param options mean action, number of draws
 * @returns each draw with the truth, and what is known of the windows
 * @throws {RangeError} if `draws` is not a positive integer, or the policy gives another number of values
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { EpisodeDataset } from "../datasets/mod.ts";
 * import { policyPredictions } from "./mod.ts";
 *
 * const dataset = new EpisodeDataset([{
 *   path: "/data/red/one",
 *   manifest: { name: "one", task: "red", instruction: "Insert the needle" },
 *   robotTime: Float64Array.of(0, 0.1),
 *   robotState: new Float32Array(2 * 12),
 *   action: new Float32Array(7),
 *   actionTime: Float64Array.of(0, 0.1),
 *   segment: new Int32Array(1),
 *   images: [],
 *   sensor: null,
 * }], { horizon: 1 });
 * const features = {
 *   readBatch: (indices: ArrayLike<number>) =>
 *     Promise.resolve({
 *       tokens: 1,
 *       values: new Float32Array(2048 * indices.length),
 *       tokenMask: new Uint8Array(indices.length).fill(1),
 *       viewMask: new Uint8Array(0),
 *       imageAge: new Float64Array(0),
 *     }),
 * };
 * const policy = { // says the number of its draw
 *   predict: ({ size, index }: { size: number; index?: ArrayLike<number> }) =>
 *     Promise.resolve(new Float32Array(size * 7).fill(index![0]!)),
 * };
 * const meanAction = new Float32Array(7);
 * const { draws } = await policyPredictions(policy, { dataset, features }, { meanAction, draws: 2 });
 * assert.deepEqual(draws.map(({ predicted }) => predicted[0]), [0, 1]);
 * ```
 */
export async function policyPredictions(
  policy: Pick<Policy, "predict">,
  { dataset, features }: SeenDataset,
  options: PolicyPredictionsOptions,
): Promise<{ draws: readonly ChunkPredictions[]; flags: WindowFlags }> {
  const { draws: count = 1, batchSize = 64, ...rest } = options;
  if (!(Number.isSafeInteger(count) && count > 0)) {
    throw new RangeError(
      `Cannot predict: draws must be a positive integer, current value is ${count}. Use 1, or 8`,
    );
  }
  const { length } = dataset;
  const further: Float32Array[][] = Array.from({ length: count - 1 }, () => []);
  const { chunks, flags } = await predictDataset<SeenBatch>(dataset, async (batch) => {
    const { index, size } = batch;
    const of = (draw: number) =>
      policy.predict({ ...batch, size, index: index.map((window) => window + draw * length) });
    const first = await of(0);
    for (const [k, values] of further.entries()) values.push(await of(k + 1));
    return first;
  }, { ...rest, batches: seenBatches(dataset, features, batchSize) });
  const others = further.map((blocks) => {
    const predicted = new Float32Array(chunks.predicted.length);
    let at = 0;
    for (const block of blocks) {
      predicted.set(block, at);
      at += block.length;
    }
    return { ...chunks, predicted };
  });
  return { draws: [chunks, ...others], flags };
}

/** What a policy sees of samples. */
interface SeenBatch extends Batch {
  readonly index: readonly number[];
  readonly vision: Float32Array;
  readonly visionMask: Uint8Array;
}

async function* seenBatches(
  dataset: EpisodeDataset,
  features: SeenDataset["features"],
  batchSize: number,
): AsyncGenerator<SeenBatch> {
  for (const { index, batch } of sampleBatches(dataset, batchSize)) {
    const { values, tokenMask } = await features.readBatch(index);
    yield { ...batch, index, vision: values, visionMask: tokenMask };
  }
}

/**
 * The mean of several draws: what a policy that draws expects.
 *
 * @param draws of the same windows
 * @returns the first of them, with the mean of all as what is predicted
 * @throws {RangeError} if there is none
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { exampleChunks } from "./_example.ts";
 * import { averageDraws } from "./policy_predictions.ts";
 *
 * const chunks = exampleChunks();
 * const other = { ...chunks, predicted: chunks.predicted.map((value) => value + 1) };
 * const { predicted } = averageDraws([chunks, other]);
 * assert(Math.abs(predicted[0]! - chunks.predicted[0]! - 0.5) < 1e-12);
 * ```
 */
export function averageDraws(draws: readonly ChunkPredictions[]): ChunkPredictions {
  const [first] = draws;
  if (first === undefined) {
    throw new RangeError("Cannot average draws: there must be at least one, current value is 0.");
  }
  const predicted = Float64Array.from(first.predicted, (_, i) => {
    let sum = 0;
    for (const draw of draws) sum += draw.predicted[i]!;
    return sum / draws.length;
  });
  return { ...first, predicted };
}
