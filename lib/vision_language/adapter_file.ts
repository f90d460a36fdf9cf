import { join } from "node:path";
import { readJson } from "../datasets/_json.ts";
import { writeFileAtomic } from "../formats/atomic_write.ts";
import { widenBfloat16 } from "../formats/bfloat16.ts";
import { openSafetensors } from "../formats/safetensors.ts";
import { writeSafetensors } from "../formats/safetensors_writer.ts";
import type { TensorInput } from "../formats/tensor_types.ts";
import { ADAPTER_CONFIG as CONFIG, ADAPTER_WEIGHTS as WEIGHTS } from "./_file_names.ts";
import type { VisionLanguageConfig } from "./config.ts";
import { type LoraConfig, loraKey, loraShapes } from "./lora.ts";
import { libraryName, publishedName } from "./tensor_names.ts";

/** An adapter in JavaScript's memory. */
export interface Adapter {
  /** Targets, rank and scale. */
  readonly lora: LoraConfig;
  /** Values by key, `lora.MODULE.lora_A` `(r, in)` and `lora.MODULE.lora_B` `(out, r)`. */
  readonly tensors: Readonly<
    Record<string, { readonly shape: readonly number[]; readonly data: Float32Array<ArrayBuffer> }>
  >;
  /** The members of `adapter_config.json`, which are kept when it is written again. */
  readonly settings: Readonly<Record<string, unknown>>;
}

const PREFIX = "base_model.model.";

/** Settings that change what an adapter computes, each with the only value that trocar computes. */
const PLAIN: Readonly<Record<string, unknown>> = {
  peft_type: "LORA",
  bias: "none",
  fan_in_fan_out: false,
  use_dora: false,
  use_rslora: false,
  use_qalora: false,
  use_bdlora: null,
  lora_bias: false,
  modules_to_save: null,
  exclude_modules: null,
  layers_to_transform: null,
  layer_replication: null,
  target_parameters: null,
  trainable_token_indices: null,
};
const EMPTY = ["rank_pattern", "alpha_pattern"];

/**
 * Reads an adapter as peft saves it: `adapter_config.json` and `adapter_model.safetensors`. Names of
 * modules of both families are taken.
 *
 * Format: Hugging Face peft, "PEFT checkpoint format".
 *
 * @param folder of the adapter
 * @param config of the model it belongs to
 * @returns the adapter
 * @throws {SyntaxError} when it is damaged, has settings that trocar cannot compute, or tensors that
 * are not those of its targets in this model
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { readAdapter, readModelConfig } from "./mod.ts";
 *
 * const config = readModelConfig("data-fixtures/vision_language/model/config.json");
 * const { lora } = readAdapter("data-fixtures/vision_language/lora/attn", config);
 * assert.deepEqual([lora.rank, lora.alpha], [2, 4]);
 * ```
 */
export function readAdapter(folder: string, config: VisionLanguageConfig): Adapter {
  const { lora, settings } = readAdapterSettings(folder);
  return { lora, tensors: readTensors(join(folder, WEIGHTS), config, lora), settings };
}

/**
 * Reads an adapter's `adapter_config.json`; its weights are not looked at.
 *
 * @param folder of the adapter
 * @returns targets, rank and scale, and all members of the file
 * @throws {SyntaxError} when it is damaged, or has settings that trocar cannot compute
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { readAdapterSettings } from "./mod.ts";
 *
 * const { lora } = readAdapterSettings("data-fixtures/vision_language/lora/attn");
 * assert.deepEqual(lora.targets, ["k_proj", "o_proj", "q_proj", "v_proj"]);
 * ```
 */
export function readAdapterSettings(folder: string): Pick<Adapter, "lora" | "settings"> {
  const path = join(folder, CONFIG), record = readJson(path, "adapter's settings");
  const settings = JSON.parse(Deno.readTextFileSync(path)) as Record<string, unknown>;
  for (const [key, expected] of Object.entries(PLAIN)) {
    const found = settings[key] ?? null;
    if (found === expected || (found === null && expected === false)) continue;
    throw unsupported(path, key, expected, found);
  }
  for (const key of EMPTY) {
    if (Object.keys(settings[key] ?? {}).length > 0) {
      throw unsupported(path, key, {}, settings[key]);
    }
  }
  const lora: LoraConfig = {
    rank: record.number("r"),
    alpha: record.number("lora_alpha"),
    dropout: record.names().includes("lora_dropout") ? record.number("lora_dropout") : 0,
    targets: typeof settings["target_modules"] === "string"
      ? record.text("target_modules")
      : record.texts("target_modules"),
  };
  return { lora, settings };
}

