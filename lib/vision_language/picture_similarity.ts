import type { Picture } from "./resample.ts";

/** How alike two pictures are. */
export interface PictureSimilarity {
  /** Peak signal-to-noise ratio of all channels, dB; infinite where they are equal. */
  readonly psnr: number;
  /** Structural similarity of the luma, −1 to 1; 1 where they are equal. */
  readonly ssim: number;
  /** Largest difference of a value, 0 to 255. */
  readonly largest: number;
  /** Share of values that differ, 0 to 1. */
  readonly changed: number;
}

/** Window, spread and constants of the paper. */
const RADIUS = 5, SIGMA = 1.5, C1 = (0.01 * 255) ** 2, C2 = (0.03 * 255) ** 2;

/**
 * Compares two pictures of one size.
 *
 * SSIM as in Wang, Bovik, Sheikh and Simoncelli, "Image quality assessment" (2004): Gaussian window of
 * 11 × 11 pixels, σ 1.5, where it lies inside the picture; luma by Rec. 601.
 *
 * @param a a picture
 * @param b another
 * @returns PSNR and SSIM
 * @throws {RangeError} when their sizes differ, or a side has fewer than 11 pixels
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { pictureSimilarity } from "./mod.ts";
 *
 * const grey = (value: number) => ({
 *   height: 16,
 *   width: 16,
 *   data: new Uint8Array(16 * 16 * 3).fill(value),
 * });
 * assert.deepEqual(pictureSimilarity(grey(100), grey(100)), {
 *   psnr: Infinity, ssim: 1, largest: 0, changed: 0,
 * });
 * assert.equal(pictureSimilarity(grey(100), grey(110)).psnr.toFixed(2), "28.13"); // 20 log 25.5
 * ```
 */
export function pictureSimilarity(a: Picture, b: Picture): PictureSimilarity {
  const { height, width } = a;
  if (b.height !== height || b.width !== width || Math.min(height, width) <= 2 * RADIUS) {
    throw new RangeError(
      `Cannot compare pictures: they must have one size of at least 11×11 pixels, current values ` +
        `are ${height}×${width} and ${b.height}×${b.width}.`,
    );
  }
  let squares = 0, largest = 0, changed = 0;
  for (let i = 0; i < a.data.length; i++) {
    const difference = Math.abs(a.data[i]! - b.data[i]!);
    squares += difference ** 2;
    if (difference > 0) changed++;
    if (difference > largest) largest = difference;
  }
  const count = a.data.length;
  return {
    psnr: squares === 0 ? Infinity : 10 * Math.log10(255 ** 2 * count / squares),
    ssim: structure(luma(a), luma(b), height, width),
    largest,
    changed: changed / count,
  };
}

function luma({ height, width, data }: Picture): Float64Array {
  return Float64Array.from(
    { length: height * width },
    (_, i) => 0.299 * data[3 * i]! + 0.587 * data[3 * i + 1]! + 0.114 * data[3 * i + 2]!,
  );
}

/** Mean of the index over all places of the window. */
function structure(x: Float64Array, y: Float64Array, height: number, width: number): number {
  const blur = (values: Float64Array) => blurred(values, height, width);
  const meanX = blur(x), meanY = blur(y);
  const xx = blur(x.map((value) => value * value)), yy = blur(y.map((value) => value * value));
  const xy = blur(x.map((value, i) => value * y[i]!));
  let sum = 0;
  meanX.forEach((mx, i) => {
    const my = meanY[i]!, covariance = xy[i]! - mx * my;
    const variances = xx[i]! - mx * mx + yy[i]! - my * my;
    sum += (2 * mx * my + C1) * (2 * covariance + C2) /
      ((mx * mx + my * my + C1) * (variances + C2));
  });
  return sum / meanX.length;
}

/** Means under the window, where it lies inside. */
function blurred(values: Float64Array, height: number, width: number): Float64Array {
  const raw = Array.from(
    { length: 2 * RADIUS + 1 },
    (_, k) => Math.exp(-((k - RADIUS) ** 2) / (2 * SIGMA ** 2)),
  );
  const total = raw.reduce((sum, weight) => sum + weight, 0);
  const weights = raw.map((weight) => weight / total);
  const columns = width - 2 * RADIUS, rows = height - 2 * RADIUS;
  const along = new Float64Array(height * columns), result = new Float64Array(rows * columns);
  weights.forEach((weight, k) => {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < columns; x++) {
        along[y * columns + x]! += weight * values[y * width + x + k]!;
      }
    }
  });
  weights.forEach((weight, k) => {
    for (let i = 0; i < result.length; i++) result[i]! += weight * along[i + k * columns]!;
  });
  return result;
}
