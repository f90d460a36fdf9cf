import { createHash } from "node:crypto";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { breathe } from "../episodes/_breathe.ts";
import { isThere } from "../formats/_path.ts";
import { writeFileAtomic } from "../formats/atomic_write.ts";
import { writeSafetensors } from "../formats/safetensors_writer.ts";
import type { StoredTensor } from "../formats/tensor_types.ts";
import { INDEX } from "./_file_names.ts";
import { RANDOM_BLOCK, RandomBlock, randomTensor, randomTensors } from "./_random_tensors.ts";
import { readModelConfig } from "./config.ts";
import type { ModelFolder } from "./model_folder.ts";

/** Sizes of models with random weights: that of the published 3B, and one of 0.3 MB for tests. */
export const RANDOM_SIZES = ["3b", "tiny"] as const;

/** One of {@linkcode RANDOM_SIZES}. */
export type RandomSize = typeof RANDOM_SIZES[number];

/** Which random weights. */
export interface RandomModelOptions {
  /** Equal seeds give equal weights. Default: 0 */
  readonly seed?: number;
}

/** How a folder of random weights is written. */
export interface WriteRandomModelOptions extends RandomModelOptions {
  /** A shard ends before the tensor that would pass this. Default: 4 GB, two shards of the 3B */
  readonly shardBytes?: number;
  /** Called after each shard with the bytes written so far and in all. */
  readonly onProgress?: (written: number, all: number) => void;
  /** Stops the work between two shards. */
  readonly signal?: AbortSignal;
}

const MEMORY = "memory";
/** Settings as published; the tokenizer holds a part of the published vocabulary, under its ids. */
const FOLDERS: Readonly<Record<RandomSize, Readonly<Record<"model" | "tokenizer", string>>>> = {
  "3b": { model: "3b", tokenizer: "tokenizer" },
  "tiny": { model: "model", tokenizer: "model" },
};

/**
 * A model of random weights that lies nowhere: its tensors are made while they are read, in no more
 * memory than theirs.
 *
 * @param size of the model
 * @param options seed
 * @returns the model as a folder, for {@linkcode loadWeights}
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { openRandomModel } from "./mod.ts";
 *
 * const { tensors } = openRandomModel("3b");
 * const bytes = tensors.values().reduce((sum, tensor) => sum + tensor.bytes, 0);
 * assert.equal(bytes, 7509245952);
 * ```
 */
export function openRandomModel(
  size: RandomSize,
  { seed = 0 }: RandomModelOptions = {},
): ModelFolder {
  if (!RANDOM_SIZES.includes(size) || !Number.isInteger(seed) || seed < 0 || seed >= 2 ** 32) {
    throw new RangeError(
      `Cannot make a random model: its size should be ${
        RANDOM_SIZES.join(" or ")
      } and its seed an ` +
        `integer from 0 to ${2 ** 32 - 1}, current value is ${size} and ${seed}.`,
    );
  }
  const config = readModelConfig(join(randomFolders(size).model, "config.json"));
  const block = new RandomBlock(seed), path = `random:${size}:${seed}`;
  const tensors = new Map(
    randomTensors(config).map((tensor) => [tensor.name, randomTensor(path, tensor, block)]),
  );
  const bytes = tensors.values().reduce((sum, tensor) => sum + tensor.bytes, 0);
  const close = () => {};
  return {
    path,
    config,
    shards: [{ name: MEMORY, bytes }],
    tensors,
    close,
    [Symbol.dispose]: close,
  };
}

