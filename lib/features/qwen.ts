import sharp from "sharp";
import type { EngineName } from "../engine/start.ts";
import { assertFits, type ImageProcessor } from "../vision_language/image_processor.ts";
import { MOST_RESIZED, type PixelLimits } from "../vision_language/image_size.ts";
import type { VisionLanguageModelOptions } from "../vision_language/model.ts";
import type { Tap } from "../vision_language/pooling.ts";
import { PROMPT_TEMPLATE } from "../vision_language/prompt.ts";
import { assertSpecials, type TextTokenizer } from "../vision_language/tokenizer.ts";
import type { RandomSize } from "../vision_language/random_weights.ts";
import { folderSource, type QwenSource, randomSource } from "./qwen_source.ts";
import type { FeatureIdentity, FeatureTaps } from "./extractor.ts";
import { QwenExtractor } from "./qwen_extractor.ts";

/** Changes to a model's weights. */
export interface QwenAdapter {
  /** Digest of the changes. */
  readonly digest: string;
  /** Digest of the model that they are of. Default: not known */
  readonly base?: string;
  /** What they are. */
  readonly changes: NonNullable<VisionLanguageModelOptions["changes"]>;
}

/** What features of Qwen2.5-VL are made with. */
export interface QwenOptions extends Partial<PixelLimits> {
  /** Folder of the model as published; not with `random`. */
  readonly model?: string;
  /** A model of random weights instead of one in a folder, to measure with. Default: none */
  readonly random?: RandomSize;
  /** Cameras in the order in which the model sees them. Default: View1 to View5 */
  readonly views?: readonly string[];
  /** What of the last hidden states a feature is. Default: `mean` of all tokens */
  readonly tap?: Tap;
  /**
   * Prompts of one forward pass, which change a feature's last digits. Default: 1, with which a feature
   * is the same wherever it is made
   */
  readonly together?: number;
  /** Changes to the weights. Default: none */
  readonly adapter?: QwenAdapter;
  /** Engine that is started where none runs yet. Default: `auto` */
  readonly engine?: "auto" | EngineName;
  /** Told what takes long. */
  readonly onProgress?: (line: string) => void;
  /** Stops reading the model. */
  readonly signal?: AbortSignal;
}

const VIEWS = ["View1", "View2", "View3", "View4", "View5"];
/** Most pixels of a view unless something else is asked for: 264 visual tokens of 16:9. */
const MOST_PIXELS = 640 * 360;

const LAYER = "last hidden state after the norm";
const TAPS: Readonly<Record<Tap, FeatureTaps>> = {
  "mean": { layer: LAYER, selection: "all", pooling: "mean" },
  "image-mean": { layer: LAYER, selection: "vision", pooling: "mean" },
  "last-token": { layer: LAYER, selection: "all", pooling: "last-token" },
};

/**
 * The extractor of Qwen2.5-VL features. The weights are digested, which for 7.5 GB takes a while the
 * first time; unchanged files are believed afterwards. They are loaded by the first feature.
 *
 * @param options model, cameras, tap, pixel limits
 * @returns the extractor; dispose of it
 * @throws {Deno.errors.NotFound} naming the file that the folder lacks
 * @throws {SyntaxError} when its files are damaged or do not belong together
 * @throws {RangeError} when an option is out of range, or the changes are of another model
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { qwenFeatures } from "./mod.ts";
 *
 * using extractor = await qwenFeatures({
 *   model: "data-fixtures/vision_language/model",
 *   views: ["View1"],
 * });
 * assert.equal(extractor.width, extractor.config.text.hiddenSize);
 * const image = null, instruction = "Insert.";
 * const request = { views: [{ name: "View1", image }], instruction };
 * assert.equal(await extractor.cost(request), (await extractor.prompt(request)).ids.length);
 * ```
 */
export async function qwenFeatures(options: QwenOptions): Promise<QwenExtractor> {
  const { views = VIEWS, tap = "mean", together = 1, engine = "auto", adapter } = options;
  const { onProgress, signal } = options;
  const telling = { ...(onProgress && { onProgress }), ...(signal && { signal }) };
  const source = sourceOf(options);
  expectOptions(source.path, views, together);
  // The small files first: what is wrong with them is told before gigabytes are read.
  const config = source.config(), processor = processorOf(source, options);
  assertFits(processor, config.vision);
  const tokenizer = source.tokenizer();
  assertSpecials(tokenizer, config.tokens);
  assertKnown(source.path, tokenizer, config.text.vocabularySize);
  const digest = await source.digest(telling);
  expectBase(source.path, digest, adapter);
  const identity: FeatureIdentity = {
    model: `Qwen2.5-VL ${config.text.layers}x${config.text.hiddenSize}`,
    revision: digest,
    adapter: adapter?.digest ?? null,
    processor: {
      ...processor,
      decoder: `sharp ${sharp.versions.sharp}`,
      tokenizer: tokenizer.digest,
      weights: config.dtype,
    },
    promptTemplate: PROMPT_TEMPLATE,
    taps: TAPS[tap],
    views,
  };
  return new QwenExtractor({
    ...{ source, config, processor, tokenizer, identity, tap, together, engine, ...telling },
    ...(adapter && { changes: adapter.changes }),
  });
}

