import { breathe } from "../episodes/_breathe.ts";
import { Bfloat16Tensor, nativeBfloat16, tf, writtenTensor } from "../engine/mod.ts";
import { narrowToBfloat16, widenBfloat16 } from "../formats/bfloat16.ts";
import type { StoredTensor } from "../formats/tensor_types.ts";
import type { ModelFolder } from "./model_folder.ts";

/** A constant of the model. */
export type Weight = tf.Tensor | Bfloat16Tensor;

/**
 * Constants of a model by published name, as they are stored: matrices of linear layers are
 * `(out, in)`. The patch embedding is a matrix too.
 */
export type Weights = ReadonlyMap<string, Weight>;

/** How weights are loaded. */
export interface LoadWeightsOptions {
  /**
   * `stored` keeps matrices in the dtype of the files, bfloat16 as published; `bfloat16` rounds all
   * to it, `float32` widens all. Engines other than the native one hold float32. Default: `stored`
   */
  readonly dtype?: "stored" | "bfloat16" | "float32";
  /** Called after each tensor with the bytes read so far and in all. */
  readonly onProgress?: (read: number, all: number) => void;
  /** Stops the work. */
  readonly signal?: AbortSignal;
}

/**
 * Loads a model's weights into the engine, tensor by tensor: besides them no more than the largest
 * one is held.
 *
 * @param folder of the model
 * @param options dtype, progress
 * @returns the weights, which the caller disposes of
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { startEngine } from "../engine/mod.ts";
 * import { disposeWeights, loadWeights, openModelFolder } from "./mod.ts";
 *
 * await startEngine({ quiet: true });
 * using folder = openModelFolder("data-fixtures/vision_language/model");
 * const weights = await loadWeights(folder);
 * assert.deepEqual([...weights.keys()].sort(), [...folder.tensors.keys()].sort());
 * disposeWeights(weights);
 * ```
 */
export async function loadWeights(
  folder: ModelFolder,
  { dtype = "stored", onProgress, signal }: LoadWeightsOptions = {},
): Promise<Weights> {
  const all = folder.tensors.values().reduce((sum, { bytes }) => sum + bytes, 0);
  const weights = new Map<string, Weight>();
  let read = 0;
  try {
    for (const [name, tensor] of folder.tensors) {
      signal?.throwIfAborted();
      weights.set(name, loadOne(tensor, dtype));
      onProgress?.(read += tensor.bytes, all);
      await breathe(signal);
    }
  } catch (error) {
    disposeWeights(weights);
    throw error;
  }
  return weights;
}

/**
 * Frees weights.
 *
 * @param weights that nothing computes with any more
 */
export function disposeWeights(weights: Weights): void {
  weights.forEach((weight) => weight.dispose());
}

function loadOne(
  stored: StoredTensor<"bfloat16" | "float32">,
  asked: "stored" | "bfloat16" | "float32",
): Weight {
  const { shape } = stored;
  const isMatrix = shape.length > 1;
  const flat = isMatrix ? [shape[0]!, shape.slice(1).reduce((a, b) => a * b)] : shape;
  const dtype = asked === "stored" ? stored.dtype : asked;
  return isMatrix && dtype === "bfloat16" && nativeBfloat16()
    ? loadBfloat16(stored, flat)
    : loadFloat32(stored, flat, dtype === "bfloat16");
}

function loadBfloat16(
  stored: StoredTensor<"bfloat16" | "float32">,
  shape: readonly number[],
): Bfloat16Tensor {
  if (stored.dtype === "bfloat16") {
    return Bfloat16Tensor.written(shape, (bits) => stored.readInto(bits));
  }
  const wide = loadFloat32(stored, shape, false);
  const narrow = Bfloat16Tensor.from(wide);
  wide.dispose();
  return narrow;
}

function loadFloat32(
  stored: StoredTensor<"bfloat16" | "float32">,
  shape: readonly number[],
  rounds: boolean,
): tf.Tensor {
  return writtenTensor(shape, (values) => {
    if (stored.dtype === "bfloat16") {
      widenBfloat16(stored.read().data as Uint16Array<ArrayBuffer>, values);
      return;
    }
    stored.readInto(values);
    if (rounds) widenBfloat16(narrowToBfloat16(values), values);
  });
}
