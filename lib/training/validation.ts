import { compile, Random, read, tf, type Variables } from "../engine/mod.ts";
import {
  evaluation,
  type LossOptions,
  type PolicyConfig,
  policyLossTerms,
} from "../policies/mod.ts";
import type { BatchTree } from "./_batch_tree.ts";
import { batchTensors, disposeBatch } from "./_micro_batches.ts";
import type { Loader } from "./loader/mod.ts";

/** Measures a policy in training on samples that it does not learn from. */
export interface Validation extends Disposable {
  /**
   * The loss over all validation samples, each once, weighed by confidence alone.
   *
   * @returns the loss; null when nothing counts
   */
  loss(): Promise<number | null>;
}

/**
 * Prepares validation: no dropout, no augmentation, stored statistics, the same random numbers each
 * time, and predictions from zeros whatever training does.
 *
 * @param config the policy
 * @param variables its tensors, read anew each time
 * @param loader of the validation samples
 * @param options error and weights of dimensions, as in training
 * @returns the validation; dispose of it
 */
export function createValidation(
  config: PolicyConfig,
  variables: Variables,
  loader: Loader,
  options: LossOptions,
): Validation {
  const lossOptions = { ...options, normalisation: "global", chunk: "zeros" } as const;
  const terms = compile((batch: BatchTree, counter: tf.Tensor) => {
    const context = evaluation(new Random({ seed: 0, counter }));
    const { sum, weight } = policyLossTerms(read(variables), config, batch, context, lossOptions);
    return tf.stack([sum, weight]);
  }, { name: "validation" });
  return {
    loss: async () => {
      let sum = 0, weight = 0, index = 0;
      for await (const loaded of loader.batches(0)) {
        const batch = batchTensors(loaded, loader.shape, config, 1);
        const counter = tf.scalar(index++, "int32");
        const found = terms(batch as BatchTree, counter) as tf.Tensor;
        const [s, w] = await found.data();
        sum += s!;
        weight += w!;
        tf.dispose([found, counter]);
        disposeBatch(batch);
      }
      return weight > 0 ? sum / weight : null;
    },
    [Symbol.dispose]: () => terms.dispose(),
  };
}
