import { deriveKey, fillNormal } from "../../engine/_philox.ts";

/**
 * Standard normal numbers of samples, of each by its number: neither the rows that are computed together
 * nor the engine matter.
 *
 * @param samples `(B)` their numbers; those of rows that only fill the batch may be negative
 * @param size values of each
 * @param seed of all
 * @param stream what they are for
 * @returns `(B, size)`
 */
export function numberedNoise(
  samples: ArrayLike<number>,
  size: number,
  seed: number,
  stream: string,
): Float32Array {
  const key = deriveKey(seed, stream);
  const values = new Float32Array(samples.length * size);
  for (let row = 0; row < samples.length; row++) {
    fillNormal(values.subarray(row * size, (row + 1) * size), key, Math.max(0, samples[row]!));
  }
  return values;
}
