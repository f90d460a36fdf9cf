import sharp from "sharp";
import type { EngineName } from "../engine/start.ts";
import type { TokenPrompt } from "../vision_language/batch.ts";
import type { VisionLanguageConfig } from "../vision_language/config.ts";
import { decodePicture, gridOf, type ImageProcessor } from "../vision_language/image_processor.ts";
import type { VisionLanguageModel, VisionLanguageModelOptions } from "../vision_language/model.ts";
import type { Tap } from "../vision_language/pooling.ts";
import { encodePrompt } from "../vision_language/prompt.ts";
import type { Picture } from "../vision_language/resample.ts";
import { tokenPrompt, visualTokens } from "../vision_language/token_prompt.ts";
import type { TextTokenizer } from "../vision_language/tokenizer.ts";
import { Calls } from "./_calls.ts";
import { ofBytes, type QwenSource, type SourceOptions } from "./qwen_source.ts";
import { assertViews } from "./_views.ts";
import type {
  Feature,
  FeatureExtractor,
  FeatureIdentity,
  FeatureRequest,
  FeatureView,
} from "./extractor.ts";

/** Greatest float16, in which features are stored. */
const MOST = 65504;
/** Loading that takes less goes without a progress line, ms. */
const TOLD_AFTER = 1000;

/** What an extractor is made of. */
export interface QwenParts extends SourceOptions {
  /** Where the model comes from. */
  readonly source: QwenSource;
  /** Sizes of the model. */
  readonly config: VisionLanguageConfig;
  /** How images become patches. */
  readonly processor: ImageProcessor;
  /** Texts to token ids. */
  readonly tokenizer: TextTokenizer;
  /** What decides the features. */
  readonly identity: FeatureIdentity;
  /** What of the last hidden states a feature is. */
  readonly tap: Tap;
  /** Prompts of one forward pass. */
  readonly together: number;
  /** Engine that is started where none runs. */
  readonly engine: "auto" | EngineName;
  /** Changes to the weights. */
  readonly changes?: VisionLanguageModelOptions["changes"];
}

/**
 * Features of Qwen2.5-VL: one vector for all views and the instruction. A camera without an image is
 * left out of the prompt. `qwenFeatures` makes one.
 */
export class QwenExtractor implements FeatureExtractor, Disposable {
  /** `qwen2.5-vl-3b`, whatever the size of the model. */
  readonly name = "qwen2.5-vl-3b";
  /** What decides its features; the revision is the digest of the model. */
  readonly identity: FeatureIdentity;
  /** Width of the model's tokens, D. */
  readonly width: number;
  /** As the Python reference stores them. */
  readonly dtype = "float16";
  /** Nothing of it is trained. */
  readonly frozen = true;
  /** Range of L2 norms. */
  readonly norm: readonly [min: number, max: number];
  /** Flags by which commands make the same extractor. */
  readonly flags: readonly string[];
  /** Prompts of one forward pass. */
  readonly together: number;
  /** Sizes of the model. */
  readonly config: VisionLanguageConfig;
  /** How images become patches. */
  readonly processor: ImageProcessor;
  /** What of the last hidden states a feature is. */
  readonly tap: Tap;
  readonly #parts: QwenParts;
  readonly #calls: Calls;
  readonly #sizes = new Map<string, Promise<number>>();
  #model: Promise<VisionLanguageModel> | undefined;

  /**
   * An extractor; `qwenFeatures` makes one of a folder.
   *
   * @param parts what it is made of
   */
  constructor(parts: QwenParts) {
    const { source, config, processor, identity, tap, together } = parts;
    this.#parts = parts;
    this.#calls = new Calls(together);
    this.identity = identity;
    this.config = config;
    this.processor = processor;
    this.tap = tap;
    this.together = together;
    this.width = config.text.hiddenSize;
    // Without an image there is no mean of visual tokens.
    this.norm = [tap === "image-mean" ? 0 : 1e-6, MOST * Math.sqrt(this.width)];
    this.flags = [
      ...source.flags,
      ...(tap === "mean" ? [] : ["--feature-tap", tap]),
      ...["--min-pixels", String(processor.minPixels)],
      ...["--max-pixels", String(processor.maxPixels)],
    ];
  }

  /** Folder of the model. */
  get folder(): string {
    return this.#parts.source.path;
  }

