import type { VisionLanguageConfig } from "./config.ts";

/**
 * The name of a tensor as published files have it. Files that newer libraries wrote, and modules in
 * their memory, put `model.` before the vision tower and `language_model` into the decoder.
 *
 * @param name of a tensor or module, of either family
 * @returns its published name
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { publishedName } from "./mod.ts";
 *
 * assert.equal(publishedName("model.language_model.norm.weight"), "model.norm.weight");
 * assert.equal(publishedName("model.visual.merger.ln_q.weight"), "visual.merger.ln_q.weight");
 * assert.equal(publishedName("model.norm.weight"), "model.norm.weight");
 * ```
 */
export function publishedName(name: string): string {
  return name.replace(/^model\.visual\./, "visual.").replace(/^model\.language_model\./, "model.");
}

/**
 * The name of a module in the memory of the library (transformers 4.52 and later), which files of
 * adapters use.
 *
 * @param name as published
 * @returns the module's name in memory
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { libraryName } from "./mod.ts";
 *
 * assert.equal(libraryName("model.layers.0.mlp"), "model.language_model.layers.0.mlp");
 * assert.equal(libraryName("visual.blocks.0.mlp"), "model.visual.blocks.0.mlp");
 * ```
 */
export function libraryName(name: string): string {
  if (name.startsWith("visual.")) return `model.${name}`;
  return name.replace(/^model\./, "model.language_model.");
}

/**
 * The tensors of a model: names as published, shapes as PyTorch has them (a linear layer's weight is
 * `(out, in)`).
 *
 * @param config of the model
 * @returns shapes by name
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { modelTensors, readModelConfig } from "./mod.ts";
 *
 * const config = readModelConfig("data-fixtures/vision_language/model/config.json");
 * assert.deepEqual(modelTensors(config).get("model.norm.weight"), [config.text.hiddenSize]);
 * ```
 */
export function modelTensors(config: VisionLanguageConfig): Map<string, readonly number[]> {
  const tensors = new Map<string, readonly number[]>();
  const linear = (name: string, output: number, input: number, bias: boolean) => {
    tensors.set(`${name}.weight`, [output, input]);
    if (bias) tensors.set(`${name}.bias`, [output]);
  };
  addText(config, tensors, linear);
  addVision(config, tensors, linear);
  return tensors;
}

type AddLinear = (name: string, output: number, input: number, bias: boolean) => void;

function addText(
  { text }: VisionLanguageConfig,
  tensors: Map<string, readonly number[]>,
  linear: AddLinear,
): void {
  const { hiddenSize: width, intermediateSize: inner } = text;
  const keyWidth = (width / text.heads) * text.keyValueHeads;
  tensors.set("model.embed_tokens.weight", [text.vocabularySize, width]);
  for (let i = 0; i < text.layers; i++) {
    const layer = `model.layers.${i}`;
    tensors.set(`${layer}.input_layernorm.weight`, [width]);
    linear(`${layer}.self_attn.q_proj`, width, width, true);
    linear(`${layer}.self_attn.k_proj`, keyWidth, width, true);
    linear(`${layer}.self_attn.v_proj`, keyWidth, width, true);
    linear(`${layer}.self_attn.o_proj`, width, width, false);
    tensors.set(`${layer}.post_attention_layernorm.weight`, [width]);
    linear(`${layer}.mlp.gate_proj`, inner, width, false);
    linear(`${layer}.mlp.up_proj`, inner, width, false);
    linear(`${layer}.mlp.down_proj`, width, inner, false);
  }
  tensors.set("model.norm.weight", [width]);
  if (!text.tiedEmbeddings) tensors.set("lm_head.weight", [text.vocabularySize, width]);
}

function addVision(
  { vision }: VisionLanguageConfig,
  tensors: Map<string, readonly number[]>,
  linear: AddLinear,
): void {
  const { hiddenSize: width, intermediateSize: inner, patchSize, temporalPatchSize } = vision;
  tensors.set("visual.patch_embed.proj.weight", [
    ...[width, vision.channels, temporalPatchSize, patchSize, patchSize],
  ]);
  for (let i = 0; i < vision.depth; i++) {
    const block = `visual.blocks.${i}`;
    tensors.set(`${block}.norm1.weight`, [width]);
    tensors.set(`${block}.norm2.weight`, [width]);
    linear(`${block}.attn.qkv`, 3 * width, width, true);
    linear(`${block}.attn.proj`, width, width, true);
    linear(`${block}.mlp.gate_proj`, inner, width, true);
    linear(`${block}.mlp.up_proj`, inner, width, true);
    linear(`${block}.mlp.down_proj`, width, inner, true);
  }
  const merged = width * vision.mergeSize ** 2;
  tensors.set("visual.merger.ln_q.weight", [width]);
  linear("visual.merger.mlp.0", merged, merged, true);
  linear("visual.merger.mlp.2", vision.outHiddenSize, merged, true);
}
