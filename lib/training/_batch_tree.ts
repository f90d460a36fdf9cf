import type { tf } from "../engine/mod.ts";
import type { VisualInputs } from "../features/trainable.ts";
import type { PolicyBatch } from "../policies/mod.ts";

/** Makes of an interface a type that compiled functions take: interfaces have no index signature. */
export type AsTree<T> = T extends tf.Tensor | number | undefined ? T
  : { readonly [K in keyof T]: AsTree<T[K]> };

/** Samples to learn from: with visual tokens, or with what a model computes them from in the step. */
export interface TrainingBatch extends Omit<PolicyBatch, "vision"> {
  /** Visual-language tokens, `(B, S, visionDim)`. @default {those of `visual`} */
  readonly vision?: tf.Tensor;
  /** Images and prompts, as the model that is trained sees them. @default {tokens are given} */
  readonly visual?: VisualInputs;
}

/** A batch as an argument of a compiled function. */
export type BatchTree =
  & AsTree<Omit<PolicyBatch, "vision">>
  & {
    readonly vision?: tf.Tensor;
    readonly visual?: { readonly [K in keyof VisualInputs]: VisualInputs[K] };
  };
