/** Texts of ASCII that need no unescaping. */
const PLAIN = /^[\x20-\x21\x23-\x5b\x5d-\x7e]*$/;

/** Ends the reading at an index of the text. */
export type JsonFail = (index: number, state: string, found: string) => never;

/** Goes through JSON (RFC 8259) of a known structure, and refuses every other. */
export class JsonCursor {
  readonly #text: string;
  readonly #fail: JsonFail;
  #at = 0;

  constructor(text: string, fail: JsonFail) {
    this.#text = text;
    this.#fail = fail;
  }

  /** Index of the next character that is no white space. */
  get at(): number {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return this.#at;
      this.#at++;
    }
  }

  fail(index: number, state: string, found: string): never {
    return this.#fail(index, state, found);
  }

  /** Goes past a character, or stays and returns false. */
  skip(character: string): boolean {
    const is = this.#text[this.at] === character;
    if (is) this.#at++;
    return is;
  }

  need(character: string): void {
    if (!this.skip(character)) this.#wrong(JSON.stringify(character));
  }

  /** Nothing but white space is left. */
  end(): void {
    if (this.at < this.#text.length) this.#wrong("the end of the header");
  }

  /** Calls `entry` for each key, with the cursor on its value; no key may occur twice. */
  object(entry: (key: string, at: number) => void): void {
    this.need("{");
    if (this.skip("}")) return;
    const keys = new Set<string>();
    do {
      const { at } = this;
      const key = this.string();
      if (keys.has(key)) this.#fail(at, "each key should occur once", `${short(key)} again`);
      keys.add(key);
      this.need(":");
      entry(key, at);
    } while (this.skip(","));
    this.need("}");
  }

  naturals(): number[] {
    const values: number[] = [];
    this.need("[");
    if (this.skip("]")) return values;
    do values.push(this.natural()); while (this.skip(","));
    this.need("]");
    return values;
  }

  natural(): number {
    const start = this.at;
    const isDigit = () => {
      const code = this.#text.charCodeAt(this.#at);
      return code >= 0x30 && code <= 0x39;
    };
    while (isDigit()) this.#at++;
    const digits = this.#text.slice(start, this.#at), value = Number(digits);
    const isWritten = digits !== "" && (digits === "0" || digits[0] !== "0");
    if (!isWritten || !Number.isSafeInteger(value)) {
      this.#at = start;
      this.#wrong("a whole number from 0 to 2⁵³ − 1");
    }
    return value;
  }

  string(): string {
    const start = this.at;
    this.need('"');
    let end = start;
    do end = this.#text.indexOf('"', end + 1); while (end > 0 && isEscaped(this.#text, end));
    if (end < 0) this.#fail(start, "a text should end", "the end of the header");
    this.#at = end + 1;
    const plain = this.#text.slice(start + 1, end);
    if (PLAIN.test(plain)) return plain;
    try {
      const text: string = JSON.parse(this.#text.slice(start, end + 1));
      if (text.isWellFormed()) return text;
    } catch { /* said below */ }
    return this.#fail(start, "a text should be valid JSON", short(this.#text.slice(start, end)));
  }

  #wrong(should: string): never {
    const found = this.#text[this.at];
    return this.#fail(
      this.#at,
      `${should} should stand here`,
      found === undefined ? "the end of the header" : short(this.#text.slice(this.#at)),
    );
  }
}

/** Whether an odd number of backslashes stands before a quote. */
function isEscaped(text: string, quote: number): boolean {
  let start = quote;
  while (text[start - 1] === "\\") start--;
  return (quote - start) % 2 === 1;
}

function short(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
