import { writeFileAtomic } from "./atomic_write.ts";
import { shown } from "./_csv_error.ts";
import { writeAll } from "./_partial_file.ts";

/** Columns of numbers to be written. */
export interface CsvContents {
  /** Names of the columns in the order of the file. */
  readonly header: readonly string[];
  /** A column per name of the header, all of one length. */
  readonly columns: Readonly<Record<string, ArrayLike<number>>>;
  /** End of the lines; default `"\n"`. */
  readonly newline?: "\n" | "\r\n";
  /**
   * Digits behind the dot, 0 to 100, by name of the column; default as many as are needed to read
   * the same float64 again.
   */
  readonly decimals?: Readonly<Record<string, number>>;
}

const PIECE_CHARACTERS = 2 ** 18;

/**
 * Writes columns of numbers as a CSV file, which is there as a whole or not at all. Numbers that
 * are not finite are written as `nan`, `inf` and `-inf`, which `readCsv` takes with
 * `{nan: "keep"}`.
 *
 * @param path of the file; its folder must exist
 * @param contents header, a column `(rows)` for each of its names, and how they are written
 * @throws {TypeError} when a column is missing, or not in the header
 * @throws {RangeError} when columns differ in length, names are double or hold line breaks, or the
 * decimals are not 0 to 100
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { writeCsv } from "./mod.ts";
 *
 * const path = `${Deno.makeTempDirSync()}/robot.csv`;
 * const columns = { time: [0, 0.01], pose_x: [190.5, 190.25] };
 * writeCsv(path, { header: ["time", "pose_x"], columns, decimals: { time: 3 } });
 * assert.equal(Deno.readTextFileSync(path), "time,pose_x\n0.000,190.5\n0.010,190.25\n");
 * ```
 */
export function writeCsv(path: string, contents: CsvContents): void {
  const { header, newline = "\n", decimals = {} } = contents;
  const columns = checkedColumns(path, contents);
  const rows = columns[0]?.length ?? 0;
  const formats = header.map((name) => formatOf(path, name, own(decimals, name)));
  const encoder = new TextEncoder();
  writeFileAtomic(path, (file) => {
    let text = header.map(quoted).join(",") + newline;
    for (let row = 0; row < rows; row++) {
      for (let k = 0; k < columns.length; k++) {
        if (k > 0) text += ",";
        text += formats[k]!(columns[k]![row]!);
      }
      text += newline;
      if (text.length > PIECE_CHARACTERS) {
        writeAll(file, encoder.encode(text));
        text = "";
      }
    }
    writeAll(file, encoder.encode(text));
  });
}

function checkedColumns(path: string, { header, columns }: CsvContents): ArrayLike<number>[] {
  if (header.length === 0) refuse(RangeError, path, "the header should have a column", "none");
  header.forEach((name, k) => {
    if (header.indexOf(name) !== k) {
      refuse(RangeError, path, "no two columns should have the same name", shown(name));
    }
    if (/[\p{Cc}\uFEFF]/u.test(name.replaceAll("\t", "")) || !name.isWellFormed()) {
      const should = "the name of a column should be one line of text";
      refuse(RangeError, path, should, shown(name));
    }
  });
  const extra = Object.keys(columns).find((name) => !header.includes(name));
  if (extra !== undefined) {
    refuse(TypeError, path, "the header should name every column", `no ${shown(extra)}`);
  }
  const found = header.map((name) =>
    own(columns, name) ??
      refuse(TypeError, path, `column ${shown(name)} should hold numbers`, "undefined")
  );
  found.forEach((column, k) => {
    if (column.length !== found[0]!.length) {
      const should = `column ${shown(header[k]!)} should have ${found[0]!.length} rows`;
      refuse(RangeError, path, should, column.length);
    }
  });
  return found;
}

/** The value under a name, not what every object inherits. */
function own<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

function formatOf(path: string, name: string, decimals: number | undefined) {
  if (decimals === undefined) return shortest;
  if (!(Number.isInteger(decimals) && decimals >= 0 && decimals <= 100)) {
    const should = `decimals of ${shown(name)} should be a whole number from 0 to 100`;
    refuse(RangeError, path, should, decimals);
  }
  return (value: number) => Number.isFinite(value) ? value.toFixed(decimals) : shortest(value);
}

/** The fewest digits that are read back as the same float64. */
function shortest(value: number): string {
  if (Number.isFinite(value)) return Object.is(value, -0) ? "-0" : String(value);
  return Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
}

function quoted(name: string): string {
  const isPlain = name !== "" && !/[",]|^\s|\s$/.test(name);
  return isPlain ? name : `"${name.replaceAll('"', '""')}"`;
}

function refuse(
  kind: new (message: string) => Error,
  path: string,
  should: string,
  current: unknown,
): never {
  throw new kind(`Cannot write ${path}: ${should}, current value is ${current}.`);
}
