import type { NamedTensors, Random, tf } from "../engine/mod.ts";
import type { VisionLanguageConfig } from "./config.ts";
import type { Weight, Weights } from "./weights.ts";

/** Low-rank additions to linear layers in a forward pass. */
export interface ForwardAdapter {
  /** `lora.MODULE.lora_A` `(r, in)` and `lora.MODULE.lora_B` `(out, r)` by key. */
  readonly tensors: NamedTensors;
  /** Factor of the additions, α / r. */
  readonly scale: number;
  /** Share of an adapter's inputs that training drops. Default: 0 */
  readonly dropout?: number;
  /**
   * Makes the random numbers of a training step, the same whenever it is called. Default: none, as in
   * evaluation
   */
  readonly random?: () => Random;
}

/** What a model computes with in place of, or beside, its published weights. */
export type ModelChanges = Pick<VisionLanguageForward, "adapter" | "replaced">;

/** What a forward pass computes with beside its inputs. */
export interface VisionLanguageForward {
  /** Sizes. */
  readonly config: VisionLanguageConfig;
  /** Constants by published name. */
  readonly weights: Weights;
  /** Tensors that replace constants, by published name. */
  readonly replaced?: Readonly<Record<string, Weight>>;
  /** Additions to linear layers. */
  readonly adapter?: ForwardAdapter;
  /** Of products with weights in bfloat16. Default: `bfloat16` */
  readonly precision?: "bfloat16" | "float32";
  /**
   * Whether gradients compute each layer again instead of keeping its intermediate values, which
   * takes less memory and more time. Default: false
   */
  readonly recomputes?: boolean;
  /** Called with each intermediate value by its name. */
  readonly tap?: (name: string, value: tf.Tensor) => void;
}
