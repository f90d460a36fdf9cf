/**
 * Code points that change what a terminal shows instead of being shown: controls, direction marks,
 * separators of lines, halves of surrogate pairs.
 */
// deno-lint-ignore no-control-regex
const HIDDEN = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]/gu;

/**
 * A text from a file as it may be printed: control characters, and so the escape sequences of
 * terminals, become visible escapes.
 *
 * @param text any text
 * @param options `lines`: keep line breaks and tabs, for texts of several lines; default false
 * @returns the text, with `\x1b` and the like for what cannot be seen
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { printable } from "./printable.ts";
 *
 * assert.equal(printable("\x1b[31mred\n"), "\\x1b[31mred\\x0a");
 * assert.equal(printable("größer\nΩ", { lines: true }), "größer\nΩ");
 * ```
 */
export function printable(text: string, { lines = false }: { lines?: boolean } = {}): string {
  return text.replace(HIDDEN, (found) => {
    if (lines && (found === "\n" || found === "\t")) return found;
    const code = found.codePointAt(0)!.toString(16);
    return code.length > 2 ? `\\u{${code}}` : `\\x${code.padStart(2, "0")}`;
  });
}
