import type { ImageSize } from "./image_size.ts";

/**
 * Whose fixed-point arithmetic rounds the weights: `torchvision` is the default of transformers 5 and
 * of the fast processor before, `pil` that of the slow one.
 */
export type Resampler = "torchvision" | "pil";

/** A picture of 8-bit RGB values. */
export interface Picture extends ImageSize {
  /** `(height, width, 3)`. */
  readonly data: Uint8Array;
}

const CHANNELS = 3;
/** Half of the cubic's support, in source pixels at scale 1. */
const SUPPORT = 2;
const MOST_BITS = 22;

/** For one axis: where each output begins to read, and with which integer weights. */
interface Taps {
  readonly starts: Int32Array;
  readonly counts: Int32Array;
  /** `(outputs, widest)`. */
  readonly weights: Int32Array;
  readonly widest: number;
  readonly bits: number;
}

/**
 * Resizes a picture as the model's image processor does, to the bit: cubic convolution (a = −0.5)
 * with antialiasing, first along rows, then along columns, each rounded to 8 bits; a side that keeps
 * its length is left as it is. Pillow begins with the columns where they lose more than twice as many
 * pixels as the rows.
 *
 * Both resamplers compute with integer weights and differ in how many bits these have: 22 in Pillow,
 * as many as fit into 16 bits in PyTorch. Their results differ in some of the bytes by 1 or 2.
 *
 * Method: Pillow, `ImagingResample`; PyTorch, `upsample_bicubic2d_aa` for 8 bits.
 *
 * @param picture to resize
 * @param size of the result in pixels
 * @param resampler whose rounding. Default: `torchvision`
 * @returns the resized picture
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { resample } from "./mod.ts";
 *
 * const grey = { height: 4, width: 6, data: new Uint8Array(4 * 6 * 3).fill(128) };
 * const { data } = resample(grey, { height: 8, width: 3 });
 * assert(data.length === 72 && data.every((value) => value === 128));
 * ```
 */
export function resample(
  picture: Picture,
  { height, width }: ImageSize,
  resampler: Resampler = "torchvision",
): Picture {
  const rows = (source: Picture) =>
    source.width === width ? source : resizeRows(source, tapsOf(source.width, width, resampler));
  const columns = (source: Picture) =>
    source.height === height
      ? source
      : resizeColumns(source, tapsOf(source.height, height, resampler));
  const fewerRows = picture.height - height, fewerColumns = picture.width - width;
  // Pillow 13 saves work so; the order decides the rounding in between.
  const columnsFirst = resampler === "pil" && fewerRows > Math.max(0, 2 * fewerColumns);
  return columnsFirst ? rows(columns(picture)) : columns(rows(picture));
}

function cubic(at: number): number {
  const a = -0.5, x = Math.abs(at);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
  return 0;
}

function tapsOf(inputs: number, outputs: number, resampler: Resampler): Taps {
  const scale = inputs / outputs, stretch = Math.max(scale, 1), reach = SUPPORT * stretch;
  const starts = new Int32Array(outputs), counts = new Int32Array(outputs);
  const exact: number[][] = [];
  let largest = 0, widest = 0;
  for (let i = 0; i < outputs; i++) {
    const centre = (i + 0.5) * scale;
    const start = Math.max(Math.trunc(centre - reach + 0.5), 0);
    const end = Math.min(Math.trunc(centre + reach + 0.5), inputs);
    const weights = Array.from(
      { length: end - start },
      (_, j) => cubic((start + j - centre + 0.5) / stretch),
    );
    const sum = weights.reduce((total, weight) => total + weight, 0);
    exact.push(weights.map((weight) => weight / sum));
    largest = Math.max(largest, ...exact[i]!);
    widest = Math.max(widest, weights.length);
    starts[i] = start;
    counts[i] = weights.length;
  }
  const bits = resampler === "pil" ? MOST_BITS : bitsOf(largest);
  const weights = new Int32Array(outputs * widest);
  exact.forEach((row, i) =>
    row.forEach((weight, j) => {
      weights[i * widest + j] = Math.trunc(weight * 2 ** bits + (weight < 0 ? -0.5 : 0.5));
    })
  );
  return { starts, counts, weights, widest, bits };
}

/** The most bits with which the largest weight fits into 16 bits with sign. */
function bitsOf(largest: number): number {
  let bits = 0;
  while (bits < MOST_BITS && Math.trunc(0.5 + largest * 2 ** (bits + 1)) < 2 ** 15) bits++;
  return bits;
}

function resizeRows({ height, width, data }: Picture, taps: Taps): Picture {
  const { starts, counts, weights, widest, bits } = taps, outputs = starts.length;
  const result = new Uint8ClampedArray(height * outputs * CHANNELS), half = 1 << (bits - 1);
  for (let y = 0, target = 0; y < height; y++) {
    for (let i = 0; i < outputs; i++) {
      let red = half, green = half, blue = half;
      let at = (y * width + starts[i]!) * CHANNELS;
      for (let j = i * widest, end = j + counts[i]!; j < end; j++) {
        const weight = weights[j]!;
        red += weight * data[at++]!;
        green += weight * data[at++]!;
        blue += weight * data[at++]!;
      }
      result[target++] = red >> bits;
      result[target++] = green >> bits;
      result[target++] = blue >> bits;
    }
  }
  return { height, width: outputs, data: new Uint8Array(result.buffer) };
}

function resizeColumns({ width, data }: Picture, taps: Taps): Picture {
  const { starts, counts, weights, widest, bits } = taps, outputs = starts.length;
  const rowLength = width * CHANNELS;
  const result = new Uint8ClampedArray(outputs * rowLength);
  const sums = new Int32Array(rowLength);
  for (let i = 0; i < outputs; i++) {
    sums.fill(1 << (bits - 1));
    for (let j = 0; j < counts[i]!; j++) {
      const weight = weights[i * widest + j]!, from = (starts[i]! + j) * rowLength;
      for (let x = 0; x < rowLength; x++) sums[x]! += weight * data[from + x]!;
    }
    const target = i * rowLength;
    for (let x = 0; x < rowLength; x++) result[target + x] = sums[x]! >> bits;
  }
  return { height: outputs, width, data: new Uint8Array(result.buffer) };
}
