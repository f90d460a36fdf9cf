import type { DataPart } from "./data.ts";

/** Samples that are read at once. */
const BLOCK = 256;

/**
 * The visual-language tokens of all samples, without padding.
 *
 * @param part samples and their features
 * @returns blocks of tokens, `(N, width)` each, in the order of the samples
 */
export async function* featureTokens(
  { dataset, features }: DataPart,
): AsyncGenerator<Float32Array> {
  const { width } = features;
  for (let start = 0; start < dataset.length; start += BLOCK) {
    const size = Math.min(BLOCK, dataset.length - start);
    const { values, tokenMask } = await features.readBatch(
      Int32Array.from({ length: size }, (_, i) => start + i),
    );
    const tokens = new Float32Array(tokenMask.reduce((sum, is) => sum + is, 0) * width);
    let at = 0;
    tokenMask.forEach((is, token) => {
      if (is === 0) return;
      tokens.set(values.subarray(token * width, (token + 1) * width), at);
      at += width;
    });
    yield tokens;
  }
}
