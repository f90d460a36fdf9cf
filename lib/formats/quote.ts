/**
 * Writes a word so that a POSIX shell reads it as it is.
 *
 * @param text a path or another argument of a command
 * @returns the text, within single quotes where it needs them
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { quote } from "./quote.ts";
 *
 * assert.equal(quote("runs/first"), "runs/first");
 * assert.equal(quote("it's here"), `'it'\\''s here'`);
 * ```
 */
export function quote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
