import type { NpyReader } from "../formats/npy_reader.ts";
import type { NpyArray, NpyTypedArray } from "../formats/npy_types.ts";
import { accumulatorOf, type NumberArray } from "./_accumulate.ts";
import { breathe } from "../episodes/_breathe.ts";
import type { InspectOptions, TensorEntry, TensorStatistics } from "./inspection.ts";

/** Values read at a time. */
const BLOCK_BYTES = 4 << 20;

/** What is said about an array on disk; its values are read only for statistics. */
export async function describeReader(
  name: string,
  reader: NpyReader,
  options: InspectOptions,
): Promise<TensorEntry> {
  const { dtype, shape } = reader;
  const bytes = elements(shape) * elementBytes(dtype, reader);
  const entry = { name, dtype, shape, bytes };
  return options.stats
    ? { ...entry, statistics: await statisticsOf(name, reader, options) }
    : entry;
}

/** What is said about an array in memory. */
export function describeArray(name: string, array: NpyArray, stats = false): TensorEntry {
  const { dtype, shape, data } = array;
  const bytes = ArrayBuffer.isView(data)
    ? data.byteLength
    : elements(shape) * elementBytes(dtype, undefined);
  const entry = { name, dtype, shape, bytes };
  if (!stats) return entry;
  const accumulator = accumulatorOf(dtype);
  accumulator?.add(data as NumberArray);
  return { ...entry, statistics: accumulator?.result() ?? null };
}

async function statisticsOf(
  name: string,
  reader: NpyReader,
  { signal, onProgress }: InspectOptions,
): Promise<TensorStatistics | null> {
  const accumulator = accumulatorOf(reader.dtype);
  if (accumulator === undefined) return null;
  const { rows, rowLength } = reader;
  const empty = reader.readRows(0, 0) as NpyTypedArray;
  const perRow = rowLength * (reader.dtype.startsWith("complex") ? 2 : 1);
  const size = Math.max(1, Math.floor(BLOCK_BYTES / empty.BYTES_PER_ELEMENT / Math.max(1, perRow)));
  const make = empty.constructor as { new (length: number): NpyTypedArray };
  const block = new make(perRow === 0 ? 0 : Math.min(size, rows) * perRow);
  for (let start = 0; start < rows && perRow > 0; start += size) {
    const part = block.subarray(0, Math.min(size, rows - start) * perRow);
    reader.readRowsInto(start, part);
    accumulator.add(part);
    if (start > 0) onProgress?.(name, start, rows);
    await breathe(signal);
  }
  return accumulator.result();
}

function elements(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Bytes of one element; of a structured dtype, which tells its fields only with data, those of a row. */
function elementBytes(dtype: string, reader: NpyReader | undefined): number {
  if (dtype === "bool") return 1;
  if (/^(datetime64|timedelta64)/.test(dtype)) return 8;
  const [, kind, digits] = /^([A-Za-z]+)(\d+)$/.exec(dtype) ?? [];
  if (kind === "U") return 4 * Number(digits);
  if (kind === "S") return Number(digits);
  if (digits !== undefined) return Number(digits) / 8;
  if (reader === undefined || reader.rows === 0 || reader.rowLength === 0) return 0;
  const fields = Object.values(reader.readRows(0, 1) as unknown as Record<string, NpyArray>);
  const bytes = fields.reduce((sum, field) => sum + describeArray("", field).bytes, 0);
  return bytes / reader.rowLength;
}
