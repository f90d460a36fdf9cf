import { join } from "node:path";
import { replaceFolderAtomic } from "../formats/atomic_write.ts";
import { openRandomAccess } from "../formats/random_access_file.ts";
import { writeSafetensors } from "../formats/safetensors_writer.ts";
import type { TensorInput } from "../formats/tensor_types.ts";
import type { JsonValue } from "../features/canonical_json.ts";
import { describeMismatch } from "./_describe_mismatch.ts";
import { encodeDocument } from "./_document.ts";
import { fileDigest } from "./_file_digest.ts";
import { describeOther, OTHER_MEMBER } from "./_other.ts";
import {
  type CheckpointContents,
  type CheckpointDocument,
  type CheckpointFile,
  DOCUMENT_FILE,
  MODEL_FILE,
  OTHER_FILE,
  TRAINING_FILE,
} from "./document.ts";
import { isMatch, isSameShape, matchPolicy } from "./match.ts";

/** Tensors by key: in memory, or in files and read one at a time. */
export type NamedTensorInputs =
  | Readonly<Record<string, TensorInput>>
  | ReadonlyMap<string, TensorInput>;

/** What {@linkcode writeCheckpoint} writes. */
export interface CheckpointInput {
  /** Everything but the tensors. */
  readonly contents: CheckpointContents;
  /** The policy's, by keys and in shapes of `policyShapes`; floats of 16 or 32 bits. */
  readonly tensors: NamedTensorInputs;
  /**
   * `step`, and `step.KEY`, `exp_avg.KEY`, `exp_avg_sq.KEY`, `ema.KEY` in the shape of the tensor
   * `KEY`. Default none.
   */
  readonly training?: NamedTensorInputs;
  /** Tensors of other models and what an optimiser keeps for them, under any names. Default none. */
  readonly others?: {
    readonly tensors: NamedTensorInputs;
    readonly training?: NamedTensorInputs;
  };
}

/** As other programs mark files whose tensors are PyTorch's. */
const METADATA = { format: "pt" };
/** What an optimiser keeps for a parameter, in the parameter's shape. */
const MOMENTS = /^(exp_avg|exp_avg_sq|ema)\.(.*)$/s;

/**
 * Writes a checkpoint as a folder of `model.safetensors`, `training.safetensors`, where there are
 * tensors of other models `other.safetensors`, and `checkpoint.json`. The folder is there as a whole or not at all: it is built beside its place,
 * synced, and renamed; an older checkpoint there is replaced in one step.
 *
 * Tensors that lie in other files are read one at a time, so that all of them need not fit into
 * memory. A checkpoint that could not be loaded again is not written.
 *
 * @param folder its path; the parent must exist
 * @param input what to write
 * @returns `checkpoint.json` as written
 * @throws {RangeError} when tensors do not fit the configuration, naming them
 * @throws {TypeError} when something cannot be stored, naming it; nothing is written then
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { policyShapes, preset } from "../policies/mod.ts";
 * import { openCheckpoint, writeCheckpoint } from "./mod.ts";
 *
 * const config = preset("tiny", { architecture: "reference", fusion: "none" });
 * const tensors = Object.fromEntries(policyShapes(config).map(({ key, shape }) => {
 *   const data = new Float32Array(shape.reduce((product, size) => product * size, 1));
 *   return [key, { dtype: "float32" as const, shape, data }];
 * }));
 * const folder = `${Deno.makeTempDirSync()}/epoch-0003`;
 * await writeCheckpoint(folder, { contents: { config, epoch: 3 }, tensors });
 * using checkpoint = openCheckpoint(folder);
 * assert.deepEqual([checkpoint.layout, checkpoint.epoch], ["folder", 3]);
 * ```
 */
export async function writeCheckpoint(
  folder: string,
  { contents, tensors, training, others }: CheckpointInput,
): Promise<CheckpointDocument> {
  const model = asMap(tensors), moments = training === undefined ? undefined : asMap(training);
  checkModel(folder, contents, model);
  if (moments !== undefined) checkMoments(folder, model, moments);
  encodeDocument(folder, contents, placeholders(moments !== undefined)); // before anything is written
  let document: CheckpointDocument | undefined;
  await replaceFolderAtomic(folder, async (temporary) => {
    writeSafetensors(join(temporary, MODEL_FILE), model, METADATA);
    if (moments !== undefined) writeSafetensors(join(temporary, TRAINING_FILE), moments, METADATA);
    const files: CheckpointFile[] = [];
    for (const name of [MODEL_FILE, ...(moments === undefined ? [] : [TRAINING_FILE])]) {
      using file = openRandomAccess(join(temporary, name));
      files.push({ name, bytes: file.bytes, sha256: await fileDigest(file) });
    }
    const extra = others === undefined ? {} : await writeOthers(temporary, others);
    const all = { ...contents, extra: { ...contents.extra, ...extra } };
    const encoded = encodeDocument(folder, all, files);
    Deno.writeTextFileSync(join(temporary, DOCUMENT_FILE), encoded.text);
    document = encoded.document;
  });
  return document!;
}

/** Writes the file of other models' tensors; returns what `extra` says of it. */
async function writeOthers(
  folder: string,
  { tensors, training = {} }: NonNullable<CheckpointInput["others"]>,
): Promise<Record<string, JsonValue>> {
  const own = asMap(tensors), path = join(folder, OTHER_FILE);
  writeSafetensors(path, new Map([...own, ...asMap(training)]), METADATA);
  using file = openRandomAccess(path);
  return { [OTHER_MEMBER]: describeOther(file.bytes, await fileDigest(file), [...own.keys()]) };
}

function asMap(tensors: NamedTensorInputs): ReadonlyMap<string, TensorInput> {
  return tensors instanceof Map ? tensors : new Map(Object.entries(tensors));
}

function checkModel(
  folder: string,
  { config }: CheckpointContents,
  tensors: ReadonlyMap<string, TensorInput>,
): void {
  const report = matchPolicy(config, tensors);
  if (isMatch(report)) return;
  throw new RangeError(
    `Cannot write checkpoint ${folder}: its tensors should be those of its configuration, current ` +
      `value is ${describeMismatch(report).join("; ")}.`,
  );
}

function checkMoments(
  folder: string,
  model: ReadonlyMap<string, TensorInput>,
  moments: ReadonlyMap<string, TensorInput>,
): void {
  for (const [name, { shape }] of moments) {
    const [, , key] = MOMENTS.exec(name) ?? [];
    const fits = key === undefined
      ? name === "step" || (name.startsWith("step.") && model.has(name.slice("step.".length)))
      : isSameShape(shape, model.get(key)?.shape ?? [-1]);
    if (fits) continue;
    throw new RangeError(
      `Cannot write checkpoint ${folder}: state of training should be step, step.KEY, exp_avg.KEY, ` +
        `exp_avg_sq.KEY or ema.KEY in the shape of the policy's tensor KEY, current value is ` +
        `${JSON.stringify(name)} (${shape.join(", ")}).`,
    );
  }
}

function placeholders(hasTraining: boolean): CheckpointFile[] {
  const names = hasTraining ? [MODEL_FILE, TRAINING_FILE] : [MODEL_FILE];
  return names.map((name) => ({ name, bytes: 0, sha256: "0".repeat(64) }));
}
