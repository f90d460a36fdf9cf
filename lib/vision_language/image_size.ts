/** Between how many pixels an image is brought. */
export interface PixelLimits {
  /** Fewest pixels. */
  readonly minPixels: number;
  /** Most pixels. */
  readonly maxPixels: number;
}

/** Height and width in pixels. */
export interface ImageSize {
  /** Rows. */
  readonly height: number;
  /** Columns. */
  readonly width: number;
}

const LARGEST_RATIO = 200;

/** Most pixels of a resized image; the published limit is 12,845,056. */
export const MOST_RESIZED: number = 1 << 24;

/**
 * The size to which an image is resized: whole visual tokens along each side, between the limits, as
 * close to its shape as that allows.
 *
 * Sides are rounded to multiples of `factor`, halves to the even multiple. An image above the limit
 * shrinks, one below it grows, by the square root of the ratio of pixels. With equal limits a result
 * may change when it is resized again, and what grows may end above the upper limit.
 *
 * Rule: Hugging Face transformers, `smart_resize` of the Qwen2-VL image processor.
 *
 * @param size of the image in pixels
 * @param limits fewest and most pixels
 * @param factor side of a visual token in pixels. Default: 28
 * @param what it is called in errors. Default: `an image`
 * @returns height and width
 * @throws {RangeError} when a side is more than 200 times the other, or not a positive integer, or the
 * result would have more than 2^24 pixels
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { resizedSize } from "./mod.ts";
 *
 * const limits = { minPixels: 230400, maxPixels: 230400 };
 * assert.deepEqual(resizedSize({ height: 360, width: 640 }, limits), { height: 336, width: 616 });
 * ```
 */
export function resizedSize(
  { height, width }: ImageSize,
  { minPixels, maxPixels }: PixelLimits,
  factor: number = 28,
  what: string = "an image",
): ImageSize {
  for (const side of [height, width]) {
    if (!Number.isInteger(side) || side < 1) {
      throw new RangeError(
        `Cannot resize ${what}: its sides should be positive integers, current value is ${height}×${width}.`,
      );
    }
  }
  const long = Math.max(height, width), short = Math.min(height, width);
  if (long / short > LARGEST_RATIO) {
    throw new RangeError(
      `Cannot resize ${what}: a side should be at most ${LARGEST_RATIO} times the other, current ` +
        `value is ${height}×${width}. Crop it.`,
    );
  }
  const size = between({ height, width }, { minPixels, maxPixels }, factor);
  const pixels = size.height * size.width;
  if (pixels <= MOST_RESIZED) return size;
  throw new RangeError(
    `Cannot resize ${what}: it should become at most ${MOST_RESIZED} pixels, current value is ` +
      `${pixels}. Lower the limits of pixels.`,
  );
}

function between(
  { height, width }: ImageSize,
  { minPixels, maxPixels }: PixelLimits,
  factor: number,
): ImageSize {
  const rounded = [height, width].map((side) => roundHalfEven(side / factor) * factor);
  const pixels = rounded[0]! * rounded[1]!;
  if (pixels > maxPixels) {
    const scale = Math.sqrt((height * width) / maxPixels);
    const shrink = (side: number) => Math.max(factor, Math.floor(side / scale / factor) * factor);
    return { height: shrink(height), width: shrink(width) };
  }
  if (pixels < minPixels) {
    const scale = Math.sqrt(minPixels / (height * width));
    const grow = (side: number) => Math.ceil((side * scale) / factor) * factor;
    return { height: grow(height), width: grow(width) };
  }
  return { height: rounded[0]!, width: rounded[1]! };
}

function roundHalfEven(value: number): number {
  const below = Math.floor(value), rest = value - below;
  return rest < 0.5 || (rest === 0.5 && below % 2 === 0) ? below : below + 1;
}
