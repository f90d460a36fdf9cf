import { csvError, type CsvPlace, shown } from "./_csv_error.ts";
import { type CsvPlan, planColumns, readHeader } from "./_csv_header.ts";
import { CsvRecord, NEWLINE } from "./_csv_record.ts";
import { type CsvOptions } from "./csv_options.ts";
import { parseFloatText } from "./_parse_float.ts";
import { PlainRows } from "./_csv_plain_rows.ts";
import type { RandomAccessFile } from "./random_access_file.ts";

const BLOCK_BYTES = 2 ** 18;
/** A longer record is a quote that nobody closed, or no CSV file at all. */
const MAX_RECORD_BYTES = 2 ** 24;

/** Reads a CSV file block of rows by block of rows, in memory of constant size. */
export class CsvScanner implements Disposable {
  readonly plan: CsvPlan;
  /** Whether the file's last line was cut short and left out. */
  tornLastLine = false;
  readonly #file: RandomAccessFile;
  readonly #options: CsvOptions<string, string>;
  readonly #record: CsvRecord;
  readonly #rows: PlainRows;
  #capacity = 0;
  #line = 1;
  /** Line of the first blank line after the last record, if there is one. */
  #blankLine: number | undefined;
  /** Next byte of the file to read; the buffer holds `#at` to `#filled`, plain up to `#plainEnd`. */
  #fileAt = 0;
  #at = 0;
  #filled = 0;
  #plainEnd = 0;

  /** `capacity`: rows of a block, by the number of its columns. */
  constructor(
    file: RandomAccessFile,
    options: CsvOptions<string, string>,
    capacity: (columns: number) => number,
  ) {
    this.#file = file;
    this.#options = options;
    this.#rows = PlainRows.take(BLOCK_BYTES);
    const { trim = true } = options;
    this.#record = new CsvRecord(file.path, trim, () => this.plan?.header);
    try {
      this.#skipByteOrderMark();
      this.plan = this.#readHeader();
      this.#capacity = Math.max(1, capacity(this.plan.names.length));
    } catch (error) {
      this.#rows.giveBack();
      throw error;
    }
    this.#rows.start(this.plan.slots, this.plan.names.length, this.#capacity, trim);
  }

  /** Bytes of the file up to the end of the last row that {@linkcode next} gave. */
  get consumed(): number {
    return this.#fileAt - (this.#filled - this.#at);
  }

