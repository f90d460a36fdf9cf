import { CsvScanner } from "./_csv_scanner.ts";
import type { CsvOptions, CsvTable } from "./csv_options.ts";
import { openRandomAccess } from "./random_access_file.ts";

/** Some rows of a CSV file, one after the other. */
export interface CsvBlock<Required extends string = string, Optional extends string = never>
  extends CsvTable<Required, Optional> {
  /** Index of the block's first row in the file, from 0. */
  readonly firstRow: number;
  /** As in {@linkcode CsvTable}; known, and so perhaps true, only in the last block. */
  readonly tornLastLine: boolean;
}

/** How a CSV file is read in blocks. */
export interface CsvBlockOptions<Required extends string = string, Optional extends string = never>
  extends CsvOptions<Required, Optional> {
  /** Rows of a block, the last one aside; default so many that a block is about 1 MiB. */
  readonly blockRows?: number;
}

const BLOCK_VALUES = 2 ** 17, MAX_BLOCK_VALUES = 2 ** 26;

/**
 * Reads columns of numbers from a CSV file of any size, block by block; the memory needed does not
 * grow with the file. {@linkcode readCsv} tells what is read and what is refused.
 *
 * @param path of the file
 * @param options as of `readCsv`, and the rows of a block
 * @returns the blocks in order, at least one, which has no rows if the file has none; their arrays
 * are the caller's own
 * @throws {SyntaxError} with line and column, as `readCsv` does, when the reading gets there
 * @throws {RangeError} when `blockRows` is no whole number from 1, or makes blocks over 512 MiB
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { readCsvBlocks } from "./mod.ts";
 *
 * const path = `${Deno.makeTempDirSync()}/long.csv`;
 * Deno.writeTextFileSync(path, "a\n" + Array.from({ length: 10 }, (_, k) => `${k}\n`).join(""));
 * const sums = [];
 * for (const { columns } of readCsvBlocks(path, { columns: ["a"], blockRows: 4 })) {
 *   sums.push(columns.a.reduce((sum, value) => sum + value));
 * }
 * assert.deepEqual(sums, [0 + 1 + 2 + 3, 4 + 5 + 6 + 7, 8 + 9]);
 * ```
 */
export function* readCsvBlocks<
  const Required extends string = string,
  const Optional extends string = never,
>(
  path: string,
  options: CsvBlockOptions<Required, Optional> = {},
): Generator<CsvBlock<Required, Optional>, void, void> {
  const { blockRows } = options;
  if (blockRows !== undefined && !(Number.isSafeInteger(blockRows) && blockRows > 0)) {
    refuse(path, "blockRows should be a whole number from 1", blockRows);
  }
  using file = openRandomAccess(path);
  using scanner = new CsvScanner(
    file,
    options,
    (columns) => {
      const rows = blockRows ?? Math.floor(BLOCK_VALUES / Math.max(1, columns));
      if (rows > 1 && rows * columns > MAX_BLOCK_VALUES) {
        refuse(path, `a block should hold at most ${MAX_BLOCK_VALUES} values`, rows * columns);
      }
      return rows;
    },
  );
  const { header, names } = scanner.plan;
  // The next block is read first, to know of the last one that it is the last.
  let firstRow = 0;
  for (let rows = scanner.next(), first = true; rows > 0 || first; first = false) {
    const columns = Object.fromEntries(
      names.map((name, slot) => [name, scanner.column(slot, rows).slice()]),
    ) as CsvBlock<Required, Optional>["columns"];
    const next = rows > 0 ? scanner.next() : 0;
    const tornLastLine = next === 0 && scanner.tornLastLine;
    yield { header, firstRow, rows, columns, tornLastLine };
    firstRow += rows;
    rows = next;
  }
}

function refuse(path: string, should: string, current: number): never {
  throw new RangeError(
    `Cannot read ${path}: ${should}, current value is ${current}. Choose other blockRows.`,
  );
}
