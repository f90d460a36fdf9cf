import { basename, dirname } from "node:path";
import sharp from "sharp";
import { type JsonRecord, readJson } from "../datasets/_json.ts";
import { modelFile } from "./_model_file.ts";
import type { VisionConfig } from "./config.ts";
import { type PixelLimits, resizedSize } from "./image_size.ts";
import { cutPatches, type Normalisation, type PatchGrid, patchWidth } from "./patches.ts";
import { type Picture, resample, type Resampler } from "./resample.ts";

/** How images become the input of the vision tower. */
export interface ImageProcessor extends PixelLimits, Normalisation {
  /** Side of a patch in pixels. */
  readonly patchSize: number;
  /** Frames of a patch. */
  readonly temporalPatchSize: number;
  /** Patches along each side of a visual token. */
  readonly mergeSize: number;
  /** Whose arithmetic resizes and normalises. */
  readonly resampler: Resampler;
}

/** An image as patches. */
export interface PatchedImage {
  /** Patches along each side. */
  readonly grid: PatchGrid;
  /** `(patches, 1176)` */
  readonly patches: Float32Array;
}

/** Bounds the memory that a picture may take before it is resized. */
const MOST_PIXELS = 1 << 27;

/**
 * Reads a model's `preprocessor_config.json`.
 *
 * @param path of the file
 * @param changes that replace what the file says, such as the pixel limits
 * @returns how images are processed
 * @throws {SyntaxError} when a setting is missing or is another than trocar can compute
 * @throws {Deno.errors.NotFound} when there is no such file
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { readImageProcessor } from "./mod.ts";
 *
 * const path = "data-fixtures/vision_language/model/preprocessor_config.json";
 * assert.equal(readImageProcessor(path, { maxPixels: 230400 }).maxPixels, 230400);
 * ```
 */
export function readImageProcessor(
  path: string,
  changes: Partial<PixelLimits> & { readonly resampler?: Resampler } = {},
): ImageProcessor {
  const file = modelFile(dirname(path), basename(path));
  const record = readJson(file, "image processor's settings"), names = record.names();
  const size = names.includes("size") && !record.isNull("size") ? record.record("size") : undefined;
  const limit = (key: string, ofSize: string) =>
    names.includes(key) || size === undefined ? record.number(key) : size.number(ofSize);
  const processor: ImageProcessor = {
    minPixels: limit("min_pixels", "shortest_edge"),
    maxPixels: limit("max_pixels", "longest_edge"),
    patchSize: record.number("patch_size"),
    temporalPatchSize: record.number("temporal_patch_size"),
    mergeSize: record.number("merge_size"),
    mean: record.numbers("image_mean", 3),
    deviation: record.numbers("image_std", 3),
    resampler: "torchvision",
    ...changes,
  };
  for (const [key, value] of Object.entries(processor)) {
    if (key === "mean" || key === "resampler") continue;
    if ([value].flat().some((number) => !(number > 0))) refuse(path, key, "above 0", value);
  }
  assertComputed(path, record);
  return processor;
}

/** Steps that are always taken; the library leaves one out whose setting is false. */
const STEPS = ["do_resize", "do_rescale", "do_normalize", "do_convert_rgb"];
/** Pillow's number of bicubic interpolation. */
const BICUBIC = 3;

/** Refuses settings that, where they are given, ask for another computation. */
function assertComputed(path: string, record: JsonRecord): void {
  const names = record.names();
  for (const key of STEPS) {
    if (names.includes(key) && !record.boolean(key)) refuse(path, key, "true", false);
  }
  const expectNumber = (key: string, expected: number, text: string, tolerance = 0) => {
    if (!names.includes(key)) return;
    const found = record.number(key);
    if (Math.abs(found - expected) > tolerance) refuse(path, key, text, found);
  };
  expectNumber("rescale_factor", 1 / 255, "1/255", 1e-9);
  expectNumber("resample", BICUBIC, `${BICUBIC} (bicubic)`);
}

function refuse(path: string, key: string, expected: string, found: unknown): never {
  throw new SyntaxError(
    `Cannot read the image processor's settings ${path}: ${key} should be ${expected}, current ` +
      `value is ${found}. Copy it from the model again.`,
  );
}

