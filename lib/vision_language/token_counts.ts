import { gridOf, type ImageProcessor } from "./image_processor.ts";
import type { ImageSize } from "./image_size.ts";
import type { PatchGrid } from "./patches.ts";
import { encodePrompt, type PromptText, promptText } from "./prompt.ts";
import type { TextTokenizer } from "./tokenizer.ts";

/** What an image becomes. */
export interface ImageTokens {
  /** Name of the image. */
  readonly name: string;
  /** In pixels, as recorded. */
  readonly size: ImageSize;
  /** In pixels, as the model takes it. */
  readonly resized: ImageSize;
  /** Patches along each side. */
  readonly grid: PatchGrid;
  /** All patches. */
  readonly patches: number;
  /** Visual tokens. */
  readonly tokens: number;
}

/** What a prompt is made of, in tokens. */
export interface TokenCounts {
  /** Each image, in order. */
  readonly images: readonly ImageTokens[];
  /** Visual tokens of all images. */
  readonly visual: number;
  /** Tokens of the template: system message, turn, and two marks for each image. */
  readonly template: number;
  /** Tokens of the instruction. */
  readonly text: number;
  /** Everything, L. */
  readonly length: number;
}

/**
 * Sizes, grids and tokens of images, and the length of the prompt that holds them.
 *
 * @param images in the order in which the model sees them, with their sizes in pixels
 * @param processor of images
 * @param tokenizer of the model
 * @param instruction what stands after the images
 * @returns counts
 * @throws {RangeError} when a side of an image is more than 200 times the other
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { openTokenizer, readImageProcessor, tokenCounts } from "./mod.ts";
 *
 * const folder = "data-fixtures/vision_language";
 * const pixels = { minPixels: 230400, maxPixels: 230400 };
 * const processor = readImageProcessor(`${folder}/model/preprocessor_config.json`, pixels);
 * const view = { name: "View1", height: 720, width: 1280 };
 * const counts = tokenCounts([view, view], processor, openTokenizer(`${folder}/tokenizer`), "Hello");
 * assert.deepEqual([counts.visual, counts.template, counts.text, counts.length], [528, 20, 1, 549]);
 * ```
 */
export function tokenCounts(
  images: readonly (ImageSize & { readonly name: string })[],
  processor: ImageProcessor,
  tokenizer: TextTokenizer,
  instruction: string,
): TokenCounts {
  const { patchSize, mergeSize } = processor;
  const all = images.map(({ name, height, width }): ImageTokens => {
    const grid = gridOf({ height, width }, processor), patches = grid.height * grid.width;
    const resized = { height: grid.height * patchSize, width: grid.width * patchSize };
    return {
      ...{ name, size: { height, width }, resized, grid, patches },
      tokens: patches / mergeSize ** 2,
    };
  });
  const imageTokens = all.map(({ tokens }) => tokens);
  const visual = imageTokens.reduce((sum, tokens) => sum + tokens, 0);
  const length = encodePrompt(tokenizer, { imageTokens, text: instruction }).length;
  const template = encodePrompt(tokenizer, { imageTokens, text: "" }).length - visual;
  return { images: all, visual, template, text: length - visual - template, length };
}

/** Equal tokens of a prompt that follow each other. */
export interface TokenRun {
  /** Place of the first. */
  readonly place: number;
  /** How many. */
  readonly count: number;
  /** Their id. */
  readonly id: number;
  /** The token, as the vocabulary spells it: Ġ is a space, Ċ a line's end. */
  readonly token: string;
}

/**
 * The tokens of a prompt one by one, to be read; equal neighbours, such as visual tokens, once.
 *
 * @param tokenizer of the model
 * @param prompt images and text
 * @returns the tokens
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { openTokenizer, tokenRuns } from "./mod.ts";
 *
 * const tokenizer = openTokenizer("data-fixtures/vision_language/tokenizer");
 * const runs = tokenRuns(tokenizer, { imageTokens: [264], text: "Hello" });
 * assert.deepEqual(runs[0], { place: 0, count: 1, id: 151644, token: "<|im_start|>" });
 * assert.deepEqual(runs[15], { place: 15, count: 264, id: 151655, token: "<|image_pad|>" });
 * ```
 */
export function tokenRuns(tokenizer: TextTokenizer, prompt: PromptText): TokenRun[] {
  const text = promptText(prompt), ids = tokenizer.encode(text), tokens = tokenizer.tokens(text);
  const runs: TokenRun[] = [];
  for (let place = 0; place < ids.length;) {
    let end = place + 1;
    while (end < ids.length && ids[end] === ids[place]) end++;
    runs.push({ place, count: end - place, id: ids[place]!, token: tokens[place]! });
    place = end;
  }
  return runs;
}
