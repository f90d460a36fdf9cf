import { createHash } from "node:crypto";
import { basename, join, resolve } from "node:path";
import { fileDigest } from "../checkpoints/_file_digest.ts";
import { readJson } from "../datasets/_json.ts";
import { canonicalJson } from "../features/canonical_json.ts";
import { isFile, isFolder } from "../formats/_path.ts";
import { FileDigests } from "../formats/_file_digests.ts";
import { shapeText } from "../formats/_tensor_dtype.ts";
import { openRandomAccess } from "../formats/random_access_file.ts";
import { openSafetensors, type SafetensorsReader } from "../formats/safetensors.ts";
import type { StoredTensor } from "../formats/tensor_types.ts";
import { INDEX, SINGLE } from "./_file_names.ts";
import { modelFile } from "./_model_file.ts";
import { readModelConfig, type VisionLanguageConfig } from "./config.ts";
import { modelTensors, publishedName } from "./tensor_names.ts";

/** A model's folder as published, with all its tensors found and none of them read. */
export interface ModelFolder extends Disposable {
  /** Its path. */
  readonly path: string;
  /** What `config.json` says. */
  readonly config: VisionLanguageConfig;
  /** Its files of weights, in the order in which they are read. */
  readonly shards: readonly { readonly name: string; readonly bytes: number }[];
  /** Its tensors by published name, in the order of the files. */
  readonly tensors: ReadonlyMap<string, StoredTensor<"bfloat16" | "float32">>;
  /** Closes the files; closing twice is harmless. */
  close(): void;
}

const SHOWN = 5;
const DIGESTS = "trocar model digests";

/**
 * Opens a model's folder: `config.json`, and weights in `model.safetensors` or in shards with
 * `model.safetensors.index.json`. Names of both families are taken (`visual.…` as published,
 * `model.visual.…` as newer libraries write). Every tensor of the configuration must be there, once
 * and in its shape, and no other; `lm_head.weight` may repeat a tied embedding.
 *
 * @param path of the folder
 * @returns the open folder; close it, or hold it with `using`
 * @throws {SyntaxError} when the files are damaged or their tensors are not those of the model
 * @throws {Deno.errors.NotFound} when a file is missing
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { openModelFolder } from "./mod.ts";
 *
 * using folder = openModelFolder("data-fixtures/vision_language/model");
 * const { text } = folder.config;
 * const { shape } = folder.tensors.get("model.embed_tokens.weight")!;
 * assert.deepEqual(shape, [text.vocabularySize, text.hiddenSize]);
 * ```
 */
export function openModelFolder(path: string): ModelFolder {
  if (!isFolder(path)) {
    throw new Deno.errors.NotFound(
      `Cannot open the model ${path}: it should be a folder with config.json and ${SINGLE} or ` +
        `${INDEX}, current value is ${
          isFile(path) ? "a file" : "nothing"
        }. Download the model there.`,
    );
  }
  const config = readModelConfig(modelFile(path, "config.json"));
  const readers: SafetensorsReader[] = [];
  try {
    const shards = openShards(path, readers);
    const tensors = tensorsOf(path, config, readers);
    const close = () => readers.forEach((reader) => reader.close());
    return { path, config, shards, tensors, close, [Symbol.dispose]: close };
  } catch (error) {
    readers.forEach((reader) => reader.close());
    throw error;
  }
}

/** How a model is digested. */
export interface DigestModelOptions {
  /** File in which digests of files are kept; those of unchanged ones are believed. Default: none */
  readonly memory?: string;
  /** Called after each file that was read with the bytes read so far and in all. */
  readonly onBytes?: (read: number, all: number) => void;
  /** Stops the work. */
  readonly signal?: AbortSignal;
}

/**
 * The digest of all that decides what a model computes: its configuration and weights. Reads every
 * byte of the weights, unless an earlier call has and the files have not changed since.
 *
 * @param folder of the model
 * @param options where digests are kept, progress
 * @returns SHA-256, hexadecimal, of the model, and of each file of weights by its name
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { digestModel, openModelFolder } from "./mod.ts";
 *
 * using folder = openModelFolder("data-fixtures/vision_language/model");
 * const { digest, files } = await digestModel(folder);
 * assert(digest.length === 64 && Object.keys(files).length === folder.shards.length);
 * ```
 */
