import { type JsonRecord, readJson } from "../datasets/_json.ts";

/** Sizes of the vision tower. */
export interface VisionConfig {
  /** Blocks. */
  readonly depth: number;
  /** Width of a patch. */
  readonly hiddenSize: number;
  /** Inner width of the MLP. */
  readonly intermediateSize: number;
  /** Attention heads. */
  readonly heads: number;
  /** Width of a visual token, that of the text decoder. */
  readonly outHiddenSize: number;
  /** Side of a patch in pixels. */
  readonly patchSize: number;
  /** Frames of a patch; a still image fills all of them. */
  readonly temporalPatchSize: number;
  /** Patches along each side of a visual token. */
  readonly mergeSize: number;
  /** Side of an attention window in pixels. */
  readonly windowSize: number;
  /** Blocks that attend to the whole image; the others attend within a window. */
  readonly fullAttentionBlocks: readonly number[];
  /** Colour channels. */
  readonly channels: number;
}

/** Sizes of the text decoder. */
export interface TextConfig {
  /** Width of a token, D. */
  readonly hiddenSize: number;
  /** Layers. */
  readonly layers: number;
  /** Attention heads of queries. */
  readonly heads: number;
  /** Attention heads of keys and values. */
  readonly keyValueHeads: number;
  /** Inner width of the MLP. */
  readonly intermediateSize: number;
  /** Rows of the embedding. */
  readonly vocabularySize: number;
  /** Added to the mean square in norms. */
  readonly normEpsilon: number;
  /** Base of the rotary frequencies. */
  readonly ropeTheta: number;
  /** Rotary frequencies driven by time, height and width. */
  readonly ropeSections: readonly number[];
  /** Whether logits are products with the embedding, without a matrix of their own. */
  readonly tiedEmbeddings: boolean;
}

/** Ids of the tokens that the model itself must know. */
export interface SpecialTokenIds {
  /** Stands before an image. */
  readonly visionStart: number;
  /** Stands after an image. */
  readonly visionEnd: number;
  /** Stands for each visual token. */
  readonly image: number;
  /** Fills shorter prompts of a batch. */
  readonly pad: number;
}

/** Configuration of a Qwen2.5-VL model. */
export interface VisionLanguageConfig {
  /** The vision tower. */
  readonly vision: VisionConfig;
  /** The text decoder. */
  readonly text: TextConfig;
  /** Token ids. */
  readonly tokens: SpecialTokenIds;
  /** Dtype of the published weights. */
  readonly dtype: "bfloat16" | "float32";
}

const NAME = "model configuration";

/**
 * Reads a model's `config.json`, flat as published or with the text decoder's fields nested in
 * `text_config` as newer libraries save it. Nothing is assumed that decides a result: a field that
 * is missing is an error.
 *
 * Fields: Hugging Face transformers, `Qwen2_5_VLConfig`.
 *
 * @param path of the file
 * @returns the configuration
 * @throws {SyntaxError} when a field is missing or has another value than trocar can compute
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { readModelConfig } from "./mod.ts";
 *
 * const { text, vision } = readModelConfig("data-fixtures/vision_language/model/config.json");
 * assert.equal(text.hiddenSize, vision.outHiddenSize);
 * ```
 */
export function readModelConfig(path: string): VisionLanguageConfig {
  const top = readJson(path, NAME);
  const text = has(top, "text_config") ? top.record("text_config") : top;
  const vision = top.record("vision_config");
  top.literal("model_type", "qwen2_5_vl");
  const config: VisionLanguageConfig = {
    vision: visionOf(vision),
    text: textOf(text, top),
    tokens: {
      visionStart: top.number("vision_start_token_id"),
      visionEnd: top.number("vision_end_token_id"),
      image: top.number("image_token_id"),
      pad: padOf(top, text),
    },
    dtype: dtypeOf(top, text),
  };
  check(path, config);
  return config;
}

/** Sizes that bound every allocation: those of the largest published model, and some. */
const LARGEST = 1 << 18;

function visionOf(record: JsonRecord): VisionConfig {
  record.literal("hidden_act", "silu");
  const size = (key: string) => record.number(key);
  return {
    depth: size("depth"),
    hiddenSize: size("hidden_size"),
    intermediateSize: size("intermediate_size"),
    heads: size("num_heads"),
    outHiddenSize: size("out_hidden_size"),
    patchSize: size("patch_size"),
    temporalPatchSize: size("temporal_patch_size"),
    mergeSize: size("spatial_merge_size"),
    windowSize: size("window_size"),
    fullAttentionBlocks: record.numbers("fullatt_block_indexes"),
    channels: 3, // the library ignores `in_chans`
  };
}

