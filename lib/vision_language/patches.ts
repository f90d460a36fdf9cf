import type { ImageSize } from "./image_size.ts";
import type { Picture, Resampler } from "./resample.ts";

/** Patches of an image along time, height and width. */
export interface PatchGrid extends ImageSize {
  /** Frames; 1 for a still image. */
  readonly frames: number;
}

/** Mean and standard deviation of the colour channels, of values from 0 to 1. */
export interface Normalisation {
  /** Of red, green and blue. */
  readonly mean: readonly number[];
  /** Of red, green and blue. */
  readonly deviation: readonly number[];
}

/** How patches are cut. */
export interface PatchOptions extends Normalisation {
  /** Side of a patch in pixels. */
  readonly patchSize: number;
  /** Frames of a patch, which a still image fills all alike. */
  readonly temporalPatchSize: number;
  /** Patches along each side of a visual token. */
  readonly mergeSize: number;
  /** Whose rounding of the normalised values. Default: `torchvision` */
  readonly resampler?: Resampler;
}

/**
 * Width of a patch as the model takes it: channels × frames × rows × columns.
 *
 * @param options sizes of a patch
 * @returns values per patch
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { patchWidth } from "./mod.ts";
 *
 * assert.equal(patchWidth({ patchSize: 14, temporalPatchSize: 2 }), 1176);
 * ```
 */
export function patchWidth(
  { patchSize, temporalPatchSize }: Pick<PatchOptions, "patchSize" | "temporalPatchSize">,
): number {
  return 3 * temporalPatchSize * patchSize * patchSize;
}

/**
 * Cuts a picture into the patches of the vision tower.
 *
 * Patches follow each other by visual tokens: rows of tokens, columns of tokens, then the rows and
 * columns of the patches in one. Inside a patch the order is channel, frame, row, column.
 *
 * @param picture whose sides are multiples of a visual token's
 * @param options sizes, mean and standard deviation
 * @param target takes the values, `(patches, 3 · frames · rows · columns)`. Default: new memory
 * @returns `target`
 * @throws {RangeError} when the picture does not hold whole visual tokens
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { cutPatches } from "./mod.ts";
 *
 * const white = { height: 28, width: 56, data: new Uint8Array(28 * 56 * 3).fill(255) };
 * const unit = { mean: [0, 0, 0], deviation: [1, 1, 1] };
 * const patches = cutPatches(white, { ...unit, patchSize: 14, temporalPatchSize: 2, mergeSize: 2 });
 * assert(patches.length === 8 * 1176 && patches.every((value) => value === 1));
 * ```
 */
export function cutPatches(
  picture: Picture,
  options: PatchOptions,
  target?: Float32Array,
): Float32Array {
  const { patchSize, temporalPatchSize, mergeSize } = options;
  const { height, width, data } = picture, unit = patchSize * mergeSize;
  if (height % unit !== 0 || width % unit !== 0) {
    throw new RangeError(
      `Cannot cut patches: the sides of the picture should be multiples of ${unit}, current value ` +
        `is ${height}×${width}.`,
    );
  }
  const size = patchWidth(options), plane = patchSize * patchSize;
  const patches = target ?? new Float32Array(((height * width) / plane) * size);
  const values = levels(options), across = temporalPatchSize * plane;
  let start = 0;
  const cut = (top: number, left: number) => {
    for (let row = 0, at = start; row < patchSize; row++) {
      let from = ((top + row) * width + left) * 3;
      for (const end = at + patchSize; at < end; at++, from += 3) {
        patches[at] = values[data[from]!]!;
        patches[at + across] = values[256 + data[from + 1]!]!;
        patches[at + 2 * across] = values[512 + data[from + 2]!]!;
      }
    }
    for (const end = start + size; start < end; start += across) {
      for (let at = start + plane; at < start + across; at += plane) {
        patches.copyWithin(at, start, start + plane);
      }
    }
  };
  for (let top = 0; top < height; top += unit) {
    for (let left = 0; left < width; left += unit) {
      for (let i = 0; i < unit; i += patchSize) {
        for (let j = 0; j < unit; j += patchSize) cut(top + i, left + j);
      }
    }
  }
  return patches;
}

/**
 * Value of each 8-bit level of red, green and blue, in the float32 arithmetic of the library, which
 * differs by resampler.
 */
function levels({ mean, deviation, resampler = "torchvision" }: PatchOptions): Float32Array {
  const { fround } = Math, values = new Float32Array(3 * 256);
  mean.forEach((average, channel) => {
    const shift = fround(average), scale = fround(deviation[channel]!);
    const value = resampler === "pil"
      ? (level: number) => fround(fround(level * (1 / 255)) - shift) / scale
      : (level: number) => fround(level - fround(shift * 255)) / fround(scale * 255);
    for (let level = 0; level < 256; level++) values[256 * channel + level] = value(level);
  });
  return values;
}