/**
 * The options with which {@linkcode qwenFeatures} makes features of an identity again.
 *
 * @param identity of such features
 * @returns tap, pixel limits and cameras; the folder of the model is not in it
 * @throws {RangeError} when they are features of another kind
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { qwenFeatures, qwenSettings } from "./mod.ts";
 *
 * const model = "data-fixtures/vision_language/model";
 * using extractor = await qwenFeatures({ model, tap: "last-token", maxPixels: 6272 });
 * const { tap, maxPixels } = qwenSettings(extractor.identity);
 * assert.deepEqual([tap, maxPixels], ["last-token", 6272]);
 * ```
 */
export function qwenSettings(
  { taps, processor, views }: FeatureIdentity,
): PixelLimits & { readonly tap: Tap; readonly views: readonly string[] } {
  const tap = (Object.keys(TAPS) as Tap[]).find((name) =>
    TAPS[name].selection === taps?.selection && TAPS[name].pooling === taps?.pooling
  );
  const { minPixels, maxPixels } = processor ?? {};
  if (tap !== undefined && typeof minPixels === "number" && typeof maxPixels === "number") {
    return { tap, minPixels, maxPixels, views };
  }
  throw new RangeError(
    "Cannot make features of qwen2.5-vl-3b again: their identity should name taps and pixel limits, " +
      `current value is ${JSON.stringify({ taps, processor })}.`,
  );
}

function sourceOf({ model, random }: QwenOptions): QwenSource {
  if (model !== undefined && random === undefined) return folderSource(model);
  if (random !== undefined && model === undefined) return randomSource(random);
  throw new RangeError(
    "Cannot make features of qwen2.5-vl-3b: --model should name the folder of the model, with its " +
      `config.json, or --random-weights a size, current value is ${
        model === undefined ? "neither" : "both"
      }. Without a model there are the features pixel-2048.`,
  );
}

function expectBase(model: string, digest: string, adapter: QwenAdapter | undefined): void {
  const { base = digest } = adapter ?? {};
  if (base === digest) return;
  throw new RangeError(
    `Cannot make features of ${model} with the adapter: the adapter was trained with the model ` +
      `${base.slice(0, 12)}, current value is ${
        digest.slice(0, 12)
      }. Name the right one with --model.`,
  );
}

function expectOptions(model: string, views: readonly string[], together: number): void {
  const twice = views.find((name, i) => views.indexOf(name) !== i);
  const problem = views.length === 0
    ? "it takes one view or more, current value is none"
    : twice !== undefined
    ? `it takes each view once, current value is "${twice}" twice`
    : !(Number.isSafeInteger(together) && together > 0)
    ? `prompts of one forward pass should be a positive integer, current value is ${together}`
    : undefined;
  if (problem !== undefined) throw new RangeError(`Cannot make features of ${model}: ${problem}.`);
}

function processorOf(
  { path, processor }: QwenSource,
  { minPixels, maxPixels }: QwenOptions,
): ImageProcessor {
  const own = processor();
  const most = maxPixels ?? Math.max(own.minPixels, Math.min(own.maxPixels, MOST_PIXELS));
  const least = minPixels ?? Math.min(own.minPixels, most);
  const areIntegers = Number.isSafeInteger(least) && Number.isSafeInteger(most);
  if (areIntegers && least > 0 && least <= Math.min(most, MOST_RESIZED)) {
    return { ...own, minPixels: least, maxPixels: most };
  }
  throw new RangeError(
    `Cannot make features of ${path}: --min-pixels and --max-pixels should be positive integers, the ` +
      `first at most the second and ${MOST_RESIZED}, current value is ${least} and ${most}.`,
  );
}

/** Refuses a tokenizer of more tokens than the model has, as far as the template shows it. */
function assertKnown(model: string, tokenizer: TextTokenizer, vocabularySize: number): void {
  const unknown = tokenizer.encode(PROMPT_TEMPLATE).find((id) => id >= vocabularySize);
  if (unknown === undefined) return;
  throw new SyntaxError(
    `Cannot make features of ${model}: the token ids of tokenizer.json should be below ` +
      `${vocabularySize} as in config.json, current value is ${unknown}. Copy both from one model.`,
  );
}