function readTensors(
  path: string,
  config: VisionLanguageConfig,
  lora: LoraConfig,
): Adapter["tensors"] {
  using file = openSafetensors(path);
  const expected = loraShapes(config, lora);
  const tensors: Record<string, Adapter["tensors"][string]> = {};
  for (const stored of file.names) {
    const key = adapterKey(stored) ?? stored;
    const shape = expected[key];
    if (shape === undefined || key in tensors) {
      throw new SyntaxError(
        `Cannot read ${path}: it should hold the matrices of its targets, each once, current value ` +
          `is ${stored}${key in tensors ? " again" : ""}. Is the adapter made for this model?`,
      );
    }
    const { dtype, data } = file.read(stored, { shape });
    if (dtype !== "float32" && dtype !== "bfloat16") {
      throw new SyntaxError(
        `Cannot read ${path}: ${stored} should be float32 or bfloat16, current value is ${dtype}.`,
      );
    }
    const values = dtype === "bfloat16" ? widenBfloat16(data as Uint16Array) : data;
    tensors[key] = { shape, data: values as Float32Array<ArrayBuffer> };
  }
  const lacking = Object.keys(expected).find((key) => !(key in tensors));
  if (lacking === undefined) return tensors;
  throw new SyntaxError(
    `Cannot read ${path}: it should hold the matrices of all its targets, current value lacks ` +
      `${lacking}. Is the adapter made for this model?`,
  );
}

/** Key of a matrix that a file of peft's names; undefined where the name is another's. */
export function adapterKey(stored: string): string | undefined {
  const [, module, part] = /^base_model\.model\.(.+)\.(lora_[AB])(?:\.default)?\.weight$/
    .exec(stored) ?? [];
  return module && loraKey(publishedName(module), part as "lora_A" | "lora_B");
}

/**
 * Writes an adapter as peft does, with the names of modules that transformers 4.52 and later use.
 *
 * @param folder that exists
 * @param adapter matrices, and settings that are written beside those of its `lora`
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { readAdapter, readModelConfig, writeAdapter } from "./mod.ts";
 *
 * const config = readModelConfig("data-fixtures/vision_language/model/config.json");
 * const adapter = readAdapter("data-fixtures/vision_language/lora/attn", config);
 * const folder = Deno.makeTempDirSync();
 * writeAdapter(folder, adapter);
 * assert.deepEqual(readAdapter(folder, config).tensors, adapter.tensors);
 * ```
 */
export function writeAdapter(folder: string, { lora, tensors, settings }: Adapter): void {
  const named = Object.entries(tensors).map(([key, { shape, data }]) => {
    const name = `${PREFIX}${libraryName(key.replace(/^lora\./, ""))}.weight`;
    return [name, { dtype: "float32", shape, data } satisfies TensorInput] as const;
  });
  writeSafetensors(join(folder, WEIGHTS), new Map(named), { format: "pt" });
  const { rank: r, alpha: lora_alpha, dropout: lora_dropout, targets: target_modules } = lora;
  const config = {
    ...PLAIN,
    rank_pattern: {},
    alpha_pattern: {},
    base_model_name_or_path: null,
    inference_mode: true,
    init_lora_weights: true,
    revision: null,
    task_type: "CAUSAL_LM",
    ...settings,
    ...{ r, lora_alpha, lora_dropout, target_modules },
  };
  const sorted = Object.fromEntries(Object.entries(config).sort(([a], [b]) => a < b ? -1 : 1));
  writeFileAtomic(join(folder, CONFIG), `${JSON.stringify(sorted, null, 2)}\n`);
}

function unsupported(path: string, key: string, expected: unknown, found: unknown): SyntaxError {
  return new SyntaxError(
    `Cannot read the adapter's settings ${path}: ${key} should be ${
      JSON.stringify(expected)
    }, the ` +
      `only value that trocar computes, current value is ${JSON.stringify(found)}.`,
  );
}
