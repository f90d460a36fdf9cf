/** Which tensors of a model are trained, and how files hold them. */
import { Bfloat16Tensor, type tf } from "../engine/mod.ts";
import type { TrainableTensor } from "../features/trainable.ts";
import type { VisionLanguageConfig } from "./config.ts";
import { type LoraConfig, loraShapes } from "./lora.ts";
import { libraryName, modelTensors } from "./tensor_names.ts";
import type { Weights } from "./weights.ts";

/** What the Python reference calls the model in its own state. */
const MODEL = "vl_model.";

/**
 * The matrices of an adapter as the Python reference's checkpoints name them.
 *
 * @param config of the model
 * @param lora targets and rank
 * @returns one for each matrix, in the order of `loraShapes`
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { DEFAULT_LORA, loraTensors, readModelConfig } from "./mod.ts";
 *
 * const config = readModelConfig("data-fixtures/vision_language/model/config.json");
 * const { stored } = loraTensors(config, DEFAULT_LORA)[0]!;
 * assert.equal(
 *   stored,
 *   "vl_model.base_model.model.model.language_model.layers.0.self_attn.k_proj.lora_A.default.weight",
 * );
 * ```
 */
export function loraTensors(
  config: VisionLanguageConfig,
  lora: Pick<LoraConfig, "rank" | "targets">,
): TrainableTensor[] {
  return Object.entries(loraShapes(config, lora)).map(([key, shape]) => {
    const [, module, part] = /^lora\.(.+)\.(lora_[AB])$/.exec(key)!;
    return {
      ...{ key, shape, part: partOf(module!) },
      stored: `${MODEL}base_model.model.${libraryName(module!)}.${part}.default.weight`,
    };
  });
}

/**
 * The tensors of a model that are trained themselves.
 *
 * @param config of the model
 * @param unfreezeLastN layers of the text decoder, from its end; 0 takes all of the model
 * @returns one for each tensor
 * @throws {RangeError} when the model has fewer layers
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { fullTensors, readModelConfig } from "./mod.ts";
 *
 * const config = readModelConfig("data-fixtures/vision_language/model/config.json");
 * assert(fullTensors(config, 1).every(({ key }) => key.startsWith("vl_model.model.layers.2.")));
 * assert(fullTensors(config, 0).some(({ part }) => part === "vision"));
 * ```
 */
export function fullTensors(
  config: VisionLanguageConfig,
  unfreezeLastN: number,
): TrainableTensor[] {
  const { layers } = config.text;
  if (!(Number.isInteger(unfreezeLastN) && unfreezeLastN >= 0 && unfreezeLastN <= layers)) {
    throw new RangeError(
      `Cannot train the model: --unfreeze-last-n should be from 0 to ${layers}, the layers of its ` +
        `text decoder, current value is ${unfreezeLastN}. 0 trains all of the model.`,
    );
  }
  const isTrained = (name: string) => {
    if (unfreezeLastN === 0) return name !== "lm_head.weight"; // features do not pass through it
    const layer = /^model\.layers\.(\d+)\./.exec(name)?.[1];
    return layer !== undefined && Number(layer) >= layers - unfreezeLastN;
  };
  return [...modelTensors(config)].filter(([name]) => isTrained(name)).map(([name, shape]) => ({
    key: `${MODEL}${name}`,
    stored: `${MODEL}${libraryName(name)}`,
    shape,
    part: partOf(name),
  }));
}

/**
 * A constant of the model in float32, to be trained.
 *
 * @param weights of the model
 * @param tensor one of {@linkcode fullTensors}
 * @returns its values in its shape, the caller's
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { startEngine, tf } from "../engine/mod.ts";
 * import { widened } from "./mod.ts";
 *
 * await startEngine({ quiet: true });
 * const weights = new Map([["model.norm.weight", tf.ones([2])]]);
 * const key = "vl_model.model.norm.weight";
 * assert.deepEqual(widened(weights, { key, shape: [2, 1] }).shape, [2, 1]);
 * ```
 */
export function widened(
  weights: Weights,
  { key, shape }: Pick<TrainableTensor, "key" | "shape">,
): tf.Tensor {
  const name = key.slice(MODEL.length), found = weights.get(name);
  if (found === undefined) throw new Error(`Cannot train ${name}: the model has no such tensor.`);
  const wide = found instanceof Bfloat16Tensor ? found.toFloat32() : found.clone();
  const shaped = wide.reshape([...shape]);
  wide.dispose();
  return shaped;
}

function partOf(name: string): TrainableTensor["part"] {
  return name.startsWith("visual.") ? "vision" : "text";
}
