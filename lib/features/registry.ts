import type { FeatureExtractor } from "./extractor.ts";
import { importedFeatures } from "./imported.ts";
import { pixel2048 } from "./pixel_2048.ts";
import { qwenFeatures, type QwenOptions } from "./qwen.ts";

/** What the commands give to an extractor; all but the cameras concern `qwen2.5-vl-3b` alone. */
export interface ExtractorOptions extends QwenOptions {
  /** Mapping of `importedFeatures`, which it needs and others ignore. */
  readonly import?: string;
}

/** Every extractor, by the name that `--features` takes. */
export const FEATURE_EXTRACTORS: Readonly<
  Record<string, (options: ExtractorOptions) => FeatureExtractor | Promise<FeatureExtractor>>
> = {
  "pixel-2048": pixel2048,
  "qwen2.5-vl-3b": qwenFeatures,
  "imported": ({ import: mapping }) => {
    if (mapping !== undefined) return importedFeatures(mapping);
    throw new RangeError(
      "Cannot import features: --import should name their mapping, a JSON file; --help shows one.",
    );
  },
};

/**
 * The extractor of a name.
 *
 * @param name one of {@linkcode FEATURE_EXTRACTORS}
 * @param options cameras; model and what concerns it
 * @returns the extractor; no model is loaded yet
 * @throws {RangeError} when there is none of this name, or what it needs is not named
 * @throws {Deno.errors.NotFound} naming the file that a model's folder lacks
 * @throws {SyntaxError} when a model's files are damaged
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createExtractor } from "./mod.ts";
 *
 * assert.equal((await createExtractor("pixel-2048")).width, 2048);
 * await assert.rejects(createExtractor("pixel-512"), /pixel-2048/);
 * ```
 */
export async function createExtractor(
  name: string,
  options: ExtractorOptions = {},
): Promise<FeatureExtractor> {
  if (Object.hasOwn(FEATURE_EXTRACTORS, name)) return await FEATURE_EXTRACTORS[name]!(options);
  throw new RangeError(
    `Cannot make features: their name should be one of ${
      Object.keys(FEATURE_EXTRACTORS).join(", ")
    }, current value is "${name}".`,
  );
}
