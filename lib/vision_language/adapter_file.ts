import { join } from "node:path";
import { readJson } from "../datasets/_json.ts";
import { writeFileAtomic } from "../formats/atomic_write.ts";
import { widenBfloat16 } from "../formats/bfloat16.ts";
import { isFile } from "../formats/_path.ts";
import { openSafetensors, type SafetensorsReader } from "../formats/safetensors.ts";
import { writeSafetensors } from "../formats/safetensors_writer.ts";
import type { TensorInput } from "../formats/tensor_types.ts";
import { ADAPTER_CONFIG as CONFIG, ADAPTER_WEIGHTS as WEIGHTS } from "./_file_names.ts";
import { expectNumbers, expectPlain, PLAIN } from "./_adapter_settings.ts";
import { adapterKey, adapterProblems } from "./adapter_problems.ts";
import type { VisionLanguageConfig } from "./config.ts";
import type { LoraConfig } from "./lora.ts";
import { libraryName } from "./tensor_names.ts";

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
  /** Digest of the model that it was trained with, as `digestModel` makes it. Default: not known */
  readonly base?: string;
}

const PREFIX = "base_model.model.";
/** Problems that a message names. */
const SHOWN = 5;
/** Member of the weights' metadata: digest of the model that the adapter was trained with. */
const BASE = "base_model_digest";

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
  const { lora, settings } = readAdapterSettings(folder), path = join(folder, WEIGHTS);
  if (!isFile(path)) {
    throw new Deno.errors.NotFound(
      `Cannot read the adapter ${folder}: it should hold ${WEIGHTS}, current value is no such file. ` +
        "Copy the adapter again.",
    );
  }
  using file = openSafetensors(path);
  const { [BASE]: base } = file.metadata;
  const tensors = readTensors(file, config, lora);
  return { lora, tensors, settings, ...(base === undefined ? {} : { base }) };
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
  const path = join(folder, CONFIG);
  if (!isFile(path)) {
    throw new Deno.errors.NotFound(
      `Cannot read the adapter ${folder}: it should hold ${CONFIG} and ${WEIGHTS}, as peft saves ` +
        `them, current value is without ${CONFIG}. Check the path.`,
    );
  }
  const record = readJson(path, "adapter's settings");
  const settings = JSON.parse(Deno.readTextFileSync(path)) as Record<string, unknown>;
  expectPlain(path, settings);
  const lora: LoraConfig = {
    rank: record.number("r"),
    alpha: record.number("lora_alpha"),
    dropout: record.names().includes("lora_dropout") ? record.number("lora_dropout") : 0,
    targets: typeof settings["target_modules"] === "string"
      ? record.text("target_modules")
      : record.texts("target_modules"),
  };
  expectNumbers(path, lora);
  return { lora, settings };
}

function readTensors(
  file: SafetensorsReader,
  config: VisionLanguageConfig,
  lora: LoraConfig,
): Adapter["tensors"] {
  const entries = new Map(file.names.map((name) => [name, file.tensor(name)]));
  const problems = adapterProblems(lora, entries, config);
  if (problems.length > 0) {
    const more = problems.length - SHOWN;
    throw new SyntaxError(
      `Cannot read ${file.path}: it should hold the matrices of its targets in this model, each ` +
        `once, current value: ${problems.slice(0, SHOWN).join("; ")}${
          more > 0 ? `; … ${more} more` : ""
        }. Is the adapter made for this model?`,
    );
  }
  const read = file.names.map((stored) => {
    const { shape, ...tensor } = file.read(stored);
    const data = tensor.dtype === "bfloat16"
      ? widenBfloat16(tensor.data as Uint16Array)
      : tensor.data;
    const values = data as Float32Array<ArrayBuffer>;
    const at = values.findIndex((value) => !Number.isFinite(value));
    if (at >= 0) {
      throw new SyntaxError(
        `Cannot read ${file.path}: ${stored} should hold finite numbers, current value is ` +
          `${values[at]} at ${at}. Its training has diverged, or the file is damaged.`,
      );
    }
    return [adapterKey(stored)!, { shape, data: values }] as const;
  });
  return Object.fromEntries(read);
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
export function writeAdapter(folder: string, { lora, tensors, settings, base }: Adapter): void {
  const named = Object.entries(tensors).map(([key, { shape, data }]) => {
    const name = `${PREFIX}${libraryName(key.replace(/^lora\./, ""))}.weight`;
    return [name, { dtype: "float32", shape, data } satisfies TensorInput] as const;
  });
  writeSafetensors(join(folder, WEIGHTS), new Map(named), {
    format: "pt",
    ...(base === undefined ? {} : { [BASE]: base }),
  });
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