/**
 * Refuses a processor that cuts other patches than the model takes.
 *
 * @param processor of images
 * @param vision the model's tower
 * @throws {SyntaxError} when their sizes differ
 */
export function assertFits(processor: ImageProcessor, vision: VisionConfig): void {
  for (const key of ["patchSize", "temporalPatchSize", "mergeSize"] as const) {
    if (processor[key] === vision[key]) continue;
    throw new SyntaxError(
      `Cannot process images for the model: ${key} should be ${vision[key]} as in config.json, ` +
        `current value is ${processor[key]} in preprocessor_config.json. Copy both from one model.`,
    );
  }
}

/**
 * Decodes an image to 8-bit RGB: turned as its EXIF data say, transparency blended onto white, embedded
 * colour profiles obeyed, 16-bit greys and CMYK converted. JPEGs and PNGs of cameras come out as Pillow
 * decodes them; of the last three Pillow makes other values, because it ignores profiles and scales.
 *
 * @param image contents of the file, or its path
 * @param what it is called in errors. Default: the path
 * @returns the picture
 * @throws {SyntaxError} when it cannot be decoded
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import sharp from "sharp";
 * import { decodePicture } from "./mod.ts";
 *
 * const red = { width: 8, height: 4, channels: 3, background: "red" } as const;
 * const { height, data } = await decodePicture(await sharp({ create: red }).png().toBuffer());
 * assert.deepEqual([height, ...data.subarray(0, 3)], [4, 255, 0, 0]);
 * ```
 */
export async function decodePicture(
  image: Uint8Array | string,
  what: string = typeof image === "string" ? image : "an image",
): Promise<Picture> {
  try {
    const { data, info } = await sharp(image, { limitInputPixels: MOST_PIXELS })
      .rotate().flatten({ background: "white" }).toColourspace("srgb").raw()
      .toBuffer({ resolveWithObject: true });
    return { height: info.height, width: info.width, data };
  } catch (error) {
    throw new SyntaxError(
      `Cannot decode ${what}: ${(error as Error).message}. Record or copy it again.`,
    );
  }
}

/**
 * The grid of patches that an image of some size becomes.
 *
 * @param size of the image in pixels
 * @param processor of images
 * @param what it is called in errors. Default: `an image`
 * @returns patches along each side
 * @throws {RangeError} when a side is more than 200 times the other
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { gridOf, readImageProcessor } from "./mod.ts";
 *
 * const path = "data-fixtures/vision_language/model/preprocessor_config.json";
 * const processor = readImageProcessor(path, { minPixels: 230400, maxPixels: 230400 });
 * assert.deepEqual(gridOf({ height: 360, width: 640 }, processor), { frames: 1, height: 24, width: 44 });
 * ```
 */
export function gridOf(
  size: { readonly height: number; readonly width: number },
  processor: ImageProcessor,
  what?: string,
): PatchGrid {
  const { patchSize, mergeSize } = processor;
  const { height, width } = resizedSize(size, processor, patchSize * mergeSize, what);
  return { frames: 1, height: height / patchSize, width: width / patchSize };
}

/**
 * Resizes a picture and cuts it into patches.
 *
 * @param picture of any size
 * @param processor of images
 * @param target takes the patches. Default: new memory
 * @returns patches and their grid
 * @throws {RangeError} when a side is more than 200 times the other
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { processPicture, readImageProcessor } from "./mod.ts";
 *
 * const path = "data-fixtures/vision_language/model/preprocessor_config.json";
 * const picture = { height: 61, width: 97, data: new Uint8Array(61 * 97 * 3) };
 * const { grid, patches } = processPicture(picture, readImageProcessor(path));
 * assert.equal(patches.length, grid.height * grid.width * 1176);
 * ```
 */
export function processPicture(
  picture: Picture,
  processor: ImageProcessor,
  target?: Float32Array,
): PatchedImage {
  const grid = gridOf(picture, processor), { patchSize } = processor;
  const size = { height: grid.height * patchSize, width: grid.width * patchSize };
  const resized = resample(picture, size, processor.resampler);
  const patches = target ?? new Float32Array(grid.height * grid.width * patchWidth(processor));
  return { grid, patches: cutPatches(resized, processor, patches) };
}
