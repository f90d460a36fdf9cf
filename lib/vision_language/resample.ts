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

/** Values that are added at once; the cubic has no more weights unless a picture shrinks. */
const FEW = 5;
/** Axes whose weights are kept: pictures of a camera are all of one size. */
const KEPT = 32;
/** Lines whose inputs stay in the fastest memory while their outputs are computed. */
const BLOCK = 64;

/** For one axis: where each output begins to read, and with which integer weights. */
interface Taps {
  readonly starts: Int32Array;
  /** `(outputs, width)`; 0 beside those that an output has. */
  readonly weights: Int32Array;
  /** A multiple of {@linkcode FEW}. */
  readonly width: number;
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
    source.width === width ? source : resizeRows(source, keptTaps(source.width, width, resampler));
  const columns = (source: Picture) =>
    source.height === height
      ? source
      : resizeColumns(source, keptTaps(source.height, height, resampler));
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

const kept = new Map<string, Taps>();

function keptTaps(inputs: number, outputs: number, resampler: Resampler): Taps {
  const name = `${resampler} ${inputs} ${outputs}`;
  const taps = kept.get(name) ?? tapsOf(inputs, outputs, resampler);
  kept.delete(name);
  kept.set(name, taps);
  if (kept.size > KEPT) kept.delete(kept.keys().next().value!);
  return taps;
}

function tapsOf(inputs: number, outputs: number, resampler: Resampler): Taps {
  const scale = inputs / outputs, stretch = Math.max(scale, 1), reach = SUPPORT * stretch;
  const starts = new Int32Array(outputs);
  const exact: number[][] = [];
  let largest = 0, widest = FEW;
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
    largest = exact[i]!.reduce((most, weight) => Math.max(most, weight), largest);
    widest = Math.max(widest, weights.length);
    starts[i] = start;
  }
  const bits = resampler === "pil" ? MOST_BITS : bitsOf(largest);
  const width = Math.ceil(widest / FEW) * FEW;
  const weights = new Int32Array(outputs * width);
  exact.forEach((row, i) => {
    const start = Math.max(0, Math.min(starts[i]!, inputs - width)), before = starts[i]! - start;
    starts[i] = start;
    row.forEach((weight, j) => {
      const rounded = Math.trunc(weight * 2 ** bits + (weight < 0 ? -0.5 : 0.5));
      weights[i * width + before + j] = rounded;
    });
  });
  return { starts, weights, width, bits };
}

/** The most bits with which the largest weight fits into 16 bits with sign. */
function bitsOf(largest: number): number {
  let bits = 0;
  while (bits < MOST_BITS && Math.trunc(0.5 + largest * 2 ** (bits + 1)) < 2 ** 15) bits++;
  return bits;
}

function resizeRows({ height, width, data }: Picture, taps: Taps): Picture {
  const outputs = taps.starts.length, from = width * CHANNELS, to = outputs * CHANNELS;
  const result = new Uint8ClampedArray(height * to);
  const sum = sums(data, result, taps, { tap: CHANNELS, from, to, most: BLOCK });
  for (let top = 0; top < height; top += BLOCK) {
    const lines = Math.min(BLOCK, height - top);
    for (let i = 0; i < outputs; i++) {
      const source = top * from + taps.starts[i]! * CHANNELS, target = top * to + i * CHANNELS;
      for (let c = 0; c < CHANNELS; c++) sum(i, source + c, target + c, lines);
    }
  }
  return { height, width: outputs, data: new Uint8Array(result.buffer) };
}

function resizeColumns({ width, data }: Picture, taps: Taps): Picture {
  const outputs = taps.starts.length, row = width * CHANNELS;
  const result = new Uint8ClampedArray(outputs * row);
  const sum = sums(data, result, taps, { tap: row, from: 1, to: 1, most: row });
  for (let i = 0; i < outputs; i++) sum(i, taps.starts[i]! * row, i * row, row);
  return { height: outputs, width, data: new Uint8Array(result.buffer) };
}

/** How an axis lies in its arrays. */
interface Steps {
  /** From one value that is added to the next. */
  readonly tap: number;
  /** From one line to the next, of the source. */
  readonly from: number;
  /** The same of the result. */
  readonly to: number;
  /** Most lines at once. */
  readonly most: number;
}

/** Makes output `i` of so many lines, the first of which begins at `source` and `target`. */
type Sum = (i: number, source: number, target: number, lines: number) => void;

function sums(
  data: Uint8Array,
  result: Uint8ClampedArray,
  { weights, width, bits }: Taps,
  { tap, from, to, most }: Steps,
): Sum {
  const half = 1 << (bits - 1), { imul } = Math, totals = new Int32Array(most);
  // A side shorter than the weights are is read beyond its end, times 0.
  const few: Sum = (i, source, target, lines) => {
    const j = i * FEW, a = weights[j]!, b = weights[j + 1]!, c = weights[j + 2]!;
    const d = weights[j + 3]!, e = weights[j + 4]!;
    for (let line = 0; line < lines; line++, source += from, target += to) {
      result[target] = (half + imul(a, data[source]!) + imul(b, data[source + tap]!) +
        imul(c, data[source + 2 * tap]!) + imul(d, data[source + 3 * tap]!) +
        imul(e, data[source + 4 * tap]!)) >> bits;
    }
  };
  const many: Sum = (i, source, target, lines) => {
    totals.fill(half, 0, lines);
    for (let j = i * width; j < (i + 1) * width; j += FEW, source += FEW * tap) {
      const a = weights[j]!, b = weights[j + 1]!, c = weights[j + 2]!;
      const d = weights[j + 3]!, e = weights[j + 4]!;
      for (let line = 0, at = source; line < lines; line++, at += from) {
        totals[line]! += imul(a, data[at]!) + imul(b, data[at + tap]!) +
          imul(c, data[at + 2 * tap]!) + imul(d, data[at + 3 * tap]!) +
          imul(e, data[at + 4 * tap]!);
      }
    }
    for (let line = 0; line < lines; line++, target += to) result[target] = totals[line]! >> bits;
  };
  return width === FEW ? few : many;
}
