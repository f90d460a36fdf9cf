import { join } from "node:path";
import { compile, type Compiled, isBfloat16Faster, tf } from "../engine/mod.ts";
import {
  type BatchTensors,
  batchTensors,
  prepareBatch,
  type TokenPrompt,
  visionRuns,
} from "./batch.ts";
import type { VisionLanguageConfig } from "./config.ts";
import { hiddenStates } from "./forward.ts";
import type { ModelChanges } from "./forward_context.ts";
import {
  assertFits,
  type ImageProcessor,
  processPicture,
  readImageProcessor,
} from "./image_processor.ts";
import type { PixelLimits } from "./image_size.ts";
import { type ModelFolder, openModelFolder } from "./model_folder.ts";
import { pool, type Tap } from "./pooling.ts";
import { encodePrompt } from "./prompt.ts";
import {
  openRandomModel,
  randomFolders,
  type RandomModelOptions,
  type RandomSize,
} from "./random_weights.ts";
import type { Picture, Resampler } from "./resample.ts";
import { assertSpecials, openTokenizer, type TextTokenizer } from "./tokenizer.ts";
import type { VisionRuns } from "./vision_layout.ts";
import { disposeWeights, loadWeights, type LoadWeightsOptions, type Weights } from "./weights.ts";

/** How a model is opened. */
export interface VisionLanguageModelOptions extends LoadWeightsOptions, Partial<PixelLimits> {
  /** Whose arithmetic resizes images. Default: `torchvision` */
  readonly resampler?: Resampler;
  /** Of products. Default: the faster one where weights are held in bfloat16, else `float32` */
  readonly precision?: "bfloat16" | "float32";
  /** Makes an adapter, or tensors that replace constants; the model's, who frees them. Default: none */
  readonly changes?: (config: VisionLanguageConfig, weights: Weights) => ModelChanges;
}

/** Prompts are filled to a multiple of this length, so that few shapes are compiled. */
const BUCKET = 16;
/** Shapes that stay compiled. */
const SHAPES = 64;

/**
 * A Qwen2.5-VL model in memory, with the tokenizer and the image processor of its folder.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { startEngine } from "../engine/mod.ts";
 * import { VisionLanguageModel } from "./mod.ts";
 *
 * await startEngine({ quiet: true });
 * using model = await VisionLanguageModel.open("data-fixtures/vision_language/model");
 * const view = { height: 90, width: 160, data: new Uint8Array(90 * 160 * 3).fill(128) };
 * const prompt = model.prompt([view, view], "Perform Green point insertion task");
 * const [feature] = await model.features([prompt]);
 * assert.equal(feature!.length, model.config.text.hiddenSize);
 * ```
 */
export class VisionLanguageModel implements Disposable {
  /** Sizes. */
  readonly config: VisionLanguageConfig;
  /** How images become patches. */
  readonly processor: ImageProcessor;
  /** Texts to token ids. */
  readonly tokenizer: TextTokenizer;
  /** Constants by published name. */
  readonly weights: Weights;
  /** Of products with weights in bfloat16. */
  readonly precision: "bfloat16" | "float32";
  readonly #changes: ModelChanges;
  readonly #pooled: Compiled<[BatchTensors, VisionRuns | null, Tap], tf.Tensor>;

