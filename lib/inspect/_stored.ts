import { breathe } from "../episodes/_breathe.ts";
import { widenBfloat16 } from "../formats/bfloat16.ts";
import { rowBlocks } from "../formats/_row_blocks.ts";
import { verifyStorage } from "../formats/_torch_record.ts";
import type { StoredTensor } from "../formats/tensor_types.ts";
import { type TorchStorage, TorchTensor } from "../formats/torch_values.ts";
import { accumulatorOf, type NumberArray } from "./_accumulate.ts";
import type { InspectOptions, TensorEntry } from "./inspection.ts";

/** Storages that were read as a whole: their CRC-32 says nothing about rows. */
const verified = new WeakSet<TorchStorage>();

/** What is said about a tensor of a checkpoint; its values are read only for statistics. */
export async function describeStored(
  name: string,
  tensor: StoredTensor,
  { stats, signal, onProgress }: InspectOptions,
): Promise<TensorEntry> {
  const { dtype, shape, bytes } = tensor;
  const entry = { name, dtype, shape, bytes };
  if (!stats) return entry;
  if (tensor instanceof TorchTensor && !verified.has(tensor.storage)) {
    await verifyStorage(tensor.storage, signal);
    verified.add(tensor.storage);
  }
  const isBfloat16 = dtype === "bfloat16";
  const accumulator = accumulatorOf(isBfloat16 ? "float32" : dtype);
  if (accumulator === undefined) return { ...entry, statistics: null };
  const add = (values: unknown) =>
    accumulator.add(
      (isBfloat16 ? widenBfloat16(values as Uint16Array) : values) as NumberArray,
    );
  for (const [start, end] of rowBlocks(name, tensor)) {
    add(tensor.readRows(start, end));
    if (start > 0) onProgress?.(name, start, shape[0]!);
    await breathe(signal);
  }
  return { ...entry, statistics: accumulator.result() };
}
