/** Where in a CSV file something is: lines and columns count from 1. */
export interface CsvPlace {
  /** Path or name of the file. */
  readonly name: string;
  readonly line: number;
  readonly column?: number;
  /** Name of the column in the header. */
  readonly columnName?: string | undefined;
}

const LONGEST_SHOWN = 60;

/** Throws the one error grammar of all CSV readers. */
export function csvError(place: CsvPlace, should: string, current: string, next = ""): never {
  const { name, line, column, columnName } = place;
  const inColumn = column === undefined ? "" : `, column ${column}`;
  const named = columnName === undefined ? "" : ` (${shown(columnName)})`;
  const hint = next === "" ? "" : ` ${next}`;
  throw new SyntaxError(
    `Cannot read ${name} at line ${line}${inColumn}${named}: ${should}, current value is ` +
      `${current}.${hint}`,
  );
}

/** A text as an error shows it: quoted, control characters escaped, not too long. */
export function shown(text: string): string {
  const clipped = text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text;
  return JSON.stringify(clipped).replaceAll("\uFEFF", "\\ufeff");
}
