import type { NamedTensors, tf } from "../engine/mod.ts";
import type { FeatureExtractor } from "./extractor.ts";

/** What of a visual-language model is trained with a policy. */
export type TrainableParts = "lora" | "full";

/**
 * A visual-language model that learns together with a policy. Its features are computed in every step,
 * because a cached feature passes no gradient on.
 */
export interface TrainableFeatures extends Disposable {
  /** Width of a token, D. */
  readonly width: number;
  /** First values of what is trained, by keys that begin with `lora.` or `vl_model.`. */
  readonly parameters: NamedTensors;
  /**
   * Reads what the model sees of some samples.
   *
   * @param indices numbers of B samples in the data set
   * @returns inputs of {@linkcode encode} by name, each with first dimension B; the caller's
   */
  read(indices: ArrayLike<number>): Promise<NamedTensors>;
  /**
   * Computes tokens; part of a compiled training step, through which gradients flow.
   *
   * @param parameters what is trained, by the keys of {@linkcode parameters}
   * @param inputs what {@linkcode read} returned
   * @returns `tokens` `(B, S, D)` and `mask` `(B, S)`, 1 for tokens and 0 for padding
   */
  encode(
    parameters: NamedTensors,
    inputs: NamedTensors,
  ): { readonly tokens: tf.Tensor; readonly mask: tf.Tensor };
}

/**
 * The trainable model behind some features.
 *
 * @param extractor that makes the same features for the cache
 * @param parts what of the model is trained
 * @returns never, as long as no extractor has such a model
 * @throws {RangeError} when there is no model behind the features
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createExtractor, trainableFeatures } from "./mod.ts";
 *
 * assert.throws(() => trainableFeatures(createExtractor("pixel-2048"), "lora"), /no model to train/);
 * ```
 */
export function trainableFeatures(
  extractor: FeatureExtractor,
  parts: TrainableParts,
): TrainableFeatures {
  const { model } = extractor.identity;
  throw new RangeError(
    `Cannot train the visual-language model with --finetune-vl ${parts}: features must be those of a ` +
      `model that trocar can compute, current value is ${model}, which has no model to train here. ` +
      "Use --finetune-vl none, which trains the policy of stage 1 further on cached features.",
  );
}
