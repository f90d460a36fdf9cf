import { createHash } from "node:crypto";
import { canonicalJson } from "../canonical_json.ts";
import type { FeatureExtractor } from "../extractor.ts";

/** Goes into every key; another layout of keys or records makes another number. */
const SCHEMA_VERSION = 1;

/** An image in a key. */
export interface KeyView {
  /** Camera. */
  readonly name: string;
  /** SHA-256 of the image file's bytes, hexadecimal; null where there is no image. */
  readonly digest: string | null;
}

/**
 * The digest of everything that decides an extractor's features beside images and instruction: its
 * identity, the width and the stored type.
 *
 * @param extractor whose features are meant
 * @returns SHA-256 over canonical JSON, 64 hexadecimal digits
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { extractorDigest, pixel2048 } from "../mod.ts";
 *
 * const [two, other] = [["View1", "View5"], ["View5", "View1"]];
 * assert.notEqual(
 *   extractorDigest(pixel2048({ views: two })),
 *   extractorDigest(pixel2048({ views: other })),
 * );
 * ```
 */
export function extractorDigest(
  { identity, width, dtype }: Pick<FeatureExtractor, "identity" | "width" | "dtype">,
): string {
  const { model, revision, adapter, processor, promptTemplate, taps, views } = identity;
  return sha256(canonicalJson({
    schemaVersion: SCHEMA_VERSION,
    model,
    revision,
    adapter,
    processor,
    promptTemplate,
    taps: { ...taps },
    views,
    width,
    dtype,
  }));
}

/**
 * The key of a feature: it changes with every byte of what the feature is made of, and with nothing
 * else, so that equal observations of different episodes share one feature.
 *
 * @param extractor {@linkcode extractorDigest}
 * @param instruction what the policy is told, exactly
 * @param views images in the order in which the model sees them
 * @returns SHA-256 over canonical JSON, 64 hexadecimal digits
 * @throws {TypeError} when the instruction holds half a character
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { extractorDigest, featureKey, pixel2048 } from "../mod.ts";
 *
 * const extractor = extractorDigest(pixel2048());
 * const views = [{ name: "View1", digest: null }];
 * assert.notEqual(featureKey(extractor, "Insert", views), featureKey(extractor, "insert", views));
 * ```
 */
export function featureKey(
  extractor: string,
  instruction: string,
  views: readonly KeyView[],
): string {
  return sha256(canonicalJson({
    schemaVersion: SCHEMA_VERSION,
    extractor,
    instruction,
    views: views.map(({ name, digest }) => ({ name, digest })),
  }));
}

/** SHA-256 of text or bytes, hexadecimal. */
export function sha256(contents: string | Uint8Array): string {
  return createHash("sha256").update(contents).digest("hex");
}
