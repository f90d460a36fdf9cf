/** Reading a CSV file into columns. */
import { readCsv } from "../formats/csv.ts";
import { checksum } from "./_checksums.ts";
import type { Subject } from "./_subject.ts";

/** Which file. */
export interface CsvConfig {
  readonly path: string;
}

/** What reading the file found. */
export interface CsvFacts {
  readonly rows: number;
  /** CRC-32 of each column, float64. */
  readonly checksums: Readonly<Record<string, number>>;
}

/** Reads the file once. */
export function csvSubject({ path }: CsvConfig): Subject {
  const { rows, columns } = readCsv(path);
  const checksums = Object.fromEntries(
    Object.entries(columns).map(([name, column]) => [name, checksum(column)]),
  );
  const facts: CsvFacts = { rows, checksums };
  return { facts: { ...facts }, run: () => void readCsv(path), repeats: 1, release: () => {} };
}
