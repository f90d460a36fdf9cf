/** What JSON can express. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue };

/**
 * The one JSON text of a value: members sorted by name, no blanks, numbers as ECMAScript writes them.
 * Equal values give equal bytes, on every machine.
 *
 * Format: RFC 8785 (JSON Canonicalization Scheme).
 *
 * @param value what JSON can express, without NaN and infinity
 * @returns the text
 * @throws {TypeError} naming the place, when the value cannot be expressed
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { canonicalJson } from "./mod.ts";
 *
 * assert.equal(canonicalJson({ b: [1.50, -0], a: "é" }), '{"a":"é","b":[1.5,0]}');
 * assert.throws(() => canonicalJson({ a: [NaN] }), /a\[0\]/);
 * ```
 */
export function canonicalJson(value: JsonValue): string {
  return write(value, "");
}

function write(value: JsonValue, place: string): string {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "number") {
    if (!Number.isFinite(value)) refuse(place, "a finite number", value);
    return JSON.stringify(value);
  }
  if (typeof value === "string") return text(value, place);
  if (Array.isArray(value)) {
    return `[${value.map((item, i) => write(item, `${place}[${i}]`)).join(",")}]`;
  }
  if (typeof value !== "object") refuse(place, "a JSON value", typeof value);
  const object = value as { readonly [name: string]: JsonValue };
  const members = Object.keys(object).sort().map((name) =>
    `${text(name, place)}:${write(object[name]!, place === "" ? name : `${place}.${name}`)}`
  );
  return `{${members.join(",")}}`;
}

/** Half a surrogate pair has no UTF-8. */
function text(value: string, place: string): string {
  if (!value.isWellFormed()) refuse(place, "text of whole characters", JSON.stringify(value));
  return JSON.stringify(value);
}

function refuse(place: string, expected: string, found: unknown): never {
  throw new TypeError(
    `Cannot write canonical JSON: ${place || "the value"} should be ${expected}, ` +
      `current value is ${found}.`,
  );
}
