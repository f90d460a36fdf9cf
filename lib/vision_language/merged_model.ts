import { join } from "node:path";
import { breathe } from "../episodes/_breathe.ts";
import { narrowToBfloat16, toFloat32, widenBfloat16 } from "../formats/bfloat16.ts";
import { openSafetensors } from "../formats/safetensors.ts";
import { writeSafetensors } from "../formats/safetensors_writer.ts";
import type { StoredTensor, TensorArray, TensorInput } from "../formats/tensor_types.ts";
import { modelFile } from "./_model_file.ts";
import type { Adapter } from "./adapter_file.ts";
import { loraKey } from "./lora.ts";
import { type ModelFolder, openModelFolder } from "./model_folder.ts";
import { publishedName } from "./tensor_names.ts";

/** What becomes of a tensor's values, in C order of its shape in files. */
export type WeightChange = (base: Float32Array<ArrayBuffer>) => Float32Array<ArrayBuffer>;

/** What a merged model is. */
export interface MergedModel {
  /** Tensors of the model. */
  readonly tensors: number;
  /** Of these, those that differ from the published ones. */
  readonly changed: number;
  /** Dtypes of the changed ones, e.g. `bfloat16`. */
  readonly dtypes: readonly string[];
  /**
   * L2 norm of what rounding to these dtypes moved, relative to that of the change; 0 where nothing
   * changed.
   */
  readonly rounding: number;
}

/** Files of other programs' weights are not copied. */
const WEIGHTS = /\.(safetensors|bin|pth?|ckpt|gguf|h5|msgpack|onnx)$/i;

/**
 * What an adapter makes of a model's matrices, `W + α/r · B A`: added in float64 and rounded once to
 * the dtype of the file.
 *
 * @param adapter of the model
 * @returns changes by published name
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { mergeChanges } from "./mod.ts";
 *
 * const changes = mergeChanges({
 *   lora: { rank: 1, alpha: 2, dropout: 0, targets: ["q_proj"] },
 *   tensors: {
 *     "lora.q_proj.lora_A": { shape: [1, 2], data: new Float32Array([1, 3]) },
 *     "lora.q_proj.lora_B": { shape: [1, 1], data: new Float32Array([0.5]) },
 *   },
 *   settings: {},
 * });
 * assert.deepEqual(changes.get("q_proj.weight")!(new Float32Array([1, 1])), new Float32Array([2, 4]));
 * ```
 */
export function mergeChanges({ lora, tensors }: Adapter): Map<string, WeightChange> {
  const scale = lora.alpha / lora.rank, changes = new Map<string, WeightChange>();
  for (const [key, { shape: [rank, width], data: down }] of Object.entries(tensors)) {
    const module = /^lora\.(.+)\.lora_A$/.exec(key)?.[1];
    if (module === undefined) continue;
    const up = tensors[loraKey(module, "lora_B")]!.data;
    changes.set(`${module}.weight`, (base) => added(base, down, up, rank!, width!, scale));
  }
  return changes;
}

function added(
  base: Float32Array,
  down: Float32Array,
  up: Float32Array,
  rank: number,
  width: number,
  scale: number,
): Float32Array<ArrayBuffer> {
  const sum = new Float32Array(base.length), row = new Float64Array(width);
  for (let start = 0, o = 0; start < base.length; start += width, o++) {
    row.fill(0);
    for (let k = 0; k < rank; k++) {
      const factor = up[o * rank + k]! * scale, at = k * width;
      for (let i = 0; i < width; i++) row[i]! += factor * down[at + i]!;
    }
    for (let i = 0; i < width; i++) sum[start + i] = base[start + i]! + row[i]!;
  }
  return sum;
}

/**
 * Writes a model's folder as published with some of its tensors changed: the same shards, names,
 * dtypes and small files. Tensors are read and changed one at a time.
 *
 * @param target a new folder, which exists and is empty
 * @param folder of the model
 * @param changes by published name
 * @param signal stops the work between files
 * @returns what was written
 * @throws {RangeError} when a change is of no tensor of the model, or of another size
 * @throws {Error} when the disk is full
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { mergeChanges, openModelFolder, readAdapter, writeMergedModel } from "./mod.ts";
 *
 * using base = openModelFolder("data-fixtures/vision_language/model");
 * const adapter = readAdapter("data-fixtures/vision_language/lora/attn", base.config);
 * const target = Deno.makeTempDirSync();
 * const { changed } = await writeMergedModel(target, base, mergeChanges(adapter));
 * using merged = openModelFolder(target);
 * assert.deepEqual([changed, merged.tensors.size], [12, base.tensors.size]);
 * ```
 */
export async function writeMergedModel(
  target: string,
  folder: ModelFolder,
  changes: ReadonlyMap<string, WeightChange>,
  signal?: AbortSignal,
): Promise<MergedModel> {
  const stray = [...changes.keys()].find((name) => !folder.tensors.has(name));
  if (stray !== undefined) {
    throw new RangeError(
      `Cannot merge into ${folder.path}: its tensors should be those that were trained, current ` +
        `value is without ${stray}. Is it the model that was trained?`,
    );
  }
  const total = { moved: 0, changed: 0, dtypes: new Set<string>(), tensors: 0 };
  for (const { name: shard } of folder.shards) {
    using reader = openSafetensors(modelFile(folder.path, shard));
    const named = reader.names.map((stored): [string, TensorInput] => {
      const tensor = reader.tensor(stored) as StoredTensor<"bfloat16" | "float32">;
      const name = publishedName(stored);
      // A tied model may hold its embedding twice.
      const isCopy = name === "lm_head.weight" && folder.config.text.tiedEmbeddings;
      const change = changes.get(isCopy ? "model.embed_tokens.weight" : name);
      return [stored, change === undefined ? tensor : changedTensor(name, tensor, change, total)];
    });
    writeSafetensors(join(target, shard), new Map(named), reader.metadata);
    await breathe(signal);
  }
  for (const { name } of Deno.readDirSync(folder.path)) {
    const path = join(folder.path, name);
    if (!WEIGHTS.test(name) && Deno.statSync(path).isFile) {
      Deno.copyFileSync(path, join(target, name));
    }
  }
  openModelFolder(target).close();
  return {
    ...{ tensors: folder.tensors.size, changed: changes.size, dtypes: [...total.dtypes].sort() },
    rounding: total.changed === 0 ? 0 : Math.sqrt(total.moved / total.changed),
  };
}

function changedTensor(
  name: string,
  { dtype, shape, read }: StoredTensor<"bfloat16" | "float32">,
  change: WeightChange,
  total: { moved: number; changed: number; dtypes: Set<string> },
): TensorInput {
  total.dtypes.add(dtype);
  return {
    ...{ dtype, shape },
    read: (): TensorArray => {
      const base = toFloat32(read()), values = change(base);
      if (values.length !== base.length) {
        throw new RangeError(
          `Cannot merge ${name}: it should be of ${base.length} numbers, current value is ` +
            `${values.length}. Is it the model that was trained?`,
        );
      }
      const narrow = dtype === "bfloat16" ? narrowToBfloat16(values) : undefined;
      const kept = narrow === undefined ? values : widenBfloat16(narrow);
      for (let i = 0; i < base.length; i++) {
        total.moved += (kept[i]! - values[i]!) ** 2;
        total.changed += (values[i]! - base[i]!) ** 2;
      }
      return narrow === undefined
        ? { dtype: "float32", shape, data: values }
        : { dtype: "bfloat16", shape, data: narrow };
    },
  };
}
