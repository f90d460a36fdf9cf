import { basename, dirname, join } from "node:path";
import { recoverFolder } from "../formats/atomic_write.ts";
import { isFile, isFolder } from "../formats/_path.ts";
import type { StoredTensor } from "../formats/tensor_types.ts";
import type { TorchValue } from "../formats/torch_values.ts";
import type { PolicyConfig } from "../policies/config.ts";
import type { CheckpointDocument, CheckpointLosses, CheckpointNotes } from "./document.ts";
import { openFolder } from "./_folder.ts";
import { openTensorFile } from "./_tensor_file.ts";
import { openTorch } from "./_torch.ts";
import { ADAPTER_CONFIG } from "../vision_language/_file_names.ts";
import { DOCUMENT_FILE } from "./document.ts";
import {
  followPointer,
  isPointerFile,
  POINTER_NAMES,
  type PointerName,
  pointerPath,
  readPointer,
} from "./pointer.ts";

/**
 * How tensors lie in a checkpoint:
 * `folder`: ours; `safetensors`: one file of tensors;
 * `stage1`: a `.pt` dictionary of `sensor_encoder` and `action_expert`;
 * `model_state_dict`: a `.pt` dictionary with the state of the whole model;
 * `both`: a `.pt` dictionary with all three;
 * `state_dict`: a `.pt` file that is nothing but the state of a model.
 */
export type CheckpointLayout =
  | "folder"
  | "safetensors"
  | "stage1"
  | "model_state_dict"
  | "both"
  | "state_dict";

/** Tensors that belong to no policy and are no mistake either. */
export interface IgnoredTensors {
  /**
   * `vl_model`: the visual-language model; `lora`: its low-rank additions; `other`: all of our
   * folder's `other.safetensors`.
   */
  readonly name: "vl_model" | "lora" | "other";
  /** How many. */
  readonly tensors: number;
  /** Bytes of all. */
  readonly bytes: number;
}

/** Tensors of our folder's `other.safetensors`. */
export interface OtherTensorMaps {
  /** Of other models, in the order of the file that they come from. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** What an optimiser keeps for them, and what it keeps beside moments. */
  readonly training: ReadonlyMap<string, StoredTensor>;
}

/** Of a run, and of a model as published. */
const CONFIG_FILE = "config.json";
/** Names that a message lists. */
const SHOWN = 8;

/** What {@linkcode openCheckpoint} should find. */
export interface OpenCheckpointOptions {
  /** Which checkpoint of a run. @default {"latest"} */
  readonly which?: PointerName;
}

/** An open checkpoint of any layout, of which headers were read only. */
export interface OpenCheckpoint extends Disposable {
  /** The file or folder in the end, behind pointers. */
  readonly path: string;
  /** How its tensors lie. */
  readonly layout: CheckpointLayout;
  /** Prefixes that were taken off its keys, such as `module.`. */
  readonly wrappers: readonly string[];
  /** The policy's tensors by the keys of `policyShapes`, and all that is unknown. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** Tensors that are left out of `tensors`. */
  readonly ignored: readonly IgnoredTensors[];
  /** The configuration that it says it has; null where it says nothing. */
  readonly config: PolicyConfig | null;
  /** Settings of `config` that nobody named, such as `actionExpert.heads`; defaults stand for them. */
  readonly assumed: readonly string[];
  /** Training program, as recorded or as follows from the layout; null if unknown. */
  readonly program: string | null;
  /** As recorded; null if it is not. */
  readonly trainingStage: string | null;
  /** Completed epochs; null if unknown. */
  readonly epoch: number | null;
  /** From what the file itself counts epochs; null if it does not. */
  readonly epochBase: 0 | 1 | null;
  /** Completed optimiser steps; null if unknown. */
  readonly globalStep: number | null;
  /** How far the loss had come down. */
  readonly losses: CheckpointLosses;
  /** What else should be known, as sentences. */
  readonly remarks: readonly string[];
  /** `checkpoint.json`; null for other layouts. */
  readonly document: CheckpointDocument | null;
  /**
   * The features that it was trained on, and what of their model was trained with it, wherever it says
   * so: in its document, or in a `.pt` or `.safetensors` file of ours. Null where it says neither.
   */
  readonly notes: CheckpointNotes | null;
  /** The `.pt` file's top level (a dictionary is a `Map`); null for other layouts. */
  readonly value: TorchValue | null;
  /**
   * Moments and averages of our folder, by the keys of `CheckpointInput.training`; of a `.pt` file its
   * averages alone. Only headers are read.
   *
   * @returns null where there are none
   * @throws {SyntaxError} when the file is damaged
   */
  training(): ReadonlyMap<string, StoredTensor> | null;
  /**
   * Tensors of other models: those that a conversion or a second stage put into our folder, and those
   * of a visual-language model in other files.
   *
   * @returns null where there are none
   */
  others(): OtherTensorMaps | null;
  /**
   * Compares the digests of our folder's files, and tensors that a `.pt` file holds twice; reads them
   * whole.
   *
   * @param options which files; default all
   * @throws {SyntaxError} naming the file or tensor that is not as it was written
   */
  verify(options?: VerifyFilesOptions): Promise<void>;
  /** Closes it; closing twice is harmless. */
  close(): void;
}