function textOf(record: JsonRecord, top: JsonRecord): TextConfig {
  record.literal("hidden_act", "silu");
  if (has(record, "use_sliding_window") && record.boolean("use_sliding_window")) {
    record.literal("use_sliding_window", "false"); // sliding windows are not computed
  }
  // transformers 5 moved the rotary fields into one record.
  const parameters = rotaryOf(record, "rope_parameters");
  const scaling = rotaryOf(record, "rope_scaling");
  return {
    hiddenSize: record.number("hidden_size"),
    layers: record.number("num_hidden_layers"),
    heads: record.number("num_attention_heads"),
    keyValueHeads: record.number("num_key_value_heads"),
    intermediateSize: record.number("intermediate_size"),
    vocabularySize: record.number("vocab_size"),
    normEpsilon: record.number("rms_norm_eps"),
    ropeTheta: parameters !== undefined && has(parameters, "rope_theta")
      ? parameters.number("rope_theta")
      : record.number("rope_theta"),
    ropeSections: (parameters ?? scaling ?? record.record("rope_scaling"))
      .numbers("mrope_section", 3),
    tiedEmbeddings: (has(top, "tie_word_embeddings") ? top : record).boolean("tie_word_embeddings"),
  };
}

/** Rotary fields of a name, if there are any; frequencies that are scaled are not computed. */
function rotaryOf(record: JsonRecord, name: string): JsonRecord | undefined {
  if (!has(record, name) || record.isNull(name)) return undefined;
  const rotary = record.record(name);
  for (const key of ["type", "rope_type"]) {
    if (has(rotary, key) && !rotary.isNull(key)) rotary.oneOf(key, ["mrope", "default"]);
  }
  return rotary;
}

function padOf(top: JsonRecord, text: JsonRecord): number {
  const holder = [top, text].find((record) =>
    has(record, "pad_token_id") && !record.isNull("pad_token_id")
  );
  if (holder !== undefined) return holder.number("pad_token_id");
  // As published: there is no own field, and the first special token fills.
  return (has(top, "bos_token_id") ? top : text).number("bos_token_id");
}

function dtypeOf(top: JsonRecord, text: JsonRecord): "bfloat16" | "float32" {
  for (const record of [top, text]) {
    for (const key of ["torch_dtype", "dtype"]) {
      if (has(record, key) && !record.isNull(key)) {
        return record.oneOf(key, ["bfloat16", "float32"]);
      }
    }
  }
  return "float32";
}

function check(path: string, { vision, text, tokens }: VisionLanguageConfig): void {
  const refuse = (what: string, found: unknown): never => {
    throw new SyntaxError(
      `Cannot read the ${NAME} ${path}: ${what}, current value is ${found}. Is it a Qwen2.5-VL model?`,
    );
  };
  const sizes = Object.entries({ ...vision, ...text }).filter(([key, value]) =>
    typeof value === "number" && key !== "normEpsilon" && key !== "ropeTheta"
  ) as [string, number][];
  for (const [key, value] of sizes) {
    if (!Number.isInteger(value) || value < 1 || value > LARGEST) {
      refuse(`${key} should be an integer from 1 to ${LARGEST}`, value);
    }
  }
  for (const [id, value] of Object.entries(tokens)) {
    if (!Number.isInteger(value) || value < 0 || value >= text.vocabularySize) {
      refuse(`the ${id} token should be a row of the embedding`, value);
    }
  }
  const divides = (whole: number, parts: number) => whole % parts === 0;
  if (!divides(text.heads, text.keyValueHeads)) {
    refuse("key/value heads should divide the heads", `${text.keyValueHeads} of ${text.heads}`);
  }
  if (!divides(text.hiddenSize, 2 * text.heads)) {
    refuse("the text's heads should have an even width", `${text.hiddenSize} / ${text.heads}`);
  }
  if (!divides(vision.hiddenSize, 4 * vision.heads)) {
    refuse(
      "the vision heads' width should be a multiple of 4",
      `${vision.hiddenSize} / ${vision.heads}`,
    );
  }
  if (!divides(vision.windowSize, vision.mergeSize * vision.patchSize)) {
    refuse("a window should hold whole visual tokens", vision.windowSize);
  }
  if (vision.outHiddenSize !== text.hiddenSize) {
    refuse("visual tokens should be as wide as text tokens", vision.outHiddenSize);
  }
  const { normEpsilon, ropeTheta, ropeSections } = text;
  if (!(normEpsilon > 0 && normEpsilon < 1)) {
    refuse("rms_norm_eps should be between 0 and 1", normEpsilon);
  }
  if (!(ropeTheta > 0)) refuse("rope_theta should be above 0", ropeTheta);
  const isBlock = (index: number) => Number.isInteger(index) && index >= 0 && index < vision.depth;
  if (!vision.fullAttentionBlocks.every(isBlock)) {
    refuse(
      `fullatt_block_indexes should be integers from 0 to ${vision.depth - 1}`,
      `[${vision.fullAttentionBlocks}]`,
    );
  }
  if (!ropeSections.every((section) => Number.isInteger(section) && section > 0)) {
    refuse("mrope_section should be positive integers", `[${ropeSections}]`);
  }
  const frequencies = ropeSections.reduce((sum, section) => sum + section, 0);
  if (2 * frequencies !== text.hiddenSize / text.heads) {
    refuse("mrope_section should cover half of a head", `[${ropeSections}]`);
  }
}

function has(record: JsonRecord, key: string): boolean {
  return record.names().includes(key);
}
