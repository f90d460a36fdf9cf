/** A Python literal as the header of an `.npy` file may hold it. */
export type PythonLiteral = string | number | boolean | PythonSequence | PythonDict;

/** A list or a tuple. */
export interface PythonSequence {
  readonly kind: "list" | "tuple";
  readonly items: readonly PythonLiteral[];
}

/** A dict with texts as keys, in the order written. */
export interface PythonDict {
  readonly kind: "dict";
  readonly entries: readonly (readonly [key: string, value: PythonLiteral])[];
}

/** Ends the parsing at a character of the text. */
export type Fail = (at: number, state: string, value: unknown) => never;

/** Deeper than any header NumPy writes; keeps the recursion bounded. */
const MAX_DEPTH = 16;
const SPACE = /[ \t\r\n\f]*/y;
const INTEGER = /-?(?:0|[1-9]\d*)/y;
const WORD = /[A-Za-z_]\w*/y;
const ESCAPES: Readonly<Record<string, string>> = {
  "\\": "\\",
  "'": "'",
  '"': '"',
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};
const HEX_DIGITS: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };

/**
 * Parses a literal of dicts, lists, tuples, texts, whole numbers and truth values: the part of
 * Python's grammar that `numpy.lib.format` writes. Nothing is evaluated.
 *
 * @param text the whole of it; only white space may follow the literal
 * @param fail is called with the place of what is wrong
 * @param allowLong whether whole numbers may end in `L`, as Python 2 wrote them
 */
export function parsePythonLiteral(text: string, fail: Fail, allowLong: boolean): PythonLiteral {
  let at = 0;
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    if (found !== undefined) at += found.length;
    return found;
  };
  const here = () => at < text.length ? JSON.stringify(text.slice(at, at + 12)) : "the end";
  /** Goes over white space and, if it comes next, over one character. */
  const take = (character: string): boolean => {
    match(SPACE);
    if (text[at] !== character) return false;
    at++;
    return true;
  };
  const expect = (character: string) => {
    if (!take(character)) fail(at, `"${character}" should stand here`, here());
  };

  const value = (depth: number): PythonLiteral => {
    if (depth > MAX_DEPTH) fail(at, "it should not be nested so deeply", `${depth} levels`);
    match(SPACE);
    const first = text[at];
    if (first === "'" || first === '"') return string();
    if (take("{")) return dict(depth);
    if (take("[")) return { kind: "list", items: items("]", depth).items };
    if (take("(")) {
      const { items: inner, commas } = items(")", depth);
      // (5) is a number in brackets, (5,) a tuple.
      return inner.length === 1 && commas === 0 ? inner[0]! : { kind: "tuple", items: inner };
    }
    const start = at;
    const digits = match(INTEGER);
    if (digits !== undefined) {
      if (allowLong && text[at] === "L") at++;
      if (/\w/.test(text[at] ?? "")) fail(at, "a whole number should end here", here());
      const number = Number(digits);
      if (!Number.isSafeInteger(number)) fail(start, "a number is impossibly large", digits);
      return number;
    }
    const word = match(WORD);
    if (word === "True" || word === "False") return word === "True";
    at = start;
    return fail(at, "a Python literal should stand here", here());
  };

  const items = (end: string, depth: number) => {
    const list: PythonLiteral[] = [];
    let commas = 0;
    while (!take(end)) {
      if (list.length > commas) fail(at, `"," or "${end}" should stand here`, here());
      list.push(value(depth + 1));
      if (take(",")) commas++;
    }
    return { items: list, commas };
  };

  const dict = (depth: number): PythonDict => {
    const entries: [string, PythonLiteral][] = [];
    for (let comma = true; !take("}"); comma = take(",")) {
      match(SPACE);
      if (!comma) fail(at, '"," or "}" should stand here', here());
      if (text[at] !== "'" && text[at] !== '"') fail(at, "a key should stand here", here());
      const key = string();
      expect(":");
      entries.push([key, value(depth + 1)]);
    }
    return { kind: "dict", entries };
  };

  const string = (): string => {
    const start = at, quote = text[at++]!;
    let result = "";
    for (;;) {
      const character = text[at++];
      if (character === undefined || character === "\n") {
        return fail(start, "a text should end on its line", text.slice(start, start + 12));
      }
      if (character === quote) return result;
      result += character === "\\" ? escape() : character;
    }
  };

  const escape = (): string => {
    const code = text[at++] ?? "";
    const digits = HEX_DIGITS[code];
    if (digits === undefined) {
      return ESCAPES[code] ?? fail(at - 2, "an escape in a text is unknown", `\\${code}`);
    }
    const hex = text.slice(at, at + digits);
    const point = /^[\da-fA-F]+$/.test(hex) && hex.length === digits ? parseInt(hex, 16) : NaN;
    if (!(point <= 0x10ffff)) fail(at - 2, "an escape in a text is wrong", `\\${code}${hex}`);
    at += digits;
    return String.fromCodePoint(point);
  };

  const result = value(0);
  match(SPACE);
  if (at !== text.length) fail(at, "nothing should follow the literal", here());
  return result;
}

/** Writes a text as Python's `repr` does. */
export function formatPythonString(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  let result = "";
  for (const character of text) {
    const point = character.codePointAt(0)!;
    if (character === quote || character === "\\") result += `\\${character}`;
    else if (character === "\n") result += "\\n";
    else if (character === "\r") result += "\\r";
    else if (character === "\t") result += "\\t";
    else if (point < 0x20 || (point >= 0x7f && point <= 0xa0) || point === 0xad) {
      result += `\\x${point.toString(16).padStart(2, "0")}`;
    } else if (point >= 0xd800 && point <= 0xdfff) result += `\\u${point.toString(16)}`;
    else result += character;
  }
  return quote + result + quote;
}
