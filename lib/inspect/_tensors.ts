import { elementCount } from "../formats/_dtype.ts";
import type { NpyReader } from "../formats/npy_reader.ts";
import type { NpyArray, NpyTypedArray } from "../formats/npy_types.ts";
import { type Accumulator, accumulatorOf, type NumberArray } from "./_accumulate.ts";
import { breathe } from "../episodes/_breathe.ts";
import type { InspectOptions, TensorEntry } from "./inspection.ts";

/** Values read at a time. */
const BLOCK_BYTES = 4 << 20;
/** Columns of wider tables are alike; those of others may have units of their own. */
const MOST_COLUMNS = 12;

/** Figures of an array, and of its columns where it is a narrow table. */
type Figures = Pick<TensorEntry, "statistics" | "columns">;

/** What is said about an array on disk; its values are read only for statistics. */
export async function describeReader(
  name: string,
  reader: NpyReader,
  options: InspectOptions,
): Promise<TensorEntry> {
  const { dtype, shape } = reader;
  const bytes = elementCount(shape) * elementBytes(dtype, reader);
  const entry = { name, dtype, shape, bytes };
  return options.stats ? { ...entry, ...await statisticsOf(name, reader, options) } : entry;
}

/** What is said about an array in memory. */
export function describeArray(name: string, array: NpyArray, stats = false): TensorEntry {
  const { dtype, shape, data } = array;
  const bytes = ArrayBuffer.isView(data)
    ? data.byteLength
    : elementCount(shape) * elementBytes(dtype, undefined);
  const entry = { name, dtype, shape, bytes };
  if (!stats) return entry;
  const accumulator = tableAccumulator(dtype, shape);
  accumulator?.add(data as NumberArray);
  return { ...entry, ...accumulator?.result() ?? { statistics: null } };
}

async function statisticsOf(
  name: string,
  reader: NpyReader,
  { signal, onProgress }: InspectOptions,
): Promise<Figures> {
  const accumulator = tableAccumulator(reader.dtype, reader.shape);
  if (accumulator === undefined) return { statistics: null };
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

/** Gathers whole rows. */
function tableAccumulator(dtype: string, shape: readonly number[]) {
  const whole = accumulatorOf(dtype);
  if (whole === undefined) return undefined;
  const width = shape.length === 2 && !dtype.startsWith("complex") ? shape[1]! : 0;
  const isTable = width > 1 && width <= MOST_COLUMNS;
  const columns = isTable ? Array.from({ length: width }, () => accumulatorOf(dtype)!) : [];
  return {
    add(values: NumberArray): void {
      whole.add(values);
      columns.forEach((column, c) => column.add(everyNth(values, c, width)));
    },
    result: (): Figures => ({
      statistics: whole.result(),
      ...(isTable ? { columns: columns.map((column: Accumulator) => column.result()) } : {}),
    }),
  };
}

function everyNth(values: NumberArray, first: number, step: number): NumberArray {
  const picked = values.slice(0, values.length / step);
  for (let i = 0; i < picked.length; i++) picked[i] = values[first + i * step]!;
  return picked;
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
