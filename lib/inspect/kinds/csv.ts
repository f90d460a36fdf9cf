import { readCsvBlocks } from "../../formats/csv_blocks.ts";
import { openRandomAccess } from "../../formats/random_access_file.ts";
import { FloatAccumulator } from "../_accumulate.ts";
import { breathe } from "../../episodes/_breathe.ts";
import type { InspectOptions, Kind, Place, TensorEntry } from "../inspection.ts";

/** Rows of larger files are estimated. */
const COUNTED_BYTES = 4 << 20;
/** What the estimate is made from. */
const SAMPLE_BYTES = 1 << 18;
/** Rows that tell a column of numbers from one of texts. */
const SAMPLE_ROWS = 64;
const LENIENT = { empty: "nan", nan: "keep" } as const;
const NEWLINE = 10;

/** A table of numbers. */
export const csv: Kind = {
  name: "csv",
  summary: "*.csv: a table with a header line",
  claims: ({ name }) => name.endsWith(".csv"),
  inspect: async (place, options) => {
    const table = await describeCsv(place, options);
    const { header, rows, isEstimate, tensors } = table;
    const holds = contentOf(header);
    return {
      tensors,
      keys: header,
      details: {
        columns: header.length,
        rows,
        rowsAreEstimated: isEstimate,
        ...(holds === undefined ? {} : { holds }),
      },
    };
  },
};

/** What is known about a table. */
export interface CsvDescription {
  readonly header: readonly string[];
  readonly rows: number;
  /** Whether `rows` was computed from the size of the file. */
  readonly isEstimate: boolean;
  /** One entry per column. */
  readonly tensors: readonly TensorEntry[];
}

/** Describes a table: the first rows tell the kind of each column; all are read for statistics. */
export async function describeCsv(
  { path, bytes }: Pick<Place, "path" | "bytes">,
  options: InspectOptions,
): Promise<CsvDescription> {
  const { header } = firstBlock(path, []);
  const numeric = numericColumns(path, header);
  const describe = (rows: number, statistics?: ReadonlyMap<string, FloatAccumulator>) =>
    header.map((name): TensorEntry => {
      const isNumber = numeric.includes(name);
      const entry = {
        name,
        dtype: isNumber ? "float64" : "text",
        shape: [rows],
        bytes: isNumber ? 8 * rows : 0,
      };
      if (statistics === undefined) return entry;
      return { ...entry, statistics: statistics.get(name)?.result() ?? null };
    });

  if (options.stats || bytes <= COUNTED_BYTES) {
    const all = new Map(numeric.map((name) => [name, new FloatAccumulator()]));
    const columns = options.stats ? numeric : [];
    let rows = 0;
    for (const block of readCsvBlocks(path, { columns, ...LENIENT })) {
      for (const name of columns) all.get(name)!.add(block.columns[name]!);
      rows += block.rows;
      await breathe(options.signal);
    }
    const tensors = describe(rows, options.stats ? all : undefined);
    return { header, rows, isEstimate: false, tensors };
  }
  const rows = estimateRows(path);
  return { header, rows, isEstimate: true, tensors: describe(rows) };
}

function firstBlock<const Name extends string>(path: string, columns: readonly Name[]) {
  const blocks = readCsvBlocks(path, { columns, ...LENIENT, blockRows: SAMPLE_ROWS });
  const { value } = blocks.next();
  blocks.return();
  return value!;
}

/** Columns of which every field in the first rows is a number or blank, and one is a number. */
function numericColumns(path: string, header: readonly string[]): readonly string[] {
  const isNumeric = (columns: readonly string[]) => {
    try {
      const block = firstBlock(path, columns);
      return columns.every((name) =>
        block.rows === 0 || block.columns[name]!.some((value) => !Number.isNaN(value))
      );
    } catch (error) {
      if (error instanceof SyntaxError) return false;
      throw error;
    }
  };
  // Most tables hold numbers only; else it is asked by halves.
  const search = (columns: readonly string[]): readonly string[] => {
    if (columns.length === 0 || isNumeric(columns)) return columns;
    if (columns.length === 1) return [];
    const half = columns.length >> 1;
    return [...search(columns.slice(0, half)), ...search(columns.slice(half))];
  };
  return search(header);
}

function estimateRows(path: string): number {
  using file = openRandomAccess(path);
  const sample = file.read(0, Math.min(SAMPLE_BYTES, file.bytes));
  const header = sample.indexOf(NEWLINE) + 1, end = sample.lastIndexOf(NEWLINE) + 1;
  let rows = 0;
  for (let at = header; (at = sample.indexOf(NEWLINE, at) + 1) > 0;) rows++;
  return Math.round((file.bytes - header) * rows / Math.max(1, end - header));
}

function contentOf(header: readonly string[]): string | undefined {
  if (header.includes("JointPos_0")) return "robot log of mecademicpy";
  if (header.includes("pose_x") || header.includes("EE_x")) return "robot log";
  return undefined;
}
