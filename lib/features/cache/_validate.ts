import type { Feature, FeatureExtractor, FeatureRequest } from "../extractor.ts";

/** Values beyond it are infinite in float16. */
const MOST_FLOAT16 = 65504;

type Extractor = Pick<FeatureExtractor, "width" | "dtype" | "norm">;

/**
 * Says what is wrong with a feature, undefined if nothing is: shape, values that are not finite or
 * would not be once stored, norms out of range, and features without visual tokens.
 *
 * @param request what it was made of, where that is known
 */
export function problemOf(
  { tokens, visualTokens, values }: Feature,
  { width, dtype, norm: [min, max] }: Extractor,
  request?: FeatureRequest,
): string | undefined {
  if (!Number.isSafeInteger(tokens) || tokens < 1) {
    return `it should have 1 token or more, current value is ${tokens}`;
  }
  if (values.length !== tokens * width) {
    return `${tokens} tokens of ${width} should be ${tokens * width} values, ` +
      `current value is ${values.length}`;
  }
  const hasImage = request?.views.some(({ image }) => image !== null) ?? false;
  if (hasImage && visualTokens === 0) {
    return "it should hold visual tokens, current value is 0 although there are images";
  }
  const limit = dtype === "float16" ? MOST_FLOAT16 : Infinity;
  for (let token = 0; token < tokens; token++) {
    let squares = 0;
    for (let i = token * width; i < (token + 1) * width; i++) {
      const value = values[i]!;
      if (!(Math.abs(value) <= limit) || !Number.isFinite(value)) {
        return `value ${i} should be finite in ${dtype}, current value is ${value}`;
      }
      squares += value * value;
    }
    // Rounding to 16 bits may move a norm past its limit.
    const norm = Math.sqrt(squares);
    if (norm < 0.99 * min || norm > 1.01 * max) {
      return `the norm of token ${token} should lie within ${min} and ${max}, ` +
        `current value is ${norm}`;
    }
  }
  return undefined;
}
