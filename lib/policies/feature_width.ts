import type { PolicyConfig } from "./config.ts";

/** Where visual-language features come from: an extractor, or the features of a data set. */
export interface FeatureSource {
  /** Name, for messages. */
  readonly name: string;
  /** Values per token. */
  readonly width: number;
}

/**
 * Checks that a policy takes the features it will be given, before anything is computed: their width is
 * the model's (2048 of Qwen2.5-VL-3B), whatever a configuration was written for.
 *
 * @param config The policy.
 * @param features What it will be given.
 * @throws {RangeError} If the widths differ.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { expectFeatureWidth, preset } from "./mod.ts";
 *
 * const features = { name: "pixel-2048", width: 2048 };
 * expectFeatureWidth(preset("tiny"), features);
 * const wide = preset("tiny", { visionDim: 3072 });
 * assert.throws(() => expectFeatureWidth(wide, features), /2048 of pixel-2048, .* 3072/);
 * ```
 */
export function expectFeatureWidth(
  { actionExpert: { visionDim } }: PolicyConfig,
  { name, width }: FeatureSource,
): void {
  if (visionDim === width) return;
  throw new RangeError(
    `Cannot give features to policy: actionExpert.visionDim must be the ${width} of ${name}, current value is ${visionDim}; make the policy with visionDim ${width}, or choose other features`,
  );
}
