import { createHash } from "node:crypto";
import { join, resolve } from "node:path";
import { cacheFolder } from "../engine/install/cache_folder.ts";
import type { VisionLanguageConfig } from "../vision_language/config.ts";
import { type ImageProcessor, readImageProcessor } from "../vision_language/image_processor.ts";
import type { VisionLanguageModel, VisionLanguageModelOptions } from "../vision_language/model.ts";
import { digestModel, openModelFolder } from "../vision_language/model_folder.ts";
import {
  openRandomModel,
  randomFolders,
  randomModelDigest,
  type RandomSize,
} from "../vision_language/random_weights.ts";
import { openTokenizer, type TextTokenizer } from "../vision_language/tokenizer.ts";

/** Where a model comes from. */
export interface QwenSource {
  /** Its folder; what stands for one where it has none. */
  readonly path: string;
  /** Flags by which commands name it. */
  readonly flags: readonly string[];
  /** How images become patches, as the model's files say. */
  readonly processor: () => ImageProcessor;
  /** Texts to token ids. */
  readonly tokenizer: () => TextTokenizer;
  /** Sizes, and the digest of what decides what it computes. */
  readonly identify: (options: SourceOptions) => Promise<IdentifiedModel>;
  /** Loads it. */
  readonly open: (options: VisionLanguageModelOptions) => Promise<VisionLanguageModel>;
}

/** What is known of a model before it is loaded. */
export interface IdentifiedModel {
  /** Sizes. */
  readonly config: VisionLanguageConfig;
  /** SHA-256, hexadecimal, of what decides what it computes. */
  readonly digest: string;
}

/** Who is told of long reading, and what stops it. */
export interface SourceOptions {
  /** Told how far it is. */
  readonly onProgress?: (line: string) => void;
  /** Stops it. */
  readonly signal?: AbortSignal;
}

/** A model in a folder as published. */
export function folderSource(model: string): QwenSource {
  const path = resolve(model);
  return {
    path,
    flags: ["--model", path],
    processor: () => readImageProcessor(join(path, "preprocessor_config.json")),
    tokenizer: () => openTokenizer(path),
    identify: async ({ onProgress, signal }) => {
      using folder = openModelFolder(path);
      const name = createHash("sha256").update(path).digest("hex").slice(0, 32);
      const { digest } = await digestModel(folder, {
        ...(signal && { signal }),
        memory: join(cacheFolder(), "models", `${name}.json`),
        onBytes: (read, all) => onProgress?.(`digest of the weights: ${ofBytes(read, all)}`),
      });
      return { config: folder.config, digest };
    },
    open: async (options) => {
      const { VisionLanguageModel } = await import("../vision_language/model.ts");
      return await VisionLanguageModel.open(path, options);
    },
  };
}

/** A model of random weights, to measure with. */
export function randomSource(size: RandomSize): QwenSource {
  const { model, tokenizer } = randomFolders(size);
  return {
    path: `random:${size}`,
    flags: ["--random-weights", size],
    processor: () => readImageProcessor(join(model, "preprocessor_config.json")),
    tokenizer: () => openTokenizer(tokenizer),
    identify: () => {
      using folder = openRandomModel(size);
      return Promise.resolve({ config: folder.config, digest: randomModelDigest(size) });
    },
    open: async (options) => {
      const { VisionLanguageModel } = await import("../vision_language/model.ts");
      return await VisionLanguageModel.random(size, options);
    },
  };
}

/** How many bytes of all are read, for people: GB are 10^9 bytes. */
export function ofBytes(read: number, all: number): string {
  const [unit, name] = all < 1e9 ? [1e6, "MB"] : [1e9, "GB"];
  return `${(read / unit).toFixed(1)} of ${(all / unit).toFixed(1)} ${name}`;
}