/**
 * Writes a model of random weights as models are published: `config.json`, shards with their index,
 * `preprocessor_config.json` and the tokenizer's files. `config.json` is written last, so that a
 * folder that has one is whole.
 *
 * @param path of the folder, which is made; must not exist or be empty
 * @param size of the model
 * @param options seed, size of shards, progress
 * @throws {Deno.errors.AlreadyExists} when there is something at the path
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { openModelFolder, openRandomModel, writeRandomModel } from "./mod.ts";
 *
 * const path = Deno.makeTempDirSync();
 * await writeRandomModel(path, "tiny", { shardBytes: 100_000 });
 * using folder = openModelFolder(path);
 * assert(folder.shards.length > 1);
 * const name = "model.norm.weight";
 * assert.deepEqual(folder.tensors.get(name)!.read(), openRandomModel("tiny").tensors.get(name)!.read());
 * ```
 */
export async function writeRandomModel(
  path: string,
  size: RandomSize,
  options: WriteRandomModelOptions = {},
): Promise<void> {
  const { shardBytes = 4e9, onProgress, signal } = options;
  const { tensors, shards: [all] } = openRandomModel(size, options);
  if (
    isThere(path) && !(Deno.statSync(path).isDirectory && [...Deno.readDirSync(path)].length === 0)
  ) {
    throw new Deno.errors.AlreadyExists(
      `Cannot write a random model to ${path}: it should not exist or be an empty folder, current ` +
        "value is something else. Name another place or remove it.",
    );
  }
  Deno.mkdirSync(path, { recursive: true });
  const shards = cutShards(tensors, shardBytes), count = shards.length;
  const places: Record<string, string> = {};
  let written = 0;
  for (const [i, shard] of shards.entries()) {
    await breathe(signal);
    const number = (value: number) => String(value).padStart(5, "0");
    const name = `model-${number(i + 1)}-of-${number(count)}.safetensors`;
    writeSafetensors(join(path, name), shard, { format: "pt" });
    for (const [key, { bytes }] of shard) {
      places[key] = name;
      written += bytes;
    }
    onProgress?.(written, all!.bytes);
  }
  const index = { metadata: { total_size: all!.bytes }, weight_map: places };
  writeFileAtomic(join(path, INDEX), JSON.stringify(index, null, 2) + "\n");
  const folders = randomFolders(size);
  for (const name of ["tokenizer.json", "tokenizer_config.json"]) {
    Deno.copyFileSync(join(folders.tokenizer, name), join(path, name));
  }
  for (const name of ["preprocessor_config.json", "config.json"]) {
    Deno.copyFileSync(join(folders.model, name), join(path, name));
  }
}

/**
 * The digest of a model of random weights, for identities of features.
 *
 * @param size of the model
 * @param options seed
 * @returns SHA-256, hexadecimal
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { randomModelDigest } from "./mod.ts";
 *
 * assert.notEqual(randomModelDigest("3b"), randomModelDigest("3b", { seed: 1 }));
 * ```
 */
export function randomModelDigest(size: RandomSize, { seed = 0 }: RandomModelOptions = {}): string {
  const config = readModelConfig(join(randomFolders(size).model, "config.json"));
  const recipe = { seed, block: RANDOM_BLOCK, tensors: randomTensors(config) };
  return createHash("sha256").update(JSON.stringify(recipe)).digest("hex");
}

/** Where a random model's settings and tokenizer lie. */
export function randomFolders(size: RandomSize): Readonly<Record<"model" | "tokenizer", string>> {
  const at = (name: string) =>
    fileURLToPath(new URL(`../../data-fixtures/vision_language/${name}`, import.meta.url));
  const { model, tokenizer } = FOLDERS[size];
  return { model: at(model), tokenizer: at(tokenizer) };
}

function cutShards(
  tensors: ModelFolder["tensors"],
  most: number,
): Map<string, StoredTensor<"bfloat16" | "float32">>[] {
  const shards = [new Map<string, StoredTensor<"bfloat16" | "float32">>()];
  let held = 0;
  for (const [name, tensor] of tensors) {
    if (held > 0 && held + tensor.bytes > most) {
      shards.push(new Map());
      held = 0;
    }
    shards.at(-1)!.set(name, tensor);
    held += tensor.bytes;
  }
  return shards;
}
