import type { NamedTensors, Random, tf } from "../engine/mod.ts";
import type { JsonValue } from "./canonical_json.ts";
import type { FeatureExtractor, FeatureRequest } from "./extractor.ts";

/** What of a visual-language model is trained with a policy. */
export type TrainableParts = "lora" | "full";

/** What a model sees of some samples, as inputs of a compiled function. */
export interface VisualInputs {
  /** Tensors by name. */
  readonly tensors: Readonly<Record<string, tf.Tensor>>;
  /** Which rows of them belong together: a part of the function's signature. */
  readonly layout: JsonValue;
}

/** What a model sees of some samples, in JavaScript's memory. */
export interface VisualBatch {
  /**
   * Uploads it.
   *
   * @returns inputs of {@linkcode TrainableFeatures.encode}; the caller's
   */
  upload(): VisualInputs;
}

/** A trained tensor as files hold it. */
export interface TrainableTensor {
  /** Its key among {@linkcode TrainableFeatures.parameters}. */
  readonly key: string;
  /** Its key in checkpoints, which is that of the Python reference. */
  readonly stored: string;
  /** Its shape. */
  readonly shape: readonly number[];
  /** Which learning rate it has. */
  readonly part: "text" | "vision";
}

/**
 * A visual-language model that learns together with a policy. Its features are computed in every step,
 * because a cached feature passes no gradient on.
 */
export interface TrainableFeatures extends Disposable {
  /** Width of a token, D. */
  readonly width: number;
  /** What is trained, by keys that begin with `lora.` or `vl_model.`; stays this object's. */
  readonly parameters: NamedTensors;
  /** How files hold what is trained. */
  readonly tensors: readonly TrainableTensor[];
  /** What checkpoints say of it: the base model by its digest, and what is trained. */
  readonly description: { readonly [name: string]: JsonValue };
  /**
   * Prepares what the model sees of some samples.
   *
   * @param requests images and instruction of each
   * @param size B: rows from the last request on are filled with it
   * @returns in JavaScript's memory
   */
  read(requests: readonly FeatureRequest[], size: number): Promise<VisualBatch>;
  /**
   * Computes tokens; part of a compiled training step, through which gradients flow.
   *
   * @param parameters what is trained, by the keys of {@linkcode parameters}
   * @param inputs of B samples
   * @param random makes the random numbers of a training step; without it nothing is dropped
   * @returns `tokens` `(B, S, D)` and `mask` `(B, S)`, 1 for tokens and 0 for padding
   */
  encode(
    parameters: NamedTensors,
    inputs: VisualInputs,
    random?: () => Random,
  ): { readonly tokens: tf.Tensor; readonly mask: tf.Tensor };
}

/**
 * Refuses features that have no model to train behind them.
 *
 * @param extractor that makes the same features for the cache
 * @param parts what of the model is to be trained
 * @throws {RangeError} when there is no model behind the features
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { expectTrainable, pixel2048 } from "./mod.ts";
 *
 * assert.throws(() => expectTrainable(pixel2048(), "lora"), /no model to train/);
 * ```
 */
export function expectTrainable(
  { name, identity: { model } }: FeatureExtractor,
  parts: TrainableParts,
): void {
  if (name === "qwen2.5-vl-3b") return;
  throw new RangeError(
    `Cannot train the visual-language model with --finetune-vl ${parts}: features must be those of a ` +
      `model that trocar can compute, current value is ${model}, which has no model to train here. ` +
      "Use --features qwen2.5-vl-3b --model DIR, or --finetune-vl none, which trains the policy of " +
      "stage 1 further on cached features.",
  );
}
