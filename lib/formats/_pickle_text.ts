const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const LATIN1 = new TextDecoder("latin1");
const ENCODER = new TextEncoder();
/** Up to here `fromCharCode` is faster than a call of the decoder (about 1 µs). */
const SHORT = 64;
/** As many decimal digits as Python converts (`sys.int_info.default_max_str_digits`). */
const MAX_DIGITS = 4300;

/** Bytes as texts of the characters 0 to 255. */
export function decodeLatin1(bytes: Uint8Array): string {
  if (bytes.length > SHORT && isAscii(bytes)) return LATIN1.decode(bytes);
  // The encoding standard's "latin1" is windows-1252, which differs from 128 to 159.
  let text = "";
  for (let start = 0; start < bytes.length; start += 4096) {
    text += fromCodes(bytes.subarray(start, start + 4096));
  }
  return text;
}

/** At most a few thousand; `apply` takes an array as it is, spreading it takes ten times as long. */
function fromCodes(codes: Uint8Array): string {
  return String.fromCharCode.apply(null, codes as unknown as number[]);
}

/** Characters 0 to 255 as bytes; undefined where there are others. */
export function encodeLatin1(text: string): Uint8Array<ArrayBuffer> | undefined {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 255) return undefined;
    bytes[i] = code;
  }
  return bytes;
}

/** Whether all bytes are below 128. */
export function isAscii(bytes: Uint8Array): boolean {
  for (const byte of bytes) if (byte > 127) return false;
  return true;
}

/**
 * Decodes UTF-8 in which single surrogates may stand, as Python writes them (`surrogatepass`; file
 * names that are not UTF-8 hold some). Undefined when it is not valid.
 */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  if (bytes.length <= SHORT && isAscii(bytes)) return fromCodes(bytes);
  try {
    return UTF8.decode(bytes);
  } catch {
    return decodeSurrogates(bytes);
  }
}

/** A surrogate is ED, A0 to BF, 80 to BF; the parts between them are plain UTF-8. */
function decodeSurrogates(bytes: Uint8Array): string | undefined {
  let text = "", start = 0;
  try {
    for (let at = bytes.indexOf(0xed); at >= 0; at = bytes.indexOf(0xed, at + 1)) {
      const second = bytes[at + 1] ?? 0, third = bytes[at + 2] ?? 0;
      if (second < 0xa0 || second > 0xbf || third < 0x80 || third > 0xbf) continue;
      text += UTF8.decode(bytes.subarray(start, at));
      text += String.fromCharCode(0xd000 | (second & 0x3f) << 6 | third & 0x3f);
      start = at + 3;
    }
    return text + UTF8.decode(bytes.subarray(start));
  } catch {
    return undefined;
  }
}

/** The reverse of {@linkcode decodeUtf8}. */
export function encodeUtf8(text: string): Uint8Array<ArrayBuffer> {
  if (text.isWellFormed()) return ENCODER.encode(text);
  const bytes: number[] = [];
  for (const character of text) {
    const point = character.codePointAt(0)!;
    if (point < 0xd800 || point > 0xdfff) bytes.push(...ENCODER.encode(character));
    else bytes.push(0xe0 | point >> 12, 0x80 | point >> 6 & 0x3f, 0x80 | point & 0x3f);
  }
  return new Uint8Array(bytes);
}

/** Python's `raw-unicode-escape`: Latin-1 with `\uXXXX` and `\UXXXXXXXX`; undefined when wrong. */
export function decodeRawUnicodeEscape(bytes: Uint8Array): string | undefined {
  let wrong = false;
  const text = decodeLatin1(bytes).replace(
    /\\(?:u[\da-fA-F]{0,4}|U[\da-fA-F]{0,8}|[^])/g,
    (escape: string) => {
      const kind = escape[1];
      if (kind !== "u" && kind !== "U") return escape;
      const point = parseInt(escape.slice(2), 16);
      if (escape.length === (kind === "u" ? 6 : 10) && point <= 0x10ffff) {
        return String.fromCodePoint(point);
      }
      wrong = true;
      return "";
    },
  );
  return wrong ? undefined : text;
}

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

/** The bytes of a quoted `repr` of Python 2's `str`; undefined when it is none. */
export function decodeQuoted(line: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
  const quoted = decodeLatin1(line).trim();
  const quote = quoted[0];
  if (quoted.length < 2 || (quote !== "'" && quote !== '"') || quoted.at(-1) !== quote) return;
  let wrong = false;
  const text = quoted.slice(1, -1).replace(
    /\\(x[\da-fA-F]{2}|[0-7]{1,3}|[^]|$)/g,
    (whole: string, escape: string) => {
      if (escape.length === 3 && escape[0] === "x") {
        return String.fromCharCode(parseInt(escape.slice(1), 16));
      }
      if (/^[0-7]/.test(escape)) return String.fromCharCode(parseInt(escape, 8) & 255);
      if (escape === "" || escape === "x") wrong = true;
      return ESCAPES[escape] ?? whole;
    },
  );
  return wrong ? undefined : encodeLatin1(text);
}

/** A decimal whole number of Python's text protocol; undefined when it is none. */
export function parseDecimal(text: string): number | bigint | undefined {
  if (text.length > MAX_DIGITS || !/^[+-]?\d+$/.test(text)) return undefined;
  return toNumber(BigInt(text.startsWith("+") ? text.slice(1) : text));
}

/** Whole numbers that a number holds exactly as number, others as they are. */
export function toNumber(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** A decimal fraction of Python's text protocol (`repr` of a float); undefined when it is none. */
export function parseFloatText(text: string): number | undefined {
  if (/^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(text)) return Number(text);
  const special = /^([+-]?)(inf|nan)$/i.exec(text);
  if (special === null) return undefined;
  const value = special[2]!.toLowerCase() === "nan" ? NaN : Infinity;
  return special[1] === "-" ? -value : value;
}

/** A whole number of two's complement, lowest byte first, of any length. */
export function decodeLong(bytes: Uint8Array): number | bigint {
  const { length } = bytes;
  if (length <= 6) {
    let value = 0;
    for (let i = length - 1; i >= 0; i--) value = value * 256 + bytes[i]!;
    return length > 0 && bytes[length - 1]! > 127 ? value - 256 ** length : value;
  }
  const value = BigInt(`0x${bytes.toReversed().toHex()}`);
  return toNumber(BigInt.asIntN(length * 8, value));
}

/** The shortest two's complement, lowest byte first; empty for 0. */
export function encodeLong(value: bigint): Uint8Array<ArrayBuffer> {
  if (value === 0n) return new Uint8Array();
  // The sign needs a bit of its own: −128 takes one byte, 128 two.
  const bits = (value < 0n ? ~value : value).toString(16).length * 4 + 1;
  let length = Math.ceil(bits / 8);
  if (length > 1 && BigInt.asIntN(length * 8 - 8, value) === value) length--;
  const hex = BigInt.asUintN(length * 8, value).toString(16).padStart(length * 2, "0");
  return Uint8Array.fromHex(hex).reverse();
}
