import { breathe } from "../episodes/_breathe.ts";
import { widenBfloat16 } from "../formats/bfloat16.ts";
import type { StoredTensor } from "../formats/tensor_types.ts";
import { accumulatorOf, type NumberArray } from "./_accumulate.ts";
import type { InspectOptions, TensorEntry } from "./inspection.ts";

/** Elements read at a time. */
const BLOCK_ELEMENTS = 1 << 20;

/** What is said about a tensor of a checkpoint; its values are read only for statistics. */
export async function describeStored(
  name: string,
  tensor: StoredTensor,
  { stats, signal, onProgress }: InspectOptions,
): Promise<TensorEntry> {
  const { dtype, shape, bytes } = tensor;
  const entry = { name, dtype, shape, bytes };
  if (!stats) return entry;
  const isBfloat16 = dtype === "bfloat16";
  const accumulator = accumulatorOf(isBfloat16 ? "float32" : dtype);
  if (accumulator === undefined) return { ...entry, statistics: null };
  const add = (values: unknown) =>
    accumulator.add(
      (isBfloat16 ? widenBfloat16(values as Uint16Array) : values) as NumberArray,
    );
  const rows = shape[0] ?? 1;
  const rowLength = shape.slice(1).reduce((product, size) => product * size, 1);
  if (shape.length === 0) add(tensor.read().data);
  const size = Math.max(1, Math.floor(BLOCK_ELEMENTS / Math.max(1, rowLength)));
  for (let start = 0; start < rows && shape.length > 0 && rowLength > 0; start += size) {
    add(tensor.readRows(start, Math.min(rows, start + size)));
    if (start > 0) onProgress?.(name, start, rows);
    await breathe(signal);
  }
  return { ...entry, statistics: accumulator.result() };
}
