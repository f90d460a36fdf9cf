import type { FeatureExtractor } from "./extractor.ts";
import { importedFeatures } from "./imported.ts";
import { pixel2048 } from "./pixel_2048.ts";

/** What the commands give to an extractor. */
export interface ExtractorOptions {
  /** Cameras, in the order in which the model sees them; default the extractor's own. */
  readonly views?: readonly string[];
  /** Folder of the model's files, which `qwen2.5-vl-3b` needs and others ignore. */
  readonly model?: string;
  /** Mapping of `importedFeatures`, which it needs and others ignore. */
  readonly import?: string;
}

/** Every extractor, by the name that `--features` takes. */
export const FEATURE_EXTRACTORS: Readonly<
  Record<string, (options: ExtractorOptions) => FeatureExtractor>
> = {
  "pixel-2048": pixel2048,
  "qwen2.5-vl-3b": () => {
    throw new RangeError(
      "Cannot make features of qwen2.5-vl-3b: trocar cannot run this model yet. Make pixel-2048, " +
        "which needs no model, or take files of the Python reference with --features imported.",
    );
  },
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
 * @param options cameras
 * @returns the extractor; nothing is loaded yet
 * @throws {RangeError} when there is none of this name
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createExtractor } from "./mod.ts";
 *
 * assert.equal(createExtractor("pixel-2048").width, 2048);
 * assert.throws(() => createExtractor("pixel-512"), /pixel-2048/);
 * ```
 */
export function createExtractor(name: string, options: ExtractorOptions = {}): FeatureExtractor {
  if (Object.hasOwn(FEATURE_EXTRACTORS, name)) return FEATURE_EXTRACTORS[name]!(options);
  throw new RangeError(
    `Cannot make features: their name should be one of ${
      Object.keys(FEATURE_EXTRACTORS).join(", ")
    }, current value is "${name}".`,
  );
}