  /**
   * Tokens of a request's prompt, which its time goes by.
   *
   * @param request whose images are paths or contents
   * @returns how many; those of an image that cannot be read are left out
   */
  async cost({ views, instruction }: FeatureRequest): Promise<number> {
    const sizes = views.flatMap(({ image }) => image === null ? [] : [this.#tokensOf(image)]);
    const imageTokens = (await Promise.all(sizes)).filter((tokens) => tokens > 0);
    return encodePrompt(this.#parts.tokenizer, { imageTokens, text: instruction }).length;
  }

  /**
   * What the model is given for a request: its views that have an image, then the instruction.
   *
   * @param request images and instruction
   * @param decoded pictures that neighbouring requests have in common. Default: none
   * @returns token ids and patches
   * @throws {SyntaxError} when an image cannot be decoded
   * @throws {RangeError} when the views are not those of the identity, or a side of an image is more
   * than 200 times the other
   */
  async prompt(
    request: FeatureRequest,
    decoded: Map<Uint8Array | string, Promise<Picture>> = new Map(),
  ): Promise<TokenPrompt> {
    assertViews(this.identity.views, request);
    const pictures = request.views.flatMap((view) => {
      const { image } = view;
      if (image === null) return [];
      const picture = decoded.get(image) ?? this.#decode(image, nameOf(view));
      decoded.set(image, picture);
      return [picture];
    });
    const { tokenizer, processor } = this.#parts;
    return tokenPrompt(tokenizer, processor, await Promise.all(pictures), request.instruction);
  }

  /**
   * Loads the model, once; starts an engine where none runs.
   *
   * @returns the model, which belongs to the extractor
   * @throws {SyntaxError} when the model's files have changed since the extractor was made
   */
  load(): Promise<VisionLanguageModel> {
    return this.#model ??= this.#load().catch((error) => {
      this.#model = undefined;
      throw error;
    });
  }

  /** Loads the model, for those who measure what comes after. */
  async prepare(): Promise<void> {
    await this.load();
  }

  /**
   * Makes features.
   *
   * @param requests any number; those of equal cost should stand together
   * @returns one feature each
   * @throws {SyntaxError} when an image cannot be decoded
   */
  async extract(requests: readonly FeatureRequest[]): Promise<Feature[]> {
    if (requests.length === 0) return [];
    const model = await this.load(), { processor, tap } = this;
    const prompts: Promise<TokenPrompt>[] = [];
    const begin = (from: number, to: number) => {
      const decoded = new Map<Uint8Array | string, Promise<Picture>>();
      for (const [i, request] of requests.slice(from, to).entries()) {
        if (prompts[from + i] !== undefined) continue;
        prompts[from + i] = this.prompt(request, decoded);
        prompts[from + i]!.catch(() => {}); // who waits for it is told
      }
    };
    return await this.#calls.map([...requests.keys()], async (some) => {
      const end = some.at(-1)! + 1;
      begin(some[0]!, end);
      const given = await Promise.all(some.map((i) => prompts[i]!));
      begin(end, end + some.length); // other threads decode while the engine computes
      const vectors = await model.features(given, tap);
      some.forEach((i) => delete prompts[i]);
      return given.map(({ images }, i) => ({
        tokens: 1,
        visualTokens: images.reduce((sum, { grid }) => sum + visualTokens(grid, processor), 0),
        values: Float32Array.from(vectors[i]!),
      }));
    });
  }

  /** Frees the model. */
  dispose(): void {
    this.#model?.then((model) => model.dispose(), () => {});
    this.#model = undefined;
  }

  /** The same as {@linkcode dispose}. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  async #load(): Promise<VisionLanguageModel> {
    const { source, engine, onProgress, signal, changes } = this.#parts;
    const { currentEngine, startEngine } = await import("../engine/start.ts");
    if (currentEngine() === undefined) {
      const log = onProgress ?? (() => {});
      await startEngine({ engine, cluster: null, log, ...(signal && { signal }) });
    }
    const digest = await source.digest({
      ...(onProgress && { onProgress }),
      ...(signal && { signal }),
    });
    const expected = this.identity.revision, start = performance.now();
    if (digest !== expected) {
      throw new SyntaxError(
        `Cannot load the model ${source.path}: its files should have the digest ` +
          `${expected.slice(0, 12)}…, current value is ${
            digest.slice(0, 12)
          }…: they have changed ` +
          "since. Run the command again.",
      );
    }
    const { minPixels, maxPixels } = this.processor;
    const model = await source.open({
      ...{ minPixels, maxPixels },
      ...(signal && { signal }),
      ...(changes && { changes }),
      onProgress: (read, all) => {
        if (performance.now() - start > TOLD_AFTER) onProgress?.(`model: ${ofBytes(read, all)}`);
      },
    });
    onProgress?.(`model loaded in ${((performance.now() - start) / 1000).toFixed(1)} s`);
    return model;
  }

  async #decode(image: Uint8Array | string, name: string): Promise<Picture> {
    const picture = await decodePicture(image, name);
    gridOf(picture, this.processor, name); // refuses it by its name
    return picture;
  }

  /** Visual tokens of an image; 0 where it cannot be read. */
  #tokensOf(image: Uint8Array | string): Promise<number> {
    const measure = async () => {
      try {
        const { width, height } = await sharp(image).metadata();
        return visualTokens(gridOf({ width, height }, this.processor), this.processor);
      } catch {
        return 0; // extracting says what is wrong
      }
    };
    if (typeof image !== "string") return measure();
    let found = this.#sizes.get(image);
    if (found === undefined) this.#sizes.set(image, found = measure());
    return found;
  }
}

function nameOf({ name, image, file }: FeatureView): string {
  return file ?? (typeof image === "string" ? image : `the image of ${name}`);
}