export async function digestModel(
  { path, shards, config }: ModelFolder,
  { memory, onBytes, signal }: DigestModelOptions = {},
): Promise<{ readonly digest: string; readonly files: Readonly<Record<string, string>> }> {
  const digests = memory === undefined ? undefined : new FileDigests(memory, DIGESTS);
  const files: Record<string, string> = {};
  const all = shards.reduce((sum, { bytes }) => sum + bytes, 0);
  let read = 0;
  for (const { name, bytes } of shards) {
    const shard = resolve(path, name), known = digests?.lookUp(shard);
    read += bytes;
    if (typeof known === "string") {
      files[name] = known;
      continue;
    }
    using file = openRandomAccess(shard);
    files[name] = await fileDigest(file, signal);
    known?.(files[name]);
    onBytes?.(read, all);
  }
  digests?.save();
  const { vision, text, tokens } = config;
  const settings = { vision: { ...vision }, text: { ...text }, tokens: { ...tokens } };
  const digest = createHash("sha256").update(canonicalJson({ settings, files })).digest("hex");
  return { digest, files };
}

function openShards(folder: string, readers: SafetensorsReader[]) {
  const index = join(folder, INDEX);
  const open = (name: string) => {
    const file = openRandomAccess(modelFile(folder, name));
    readers.push(openSafetensors(file));
    return { name, bytes: file.bytes };
  };
  if (!isFile(index)) return [open(isFile(join(folder, SINGLE)) ? SINGLE : INDEX)];
  const record = readJson(index, "index of weights").record("weight_map");
  const places = new Map(record.names().map((name) => [name, record.text(name)]));
  const names = [...new Set(places.values())].sort();
  const outside = names.find((name) => basename(name) !== name || ["", ".", ".."].includes(name));
  if (outside !== undefined || names.length === 0) {
    throw new SyntaxError(
      `Cannot read the index of weights ${index}: it should name files beside it, current value is ` +
        `${outside === undefined ? "none" : `"${outside}"`}. Download the model again.`,
    );
  }
  const shards = names.map(open);
  for (const [i, { names: found, path }] of readers.entries()) {
    const named = new Set([...places].filter(([, name]) => name === names[i]).map(([key]) => key));
    const problem = missingAndExtra(named, new Set(found));
    if (problem !== undefined) {
      throw new SyntaxError(
        `Cannot read ${path}: it should hold the tensors that ${INDEX} names, current value ` +
          `${problem}. Download both again.`,
      );
    }
  }
  return shards;
}

function tensorsOf(
  folder: string,
  config: VisionLanguageConfig,
  readers: readonly SafetensorsReader[],
): ModelFolder["tensors"] {
  const expected = modelTensors(config), redundant = redundantOf(config);
  const tensors = new Map<string, StoredTensor<"bfloat16" | "float32">>();
  const wrong: string[] = [];
  for (const reader of readers) {
    for (const stored of reader.names) {
      const name = publishedName(stored), tensor = reader.tensor(stored);
      if (tensors.has(name)) wrong.push(`${name} is there twice`);
      const shape = expected.get(name) ?? (name === "lm_head.weight" ? redundant : undefined);
      if (shape !== undefined && String(shape) !== String(tensor.shape)) {
        wrong.push(`${name} is ${shapeText(tensor.shape)} instead of ${shapeText(shape)}`);
      }
      if (tensor.dtype !== "bfloat16" && tensor.dtype !== "float32") {
        wrong.push(`${name} is ${tensor.dtype}, neither bfloat16 nor float32`);
      }
      if (name === "lm_head.weight" && redundant !== undefined) continue;
      tensors.set(name, tensor as StoredTensor<"bfloat16" | "float32">);
    }
  }
  const problem = missingAndExtra(new Set(expected.keys()), new Set(tensors.keys()));
  if (problem !== undefined) wrong.unshift(problem);
  if (wrong.length === 0) return tensors;
  throw new SyntaxError(
    `Cannot open the model ${folder}: its tensors should be those of config.json, current value: ` +
      `${listed(wrong, "; ")}. Download the model again.`,
  );
}

/** Shape of the output matrix that a tied model may hold although it is its embedding. */
function redundantOf({ text }: VisionLanguageConfig): readonly number[] | undefined {
  return text.tiedEmbeddings ? [text.vocabularySize, text.hiddenSize] : undefined;
}

function missingAndExtra(
  expected: ReadonlySet<string>,
  found: ReadonlySet<string>,
): string | undefined {
  const lacking = [...expected.difference(found)], extra = [...found.difference(expected)];
  const parts = [
    ...(lacking.length === 0 ? [] : [`lacks ${listed(lacking)}`]),
    ...(extra.length === 0 ? [] : [`has ${listed(extra)} besides`]),
  ];
  return parts.length === 0 ? undefined : parts.join(" and ");
}

function listed(items: readonly string[], separator = ", "): string {
  const rest = items.length - SHOWN;
  return items.slice(0, SHOWN).join(separator) + (rest > 0 ? `${separator}… ${rest} more` : "");
}
