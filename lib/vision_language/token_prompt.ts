import type { TokenPrompt } from "./batch.ts";
import { type ImageProcessor, processPicture } from "./image_processor.ts";
import type { PatchGrid } from "./patches.ts";
import { encodePrompt } from "./prompt.ts";
import type { Picture } from "./resample.ts";
import type { TextTokenizer } from "./tokenizer.ts";

/**
 * The prompt of one user turn: patches of its pictures, and token ids.
 *
 * @param tokenizer of the model
 * @param processor of images
 * @param pictures in the order in which the model sees them
 * @param text what stands after them
 * @returns the prompt
 * @throws {RangeError} when a side of a picture is more than 200 times the other
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { openTokenizer, readImageProcessor, tokenPrompt } from "./mod.ts";
 *
 * const folder = "data-fixtures/vision_language/model";
 * const processor = readImageProcessor(`${folder}/preprocessor_config.json`);
 * const picture = { height: 90, width: 160, data: new Uint8Array(90 * 160 * 3) };
 * const { images } = tokenPrompt(openTokenizer(folder), processor, [picture], "Insert.");
 * assert.equal(images.length, 1);
 * ```
 */
export function tokenPrompt(
  tokenizer: TextTokenizer,
  processor: ImageProcessor,
  pictures: readonly Picture[],
  text: string,
): TokenPrompt {
  const images = pictures.map((picture) => processPicture(picture, processor));
  const imageTokens = images.map(({ grid }) => visualTokens(grid, processor));
  return { ids: encodePrompt(tokenizer, { imageTokens, text }), images };
}

/**
 * Visual tokens of an image.
 *
 * @param grid its patches
 * @param processor of images
 * @returns how many tokens it becomes
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { readImageProcessor, visualTokens } from "./mod.ts";
 *
 * const path = "data-fixtures/vision_language/model/preprocessor_config.json";
 * const grid = { frames: 1, height: 24, width: 44 };
 * assert.equal(visualTokens(grid, readImageProcessor(path)), 264);
 * ```
 */
export function visualTokens(grid: PatchGrid, { mergeSize }: ImageProcessor): number {
  return grid.frames * grid.height * grid.width / mergeSize ** 2;
}
