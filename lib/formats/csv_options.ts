/** How numbers are read from a CSV file. */
export interface CsvOptions<Required extends string = string, Optional extends string = never> {
  /**
   * The columns to read, which must be there; default all of them. Other columns are not read, and
   * may hold text.
   */
  readonly columns?: readonly Required[];
  /** Columns to read where the file has them. */
  readonly optionalColumns?: readonly Optional[];
  /** What an empty field is: a mistake (default) or NaN. */
  readonly empty?: "error" | "nan";
  /**
   * What `nan`, `inf`, `-inf`, `Infinity` (in any case) and numbers beyond the largest float64 are:
   * a mistake (default) or what they say.
   */
  readonly nan?: "error" | "keep";
  /** Whether spaces and tabs around fields and names count for nothing (default) or are mistakes. */
  readonly trim?: boolean;
  /**
   * What is done with a last line that has no end, as a recorder leaves behind that was killed
   * while it wrote. `"error"` (default): too few fields are a mistake, a line that is otherwise
   * right counts. `"drop"`: the line is left out whatever it holds, because its last number may be
   * cut too.
   */
  readonly tornLastLine?: "error" | "drop";
}

/** Columns of numbers, and where they came from. */
export interface CsvTable<Required extends string = string, Optional extends string = never> {
  /** The names of all columns of the file, in its order. */
  readonly header: readonly string[];
  /** How many rows there are. */
  readonly rows: number;
  /** A column per name that was asked for, each `(rows)`. */
  readonly columns:
    & { readonly [Name in Required]: Float64Array<ArrayBuffer> }
    & { readonly [Name in Optional]?: Float64Array<ArrayBuffer> };
  /** Whether a last line without an end was left out, see {@linkcode CsvOptions.tornLastLine}. */
  readonly tornLastLine: boolean;
}
