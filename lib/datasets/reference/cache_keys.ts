import { createHash } from "node:crypto";

/**
 * The folder in which the reference's second version keeps the features of one instruction.
 *
 * @param instruction what the model was told
 * @returns the first 8 hexadecimal digits of its SHA-256
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { promptHash } from "./cache_keys.ts";
 *
 * assert.equal(promptHash("Perform Blue point insertion task"), "43910d04");
 * ```
 */
export function promptHash(instruction: string): string {
  return createHash("sha256").update(instruction).digest("hex").slice(0, 8);
}

/**
 * The file name, without `.pt`, under which the reference's first version keeps a feature.
 *
 * @param cacheKey of the sample, e.g. `recv_all_A::…::t=0`
 * @param text the instruction
 * @param views URIs of the images
 * @returns the first 24 hexadecimal digits of the SHA-1 over key, text and views
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { featureHash } from "./cache_keys.ts";
 *
 * assert.notEqual(featureHash("a::t=0", "Insert", []), featureHash("a::t=1", "Insert", []));
 * ```
 */
export function featureHash(cacheKey: string, text: string, views: readonly string[]): string {
  const hash = createHash("sha1").update(`${cacheKey}||${text}||${views.join("|")}`);
  return hash.digest("hex").slice(0, 24);
}