  private constructor(
    config: VisionLanguageConfig,
    processor: ImageProcessor,
    tokenizer: TextTokenizer,
    weights: Weights,
    precision: "bfloat16" | "float32",
    changes: ModelChanges,
  ) {
    this.config = config;
    this.processor = processor;
    this.tokenizer = tokenizer;
    this.weights = weights;
    this.precision = precision;
    this.#changes = changes;
    const pooled = (batch: BatchTensors, runs: VisionRuns | null, tap: Tap) =>
      pool(tap, hiddenStates({ config, weights, precision, ...changes }, batch, runs), batch);
    this.#pooled = compile(pooled, {
      name: "vision_language",
      precision,
      maxSignatures: SHAPES,
    });
  }

  /**
   * Opens a model's folder and loads its weights.
   *
   * @param path of the folder, with config.json, weights, tokenizer.json and preprocessor_config.json
   * @param options dtype, pixel limits, progress
   * @returns the model; dispose of it, or hold it with `using`
   * @throws {SyntaxError} when the files are damaged or do not belong together
   * @throws {Deno.errors.NotFound} when one is missing
   */
  static async open(
    path: string,
    options: VisionLanguageModelOptions = {},
  ): Promise<VisionLanguageModel> {
    using folder = openModelFolder(path);
    return await VisionLanguageModel.#of(folder, { model: path, tokenizer: path }, options);
  }

  /**
   * Makes a model of random weights in memory.
   *
   * @param size that of the published 3B, or a tiny one
   * @param options seed, dtype, pixel limits, progress
   * @returns the model; dispose of it, or hold it with `using`
   */
  static async random(
    size: RandomSize,
    options: VisionLanguageModelOptions & RandomModelOptions = {},
  ): Promise<VisionLanguageModel> {
    using folder = openRandomModel(size, options);
    return await VisionLanguageModel.#of(folder, randomFolders(size), options);
  }

  static async #of(
    folder: ModelFolder,
    paths: ReturnType<typeof randomFolders>,
    options: VisionLanguageModelOptions,
  ): Promise<VisionLanguageModel> {
    const { minPixels, maxPixels, resampler, precision } = options;
    const { config } = folder;
    const processor = readImageProcessor(join(paths.model, "preprocessor_config.json"), {
      ...(minPixels === undefined ? {} : { minPixels }),
      ...(maxPixels === undefined ? {} : { maxPixels }),
      ...(resampler === undefined ? {} : { resampler }),
    });
    assertFits(processor, config.vision);
    const tokenizer = openTokenizer(paths.tokenizer);
    assertSpecials(tokenizer, config.tokens);
    const weights = await loadWeights(folder, options);
    const isNarrow = options.dtype === "bfloat16" ||
      (options.dtype ?? "stored") === "stored" && config.dtype === "bfloat16";
    const fastest = isNarrow && isBfloat16Faster() ? "bfloat16" : "float32";
    let changes: ModelChanges;
    try {
      changes = options.changes?.(config, weights) ?? {};
    } catch (error) {
      disposeWeights(weights);
      throw error;
    }
    const chosen = precision ?? fastest;
    return new VisionLanguageModel(config, processor, tokenizer, weights, chosen, changes);
  }

  /**
   * A prompt of one user turn.
   *
   * @param pictures in the order in which the model sees them
   * @param text what stands after them
   * @returns token ids and patches
   * @throws {RangeError} when a side of a picture is more than 200 times the other
   */
  prompt(pictures: readonly Picture[], text: string): TokenPrompt {
    const images = pictures.map((picture) => processPicture(picture, this.processor));
    const unit = this.config.vision.mergeSize ** 2;
    const imageTokens = images.map(({ grid }) => grid.height * grid.width / unit);
    return { ids: encodePrompt(this.tokenizer, { imageTokens, text }), images };
  }

  /**
   * One vector per prompt.
   *
   * @param prompts computed together, filled to one length
   * @param tap which tokens count. Default: `mean`
   * @returns `(D)` each
   */
  async features(prompts: readonly TokenPrompt[], tap: Tap = "mean"): Promise<Float32Array[]> {
    const longest = Math.max(0, ...prompts.map(({ ids }) => ids.length));
    const length = Math.ceil(longest / BUCKET) * BUCKET;
    const batch = prepareBatch(prompts, this.config, { length });
    const tensors = batchTensors(batch, this.config);
    const result = this.#pooled(tensors, visionRuns(batch), tap);
    tf.dispose(tensors);
    const values = await result.data() as Float32Array, width = this.config.text.hiddenSize;
    result.dispose();
    return prompts.map((_, i) => values.slice(i * width, (i + 1) * width));
  }

  /** Frees weights and compiled functions. */
  dispose(): void {
    this.#pooled.dispose();
    disposeWeights(this.weights);
    const { replaced = {}, adapter } = this.#changes;
    [...Object.values(replaced), ...Object.values(adapter?.tensors ?? {})]
      .forEach((each) => each.dispose());
  }

  /** The same as {@linkcode dispose}. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}
