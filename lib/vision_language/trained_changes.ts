import { tf } from "../engine/mod.ts";
import type { TrainableTensor } from "../features/trainable.ts";
import type { TensorArray } from "../formats/tensor_types.ts";
import type { VisionLanguageConfig } from "./config.ts";
import type { Adapter } from "./adapter_file.ts";
import { adapterKey } from "./adapter_problems.ts";
import type { ModelChanges } from "./forward_context.ts";
import { replacements } from "./fine_tuning.ts";
import type { LoraConfig } from "./lora.ts";
import { fullTensors, loraTensors } from "./trained_tensors.ts";

/** What checkpoints say of a model that was trained with a policy. */
export interface VisualDescription {
  /** Low-rank additions, or tensors of the model themselves. */
  readonly finetune: "lora" | "full";
  /** The model as published. */
  readonly base: { readonly model: string; readonly digest: string };
  /** The additions, of `lora`. */
  readonly lora?: LoraConfig;
  /** Of `full`: layers of the text decoder, from its end; 0 for all of the model. */
  readonly unfreezeLastN?: number;
}

/**
 * What a model computes with after its training.
 *
 * @param config of the model
 * @param description of what was trained
 * @param read values of a tensor by its key in checkpoints
 * @returns an adapter, or tensors that replace constants; the caller's
 * @throws {SyntaxError} when a tensor is missing or of another shape
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { DEFAULT_LORA, readModelConfig, trainedChanges } from "./mod.ts";
 *
 * const config = readModelConfig("data-fixtures/vision_language/model/config.json");
 * const base = { model: "tiny", digest: "" };
 * const description = { finetune: "lora", base, lora: DEFAULT_LORA } as const;
 * assert.throws(() => trainedChanges(config, description, () => undefined), /is missing|missing\./);
 * ```
 */
export function trainedChanges(
  config: VisionLanguageConfig,
  { finetune, lora, unfreezeLastN = 0 }: VisualDescription,
  read: (stored: string) => TensorArray | undefined,
): ModelChanges {
  const tensors = finetune === "lora"
    ? loraTensors(config, lora!)
    : fullTensors(config, unfreezeLastN);
  const values = Object.fromEntries(tensors.map((each) => [each.key, loaded(each, read)]));
  return finetune === "lora"
    ? { adapter: { tensors: values, scale: lora!.alpha / lora!.rank } }
    : { replaced: replacements(values) };
}

function loaded(
  { stored, shape }: TrainableTensor,
  read: (stored: string) => TensorArray | undefined,
): tf.Tensor {
  const found = read(stored);
  if (found?.dtype !== "float32" || String(found.shape) !== String(shape)) {
    throw new SyntaxError(
      `Cannot load the trained model: ${stored} should be float32 (${shape.join(", ")}), current ` +
        `value is ${
          found === undefined ? "missing" : `${found.dtype} (${found.shape.join(", ")})`
        }. ` +
        "Is --model the one that was trained?",
    );
  }
  return tf.tensor(found.data as Float32Array, [...shape]);
}

/**
 * The adapter that a checkpoint holds, as peft's files do.
 *
 * @param description of what was trained
 * @param tensors of the checkpoint by their keys in it
 * @returns what `writeAdapter` takes
 * @throws {RangeError} when what was trained is no adapter
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { storedAdapter } from "./mod.ts";
 *
 * const base = { model: "tiny", digest: "" };
 * assert.throws(() => storedAdapter({ finetune: "full", base }, new Map()), /--finetune-vl lora/);
 * ```
 */
export function storedAdapter(
  { lora, base }: VisualDescription,
  tensors: ReadonlyMap<string, { read(): TensorArray }>,
): Adapter {
  if (lora === undefined) {
    throw new RangeError(
      "Cannot write an adapter: the model should have been trained with --finetune-vl lora, current " +
        "value is full.",
    );
  }
  const entries = [...tensors].map(([stored, tensor]) => {
    const key = adapterKey(stored.replace(/^vl_model\./, "")),
      { dtype, shape, data } = tensor.read();
    if (key !== undefined && dtype === "float32") return [key, { shape, data }] as const;
    throw new SyntaxError(
      `Cannot read the adapter of a checkpoint: its tensors should be matrices of float32, current ` +
        `value is ${stored} of ${dtype}. Look at it with: deno task check:checkpoint PATH`,
    );
  });
  return { lora, settings: {}, base: base.digest, tensors: Object.fromEntries(entries) };
}