  /** Reads the next rows; returns their number, 0 at the end of the file. */
  next(): number {
    let row = 0;
    while (row < this.#capacity) {
      if (this.#at < this.#plainEnd && this.#blankLine === undefined) {
        const read = this.#rows.run(this.#at, this.#plainEnd, row);
        this.#line += read - row;
        this.#at = this.#rows.position;
        row = read;
        if (row === this.#capacity) break;
      }
      if (!this.#nextRecord()) break;
      if (this.#record.isBlank) continue;
      this.#storeRecord(row++);
    }
    return row;
  }

  /** A column of the block that {@linkcode next} read: a view that the next block overwrites. */
  column(slot: number, rows: number): Float64Array {
    return this.#rows.column(slot, rows);
  }

  [Symbol.dispose](): void {
    this.#rows.giveBack();
  }

  #readHeader(): CsvPlan {
    const { name } = this.#record;
    if (!this.#nextRecord()) {
      csvError({ name, line: 1 }, "a header should stand here", `${this.#file.bytes} bytes`);
    }
    const line = this.#line - this.#record.lines;
    if (this.#record.isBlank) {
      csvError({ name, line }, "a header should stand here", "a blank line");
    }
    if (!this.#record.isEnded) this.tornLastLine = this.#options.tornLastLine === "drop";
    const header = readHeader(this.#record, line);
    const { columns, optionalColumns } = this.#options;
    return planColumns(header, columns, optionalColumns, { name, line });
  }

  /** Splits the next record; false at the end of the file. */
  #nextRecord(): boolean {
    for (;;) {
      const atEnd = this.#fileAt === this.#file.bytes;
      if (this.#at === this.#filled && atEnd) return false;
      const text = this.#rows.text;
      if (atEnd && this.#isTorn(text)) return false;
      const next = this.#record.scan(text, this.#at, this.#filled, atEnd, this.#line);
      if (next < 0) {
        this.#fill();
        continue;
      }
      const line = this.#line;
      this.#line += this.#record.lines;
      this.#at = next;
      if (this.#record.isBlank) this.#blankLine ??= line;
      else if (this.#blankLine !== undefined) {
        const place = { name: this.#record.name, line: this.#blankLine };
        const next = "Blank lines may only stand at the end.";
        csvError(place, "a row should stand here", "a blank line", next);
      }
      return true;
    }
  }

  /** Whether the rest is a last line without an end, to be left out. */
  #isTorn(text: Uint8Array): boolean {
    if (this.#options.tornLastLine !== "drop" || this.plan === undefined) return false;
    if (text.subarray(this.#at, this.#filled).includes(NEWLINE)) return false;
    this.tornLastLine = true;
    this.#at = this.#filled;
    return true;
  }

  #storeRecord(row: number): void {
    const { slots, header } = this.plan, record = this.#record;
    const line = this.#line - record.lines;
    const place = { name: record.name, line };
    if (record.count !== slots.length) {
      const should = `it should have ${slots.length} fields like the header`;
      const isCut = !record.isEnded && record.count < slots.length;
      csvError(place, should, String(record.count), isCut ? CUT_SHORT : "");
    }
    for (let field = 0; field < slots.length; field++) {
      const slot = slots[field]!;
      if (slot < 0) continue;
      const value = this.#number(field, { ...place, column: field + 1, columnName: header[field] });
      this.#rows.set(slot, row, value);
    }
  }

  #number(field: number, place: CsvPlace): number {
    const text = this.#record.latin1(field);
    const { empty = "error", nan = "error" } = this.#options;
    if (text === "") {
      if (empty === "nan") return NaN;
      const next = 'Pass {empty: "nan"} to read empty fields as NaN.';
      csvError(place, "it should be a number", "an empty field", next);
    }
    const value = parseFloatText(text);
    if (value === undefined) {
      const next = this.#record.isEnded ? "" : CUT_SHORT;
      csvError(place, "it should be a number", shown(this.#record.text(field, false)!), next);
    }
    if (nan === "error" && !Number.isFinite(value)) {
      const next = 'Pass {nan: "keep"} to read NaN and infinities.';
      csvError(place, "it should be a finite number", shown(text), next);
    }
    return value;
  }

  #skipByteOrderMark(): void {
    const [first, second, third] = this.#file.read(0, Math.min(3, this.#file.bytes));
    if (first === 0xef && second === 0xbb && third === 0xbf) this.#fileAt = 3;
    if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
      csvError({ name: this.#file.path, line: 1 }, "it should be UTF-8", "UTF-16", "Save it anew.");
    }
  }

  /** Moves the unread bytes to the start of the buffer and reads more behind them. */
  #fill(): void {
    const rows = this.#rows;
    rows.text.copyWithin(0, this.#at, this.#filled);
    this.#filled -= this.#at;
    this.#at = 0;
    if (this.#filled === rows.text.length) {
      if (this.#filled >= MAX_RECORD_BYTES) {
        const should = `a row should be shorter than ${MAX_RECORD_BYTES} bytes`;
        const next = "Is there a quote that is not closed?";
        csvError({ name: this.#record.name, line: this.#line }, should, "a longer one", next);
      }
      rows.grow();
    }
    const length = Math.min(rows.text.length - this.#filled, this.#file.bytes - this.#fileAt);
    const target = rows.text.subarray(this.#filled, this.#filled + length);
    this.#file.readInto(target, this.#fileAt);
    this.#fileAt += length;
    this.#filled += length;
    this.#plainEnd = rows.text.lastIndexOf(NEWLINE, this.#filled - 1) + 1;
  }
}

const CUT_SHORT = "The file was cut short: its last line has no end. " +
  'Pass {tornLastLine: "drop"} to leave that line out.';