/** What is verified. */
export interface VerifyFilesOptions {
  /** Look at the policy's own tensors only. @default {false} */
  readonly modelOnly?: boolean;
  /** Leave out the optimiser's file. @default {false} */
  readonly weightsOnly?: boolean;
  /** Stops the reading. */
  readonly signal?: AbortSignal;
}

/**
 * Opens a checkpoint of any known layout; headers are read only, however large it is.
 *
 * Known are our folders, folders of runs (whose pointers are followed), `.safetensors` files, and
 * `.pt` files in all layouts of the Python reference's programs, with or without the prefixes of
 * wrappers. Nothing in a file is executed.
 *
 * @param path of a checkpoint, a run or a pointer
 * @param options which checkpoint of a run
 * @returns the open checkpoint; close it, or hold it with `using`
 * @throws {Deno.errors.NotFound} when it is not there, or a run has no such checkpoint
 * @throws {SyntaxError} when it is damaged, or is no checkpoint
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { writeTorchCheckpoint } from "../formats/mod.ts";
 * import { openCheckpoint } from "./mod.ts";
 *
 * const path = `${Deno.makeTempDirSync()}/qwen_vla_sensor_best.pt`;
 * const bias = { dtype: "float32", shape: [2], data: new Float32Array(2) } as const;
 * writeTorchCheckpoint(path, {
 *   epoch: 4,
 *   sensor_encoder: null,
 *   action_expert: { "module.output_head.1.bias": bias },
 *   training_stage: "stage1",
 * });
 * using checkpoint = openCheckpoint(path);
 * assert.deepEqual([...checkpoint.tensors.keys()], ["action_expert.output_head.1.bias"]);
 * assert.deepEqual([checkpoint.layout, checkpoint.epoch], ["stage1", 5]);
 * ```
 */
export function openCheckpoint(
  path: string,
  { which = "latest" }: OpenCheckpointOptions = {},
): OpenCheckpoint {
  if (isFile(path)) {
    if (basename(path) === DOCUMENT_FILE) return openFolder(dirname(path));
    if (isPointerFile(path)) return openCheckpoint(followPointer(path));
    return isTensorFile(path) ? openTensorFile(path) : openTorch(path);
  }
  recoverFolder(path);
  if (!isFolder(path)) {
    throw new Deno.errors.NotFound(
      `Cannot open checkpoint ${path}: there is no such file or folder. Check the path.`,
    );
  }
  if (isFile(join(path, DOCUMENT_FILE))) return openFolder(path);
  if (POINTER_NAMES.some((name) => isFile(pointerPath(path, name)))) {
    return openCheckpoint(readPointer(path, which));
  }
  throw new SyntaxError(
    `Cannot open checkpoint ${path}: the folder should hold ${DOCUMENT_FILE}, or the pointers of a ` +
      `run, current value is neither. ${
        insideOf(path) ?? "It is no checkpoint, or was not copied completely."
      }`,
  );
}

/** Names the folders in a folder that could be meant instead of it. */
function insideOf(path: string): string | null {
  const has = (name: string, file: string) => isFile(join(path, name, file));
  const isMeant = (name: string) =>
    [DOCUMENT_FILE, CONFIG_FILE, ADAPTER_CONFIG].some((file) => has(name, file)) ||
    POINTER_NAMES.some((pointer) => isFile(pointerPath(join(path, name), pointer)));
  const names = [...Deno.readDirSync(path)].map(({ name }) => name).filter(isMeant).sort();
  if (names.length === 0) return null;
  const more = names.length > SHOWN ? `, … and ${names.length - SHOWN} more` : "";
  return `Name one in it, a checkpoint, run, model or adapter: ${
    names.slice(0, SHOWN).join(", ")
  }${more}`;
}

/** Tensor files begin with the length of their header, a little-endian number of 8 bytes. */
function isTensorFile(path: string): boolean {
  if (path.endsWith(".safetensors")) return true;
  using file = Deno.openSync(path);
  const head = new Uint8Array(9);
  return file.readSync(head) === head.length && head[6] === 0 && head[7] === 0 && head[8] === 0x7b;
}
