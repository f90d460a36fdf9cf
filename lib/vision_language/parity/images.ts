import { createHash } from "node:crypto";
import { join } from "node:path";
import { isFile } from "../../formats/_path.ts";
import { gridOf, type ImageProcessor, processPicture } from "../image_processor.ts";
import { type ImageSize, resizedSize } from "../image_size.ts";
import { type Picture, resample, type Resampler } from "../resample.ts";
import { readDocument, Recording } from "./_recording.ts";
import { gridsOf } from "./_batch_of.ts";
import { checkEqual, compareNumbers, EXACT, type VisionLanguageCheck } from "./check.ts";

const RESAMPLERS: readonly Resampler[] = ["pil", "torchvision"];
const PATCHES = { patchSize: 14, temporalPatchSize: 2, mergeSize: 2 };
const WIDE = { minPixels: 3136, maxPixels: 12845056 };

interface RecordedImage {
  readonly width: number;
  readonly height: number;
  readonly salt: number;
  readonly min_pixels: number;
  readonly max_pixels: number;
  readonly resized_width: number;
  readonly resized_height: number;
  readonly grid_thw: readonly number[];
}

interface RecordedSize extends RecordedImage {
  readonly error?: string;
}

interface Chained {
  readonly sha256: string;
}

interface RecordedImages {
  readonly mean: readonly number[];
  readonly std: readonly number[];
  readonly cases: Readonly<Record<string, RecordedImage>>;
  readonly smart_resize: readonly RecordedSize[];
  readonly real_1280x720_to_616x336?: RecordedImage & Readonly<Record<string, string>>;
  readonly real_1280x720_to_1288x728_to_616x336?: {
    readonly first_sha256: string;
    readonly pil: Chained;
    readonly torchvision: Chained;
  };
}

/** The test picture of the recordings: an integer formula of place, channel and salt. */
export function syntheticPicture({ width, height }: ImageSize, salt: number): Picture {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 3; c++, at++) {
        const ramp = x * (2 + c) + y * (3 - c) + ((x >> 4) ^ (y >> 3)) * 9 + salt * 31;
        const noise = ((x * 7919 + y * 104729 + c * 50021 + salt * 977) % 65521) % 23;
        data[at] = (ramp + noise) & 255;
      }
    }
  }
  return { width, height, data };
}

/**
 * Compares sizes, resized pictures and pixel values, to the bit.
 *
 * @param folder of the recording
 * @returns the checks
 */
export function checkImages(folder: string): VisionLanguageCheck[] {
  const recorded = readDocument(folder, "image", "image.json") as RecordedImages | undefined;
  if (recorded === undefined) return [];
  const checks = [compareNumbers(
    ["image", "resized sizes"],
    recorded.smart_resize.map(sizeDifference),
    recorded.smart_resize.map(() => 0),
    EXACT,
  )];
  const normalisation = { mean: recorded.mean, deviation: recorded.std };
  for (const [name, image] of Object.entries(recorded.cases)) {
    using tensors = new Recording(join(folder, "image", `${name}.safetensors`));
    const picture = { width: image.width, height: image.height, data: tensors.bytes("rgb") };
    for (const resampler of RESAMPLERS) {
      const processor = { ...PATCHES, ...normalisation, ...limitsOf(image), resampler };
      const { data } = resample(picture, resizedOf(image), resampler);
      const { patches, grid } = processPicture(picture, processor);
      const exact = (key: string, found: ArrayLike<number>, expected: ArrayLike<number>) =>
        checks.push(
          compareNumbers(["image", `${name} ${key} ${resampler}`], found, expected, EXACT),
        );
      exact("grid", [grid.frames, grid.height, grid.width], image.grid_thw);
      exact("resized", data, tensors.bytes(`resized_${resampler}`));
      exact("pixel values", patches, tensors.float32(`pixel_values_${resampler}`));
    }
  }
  return [...checks, ...checkReal(folder, recorded)];
}

/** Reduction from the size of a camera, directly and by way of the helper package's first step. */
function checkReal(folder: string, recorded: RecordedImages): VisionLanguageCheck[] {
  const { real_1280x720_to_616x336: real, real_1280x720_to_1288x728_to_616x336: chain } = recorded;
  if (real === undefined) return [];
  const picture = syntheticPicture(real, real.salt);
  const same = (key: string, data: Uint8Array, expected: string | undefined) =>
    checkEqual(["image", `${real.width}×${real.height} ${key}`], digest(data) === expected);
  const checks = [same("input", picture.data, real["rgb_sha256"])];
  const first = resample(picture, resizedSize(picture, WIDE), "pil");
  if (chain !== undefined) checks.push(same("first of two", first.data, chain.first_sha256));
  const path = join(folder, "image", "real_1280x720_to_616x336.safetensors");
  using tensors = isFile(path) ? new Recording(path) : undefined;
  for (const resampler of RESAMPLERS) {
    const { data } = resample(picture, resizedOf(real), resampler);
    checks.push(same(`resized ${resampler}`, data, real[`resized_${resampler}_sha256`]));
    if (tensors !== undefined) {
      const expected = tensors.bytes(`resized_${resampler}`);
      checks.push(
        compareNumbers(["image", `1280×720 bytes ${resampler}`], data, expected, EXACT),
      );
    }
    if (chain === undefined) continue;
    const second = resample(first, resizedOf(real), resampler);
    checks.push(same(`second of two ${resampler}`, second.data, chain[resampler].sha256));
  }
  return checks;
}

/**
 * Compares the pixel values of a case with those of its pictures.
 *
 * @param name of the case
 * @param recording of it
 * @param processor of images; limits and resampler are those of the recording
 * @returns one check per image
 */
export function checkPixels(
  name: string,
  recording: Recording,
  processor: ImageProcessor,
): VisionLanguageCheck[] {
  if (!recording.has("pixel_values")) return [];
  const expected = recording.float32("pixel_values");
  let at = 0;
  return gridsOf(recording.read("image_grid_thw").data).map(({ height, width }, k) => {
    const [rows, columns] = recording.shape(`image.${k}`) as [number, number];
    const picture = { height: rows, width: columns, data: recording.bytes(`image.${k}`) };
    const grid = gridOf(picture, processor), { patches } = processPicture(picture, processor);
    const part = expected.subarray(at, at += patches.length);
    const fits = grid.height === height && grid.width === width;
    return compareNumbers([name, `pixel_values of image ${k}`], fits ? patches : [], part, EXACT);
  });
}

/** How the recordings' cases were made: the slow processor with its published limits. */
export const CASE_PROCESSOR: ImageProcessor = {
  ...PATCHES,
  ...WIDE,
  mean: [0.48145466, 0.4578275, 0.40821073],
  deviation: [0.26862954, 0.26130258, 0.27577711],
  resampler: "pil",
};

function sizeDifference(row: RecordedSize): number {
  try {
    const { height, width } = resizedSize(row, limitsOf(row));
    if (row.error !== undefined) return 1;
    return Math.abs(height - row.resized_height) + Math.abs(width - row.resized_width);
  } catch (error) {
    if (error instanceof RangeError && row.error !== undefined) return 0;
    throw error;
  }
}

function limitsOf({ min_pixels: minPixels, max_pixels: maxPixels }: RecordedImage) {
  return { minPixels, maxPixels };
}

function resizedOf({ resized_height: height, resized_width: width }: RecordedImage): ImageSize {
  return { height, width };
}

function digest(data: Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}
