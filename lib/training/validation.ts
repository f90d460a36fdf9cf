import { setImmediate } from "node:timers/promises";
import { type Cluster, compile, read, tf, type Variables } from "../engine/mod.ts";
import { ONE_PROCESS } from "../engine/mod.ts";
import { SequentialOrder } from "../datasets/mod.ts";
import type { TrainableFeatures } from "../features/trainable.ts";
import {
  evaluation,
  type LossOptions,
  type PolicyConfig,
  policyLossTerms,
} from "../policies/mod.ts";
import type { BatchTree } from "./_batch_tree.ts";
import { batchTensors, disposeBatch } from "./_micro_batches.ts";
import type { DataPart } from "./data.ts";
import { Loader } from "./loader/mod.ts";
import { validationBatches } from "./noise_validation.ts";
import { SHAPES, withTokens } from "./_visual.ts";

/** Settings of {@linkcode createValidation}. */
export interface ValidationOptions {
  /** Error and weights of dimensions, as in training. */
  readonly loss: LossOptions;
  /** Samples of a batch. */
  readonly batchSize: number;
  /** The processes that share the samples. @default {this one alone} */
  readonly cluster?: Cluster;
  /** The visual-language model whose parameters are among the variables. @default {cached features} */
  readonly visual?: TrainableFeatures | null;
}

/** What a validation found; the same on all processes. */
export interface ValidationResult {
  /** The loss; null when nothing counts. */
  readonly loss: number | null;
  /**
   * Mean squared error of the noise, each sample as much as the next: what policies that predict
   * different things of the noise can be compared by; null when nothing counts, or without noise.
   */
  readonly noiseLoss: number | null;
}

/** How far a validation is, for people to see. */
export interface ValidationProgress {
  /** Windows that are measured, of all processes together. */
  readonly done: number;
  /** Windows in all. */
  readonly total: number;
  /** Time that the others will take, s; null after the first batch, which may have compiled. */
  readonly secondsLeft: number | null;
}

/** Measures a policy in training on samples that it does not learn from. */
export interface Validation extends Disposable {
  /**
   * The loss over all validation samples, each once whatever the number of processes, weighed by
   * confidence alone. All processes must call it.
   *
   * @param signal ends it before the next batch; for one process alone
   * @param onProgress called after each batch
   * @returns what it found
   * @throws {unknown} the signal's reason
   */
  measure(
    signal?: AbortSignal,
    onProgress?: (progress: ValidationProgress) => void,
  ): Promise<ValidationResult>;
}

/**
 * Prepares validation: no dropout, no augmentation, stored statistics, for diffusion the same steps and
 * noise each time, and predictions from zeros whatever training does.
 *
 * @param config the policy
 * @param variables its tensors, read anew each time
 * @param data the validation samples; stays the caller's
 * @param options error, batch size, processes
 * @returns the validation; dispose of it
 */
export function createValidation(
  config: PolicyConfig,
  variables: Variables,
  { dataset, features }: DataPart,
  { loss, batchSize, cluster = ONE_PROCESS, visual = null }: ValidationOptions,
): Validation {
  const lossOptions = { ...loss, normalisation: "global", chunk: "zeros" } as const;
  const terms = compile((given: BatchTree) => {
    const all = read(variables), batch = withTokens(given, visual, all);
    const { sum, weight, metrics = {} } = policyLossTerms(
      ...[all, config, batch, evaluation(), lossOptions] as const,
    );
    const zero = tf.zerosLike(sum);
    return tf.stack([sum, weight, metrics["noiseLoss"] ?? zero, metrics["samples"] ?? zero]);
  }, { name: "validation", ...(visual === null ? {} : { maxSignatures: SHAPES }) });
  const { size: ranks, rank } = cluster;
  const order = new SequentialOrder(dataset.length, { ranks, rank });
  const loader = new Loader(dataset, order, { batchSize, features, visual });
  return {
    measure: async (signal, onProgress) => {
      const sums = [0, 0, 0, 0]; // of loss, weight, error of the noise, samples with noise
      const batches = Math.ceil(order.length / batchSize);
      let measured = 0, warm = 0;
      for await (const loaded of loader.batches(0)) {
        await setImmediate(); // lets the signal be heard
        signal?.throwIfAborted();
        const batch = batchTensors(loaded, loader.shape, config, 1);
        for (const fixed of validationBatches(batch, loaded.index, config)) {
          const found = terms(fixed as BatchTree) as tf.Tensor;
          (await found.data()).forEach((value, i) => sums[i]! += value);
          found.dispose();
        }
        disposeBatch(batch);
        if (++measured === 1) warm = performance.now();
        const each = (performance.now() - warm) / 1000 / (measured - 1);
        onProgress?.({
          done: Math.min(dataset.length, measured * batchSize * ranks),
          total: dataset.length,
          secondsLeft: measured === 1 ? null : each * (batches - measured),
        });
      }
      const [loss, weight, noise, samples] = await cluster.sum(sums);
      return { loss: mean(loss!, weight!), noiseLoss: mean(noise!, samples!) };
    },
    [Symbol.dispose]: () => {
      terms.dispose();
      loader.close();
    },
  };
}

function mean(sum: number, count: number): number | null {
  return count > 0 ? sum / count : null;
}
