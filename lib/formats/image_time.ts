/** A Unix time in seconds: ten digits or more, and decimals. */
const UNIX_SECONDS = /\d{10,}\.\d+/g;

/**
 * The capture time that a camera's program wrote into the name of an image: the piece behind the
 * last `_`, without the extension, in seconds; where that is no number, the last "ten digits or
 * more, dot, digits" in the name.
 *
 * @param fileName name or path of the image
 * @returns seconds, or undefined when the name holds no time
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { imageTime } from "./mod.ts";
 *
 * assert.equal(imageTime("View1/left/zed_41182735_left_1761551500.174.jpg"), 1761551500.174);
 * assert.equal(imageTime("1761760288.224272.jpg"), 1761760288.224272);
 * assert.equal(imageTime("foo.jpg"), undefined);
 * ```
 */
export function imageTime(fileName: string): number | undefined {
  const name = fileName.slice(Math.max(fileName.lastIndexOf("/"), fileName.lastIndexOf("\\")) + 1);
  const stem = name.replace(/\.[A-Za-z][A-Za-z0-9]*$/, "");
  const piece = stem.slice(stem.lastIndexOf("_") + 1);
  if (/^\d+(?:\.\d+)?$/.test(piece)) return Number(piece);
  const found = stem.match(UNIX_SECONDS)?.at(-1);
  return found === undefined ? undefined : Number(found);
}
