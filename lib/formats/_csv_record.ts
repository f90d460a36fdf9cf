import { csvError, type CsvPlace, shown } from "./_csv_error.ts";

export const QUOTE = 34, COMMA = 44, NEWLINE = 10, RETURN = 13, SPACE = 32, TAB = 9;

const NO_NUL = [
  "text should stand here",
  "a NUL byte",
  "Is the file UTF-16? Was the power cut while it was written?",
] as const;

/** The careful half of the CSV reader: one record (RFC 4180) at a time, every mistake named. */
export class CsvRecord {
  /** Fields of the record. */
  count = 0;
  /** Line breaks in the record, its own end included. */
  lines = 0;
  /** Whether a line break ended it; else the file did. */
  isEnded = true;
  /** Byte ranges of the fields, without quotes and trimmed spaces. */
  #starts = new Uint32Array(64);
  #ends = new Uint32Array(64);
  /** 0 plain, 1 quoted, 2 quoted and holding doubled quotes. */
  #quotes = new Uint8Array(64);
  #bytes: Uint8Array = new Uint8Array();

  constructor(
    readonly name: string,
    readonly trim: boolean,
    readonly header: () => readonly string[] | undefined,
  ) {}

  /**
   * Splits the record that begins at `start`.
   *
   * @param atEnd whether the file ends at `end`
   * @param line of the file where the record begins
   * @returns where the next record begins, or −1 when this one goes on beyond `end`
   */
  scan(bytes: Uint8Array, start: number, end: number, atEnd: boolean, line: number): number {
    this.#bytes = bytes;
    this.count = 0;
    this.lines = 0;
    for (let at = start;;) {
      const stop = this.#field(bytes, at, end, atEnd, line);
      if (stop < 0) return -1;
      if (stop < end && bytes[stop] === COMMA) {
        at = stop + 1;
        continue;
      }
      this.isEnded = stop < end;
      if (this.isEnded) this.lines++;
      return Math.min(stop + 1, end);
    }
  }

  /** Whether the record is a line of nothing but spaces. */
  get isBlank(): boolean {
    return this.count === 1 && this.#quotes[0] === 0 && this.#starts[0] === this.#ends[0];
  }

  /** Whether the field stood in quotes. */
  isQuoted(field: number): boolean {
    return this.#quotes[field] !== 0;
  }

  /** A field as text that maps each byte to one character: enough for numbers. */
  latin1(field: number): string {
    const bytes = this.#bytes, end = this.#ends[field]!;
    let text = "";
    for (let i = this.#starts[field]!; i < end; i++) text += String.fromCharCode(bytes[i]!);
    return this.#quotes[field] === 2 ? text.replaceAll('""', '"') : text;
  }

  /** A field as UTF-8 text; undefined when it is not UTF-8. */
  text(field: number, fatal: boolean): string | undefined {
    const range = this.#bytes.slice(this.#starts[field], this.#ends[field]);
    try {
      const text = new TextDecoder("utf-8", { fatal, ignoreBOM: true }).decode(range);
      return this.#quotes[field] === 2 ? text.replaceAll('""', '"') : text;
    } catch {
      return undefined;
    }
  }

  /** One field; returns where its comma, line break or the end of the file is, −1 for "goes on". */
  #field(bytes: Uint8Array, start: number, end: number, atEnd: boolean, line: number): number {
    let at = this.#skip(bytes, start, end);
    if (at < end && bytes[at] === QUOTE) return this.#quoted(bytes, at, end, atEnd, line);
    at = start;
    for (; at < end; at++) {
      const byte = bytes[at];
      if (byte === COMMA || byte === NEWLINE) break;
      if (byte === QUOTE) {
        const text = shown(rest(bytes, start, end));
        csvError(this.#place(line), "a quote may only stand around a whole field", text);
      }
      if (byte === 0) csvError(this.#place(line), ...NO_NUL);
    }
    if (at === end && !atEnd) return -1;
    let last = at;
    if (last > start && (at === end || bytes[at] === NEWLINE) && bytes[last - 1] === RETURN) last--;
    let first = start;
    if (this.trim) {
      first = Math.min(this.#skip(bytes, start, end), last);
      while (last > first && isSpace(bytes[last - 1]!)) last--;
    }
    this.#push(first, last, 0);
    return at;
  }

  #quoted(bytes: Uint8Array, open: number, end: number, atEnd: boolean, line: number): number {
    let kind = 1, breaks = 0, at = open + 1;
    for (;; at++) {
      if (at >= end) {
        if (!atEnd) return -1;
        const text = shown(rest(bytes, open, end));
        csvError(this.#place(line), "the quote that begins here should be closed", text);
      }
      if (bytes[at] === NEWLINE) breaks++;
      if (bytes[at] === 0) csvError(this.#place(line), ...NO_NUL);
      if (bytes[at] !== QUOTE) continue;
      if (at + 1 === end && !atEnd) return -1;
      if (at + 1 === end || bytes[at + 1] !== QUOTE) break;
      kind = 2;
      at++;
    }
    const place = this.#place(line);
    this.#push(open + 1, at, kind);
    at = this.#skip(bytes, at + 1, end);
    if (at < end && bytes[at] === RETURN) at++;
    const isReturn = bytes[at - 1] === RETURN;
    if (at === end && !atEnd) return -1;
    if (at < end && bytes[at] !== NEWLINE && (bytes[at] !== COMMA || isReturn)) {
      const should = "a closing quote should be followed by a comma or the end of the line";
      csvError(place, should, shown(rest(bytes, open, end)));
    }
    this.lines += breaks;
    return at;
  }

  #skip(bytes: Uint8Array, at: number, end: number): number {
    if (this.trim) { while (at < end && isSpace(bytes[at]!)) at++; }
    return at;
  }

  #push(start: number, end: number, quotes: number): void {
    if (this.count === this.#starts.length) {
      const grow = <T extends Uint32Array | Uint8Array>(from: T, to: T) => (to.set(from), to);
      this.#starts = grow(this.#starts, new Uint32Array(2 * this.count));
      this.#ends = grow(this.#ends, new Uint32Array(2 * this.count));
      this.#quotes = grow(this.#quotes, new Uint8Array(2 * this.count));
    }
    this.#starts[this.count] = start;
    this.#ends[this.count] = end;
    this.#quotes[this.count++] = quotes;
  }

  /** Of the field that is being read. */
  #place(line: number): CsvPlace {
    const columnName = this.header()?.[this.count];
    return { name: this.name, line: line + this.lines, column: this.count + 1, columnName };
  }
}

function isSpace(byte: number): boolean {
  return byte === SPACE || byte === TAB;
}

/** The line from `start` on, for error messages. */
function rest(bytes: Uint8Array, start: number, end: number): string {
  const line = bytes.slice(start, Math.min(end, start + 80));
  return new TextDecoder().decode(line).split(/[\r\n]/)[0]!;
}
