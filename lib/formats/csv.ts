import { CsvScanner } from "./_csv_scanner.ts";
import { fromBytes } from "./bytes_file.ts";
import type { CsvOptions, CsvTable } from "./csv_options.ts";
import { openRandomAccess, type RandomAccessFile } from "./random_access_file.ts";

/** Values of a block: enough to make the work per block small, few enough for the cache. */
const BLOCK_VALUES = 2 ** 15;

/**
 * Reads columns of numbers from a CSV file (RFC 4180, UTF-8, separated by commas, first line the
 * names). Numbers are rounded correctly, as by `Number()`; anything that is not as it should be is
 * an error that says where.
 *
 * @param path of the file
 * @param options which columns, and how lenient; default all columns and strict
 * @returns header, number of rows, and a Float64Array per column
 * @throws {SyntaxError} with line and column: a missing or double column, a row of another length, a
 * field that is no number, a blank line between rows, an unclosed quote, a last line cut short
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { readCsv } from "./mod.ts";
 *
 * const path = `${Deno.makeTempDirSync()}/robot.csv`;
 * Deno.writeTextFileSync(path, "time,pose_x,note\n0.00,190.5,start\n0.01,190.25,\n");
 * const { rows, columns } = readCsv(path, { columns: ["time", "pose_x"] });
 * assert.equal(rows, 2);
 * assert.deepEqual(columns.pose_x, new Float64Array([190.5, 190.25]));
 * assert.throws(() => readCsv(path), /line 2, column 3 \("note"\): it should be a number/);
 * ```
 */
export function readCsv<
  const Required extends string = string,
  const Optional extends string = never,
>(
  path: string,
  options: CsvOptions<Required, Optional> = {},
): CsvTable<Required, Optional> {
  using file = openRandomAccess(path);
  return readTable(file, options);
}

/**
 * Reads columns of numbers from CSV text in memory; {@linkcode readCsv} tells the rest.
 *
 * @param bytes UTF-8 text
 * @param options as of `readCsv`, and `name`, which stands in errors for the path
 * @returns header, number of rows, and a Float64Array per column
 * @throws {SyntaxError} with line and column, as `readCsv` does
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseCsv } from "./mod.ts";
 *
 * const { columns } = parseCsv(new TextEncoder().encode("a,b\n1,2\n3,4\n"), { name: "two rows" });
 * assert.deepEqual(columns, { a: new Float64Array([1, 3]), b: new Float64Array([2, 4]) });
 * ```
 */
export function parseCsv<
  const Required extends string = string,
  const Optional extends string = never,
>(
  bytes: Uint8Array,
  options: CsvOptions<Required, Optional> & { readonly name?: string } = {},
): CsvTable<Required, Optional> {
  return readTable(fromBytes(bytes, options.name ?? "CSV text"), options);
}

function readTable<Required extends string, Optional extends string>(
  file: RandomAccessFile,
  options: CsvOptions<Required, Optional>,
): CsvTable<Required, Optional> {
  using scanner = new CsvScanner(
    file,
    options,
    (columns) => Math.floor(BLOCK_VALUES / Math.max(1, columns)),
  );
  const { header, names } = scanner.plan;
  let columns = names.map(() => new Float64Array(0));
  let rows = 0;
  for (let read: number; (read = scanner.next()) > 0; rows += read) {
    if (columns.length > 0 && rows + read > columns[0]!.length) {
      const length = expectedRows(file.bytes, rows + read, scanner.consumed);
      columns = columns.map((column) => resized(column, length));
    }
    for (let slot = 0; slot < names.length; slot++) {
      columns[slot]!.set(scanner.column(slot, read), rows);
    }
  }
  const result = names.map((name, slot) => [name, resized(columns[slot]!, rows)]);
  return {
    header,
    rows,
    columns: Object.fromEntries(result) as CsvTable<Required, Optional>["columns"],
    tornLastLine: scanner.tornLastLine,
  };
}

/** Rows of the whole file, if the rest is like what was read, and 1 % more. */
function expectedRows(fileBytes: number, rows: number, consumed: number): number {
  return Math.max(rows, Math.ceil(rows * Math.max(1, fileBytes / consumed) * 1.01) + 8);
}

function resized(column: Float64Array<ArrayBuffer>, rows: number): Float64Array<ArrayBuffer> {
  return rows === column.length ? column : new Float64Array(column.buffer.transfer(8 * rows));
}
