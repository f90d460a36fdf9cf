import { createHash } from "node:crypto";
import { join, resolve } from "node:path";
import { cacheFolder } from "../engine/install/cache_folder.ts";
import { formatBytes } from "../formats/format_bytes.ts";
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
  /** Sizes; the files of weights are looked at, and not read. */
  readonly config: () => VisionLanguageConfig;
  /** How images become patches, as the model's files say. */
  readonly processor: () => ImageProcessor;
  /** Texts to token ids. */
  readonly tokenizer: () => TextTokenizer;
  /** SHA-256, hexadecimal, of what decides what it computes. */
  readonly digest: (options: SourceOptions) => Promise<string>;
  /** Loads it. */
  readonly open: (options: VisionLanguageModelOptions) => Promise<VisionLanguageModel>;
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
    config: () => {
      using folder = openModelFolder(path);
      return folder.config;
    },
    processor: () => readImageProcessor(join(path, "preprocessor_config.json")),
    tokenizer: () => openTokenizer(path),
    digest: async ({ onProgress, signal }) => {
      using folder = openModelFolder(path);
      const name = createHash("sha256").update(path).digest("hex").slice(0, 32);
      const { digest } = await digestModel(folder, {
        ...(signal && { signal }),
        memory: join(cacheFolder(), "models", `${name}.json`),
        onBytes: (read, all) => onProgress?.(`digest of the weights: ${ofBytes(read, all)}`),
      });
      return digest;
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
    config: () => {
      using folder = openRandomModel(size);
      return folder.config;
    },
    processor: () => readImageProcessor(join(model, "preprocessor_config.json")),
    tokenizer: () => openTokenizer(tokenizer),
    digest: () => Promise.resolve(randomModelDigest(size)),
    open: async (options) => {
      const { VisionLanguageModel } = await import("../vision_language/model.ts");
      return await VisionLanguageModel.random(size, options);
    },
  };
}

/** How many bytes of all are read, for people. */
export function ofBytes(read: number, all: number): string {
  return `${formatBytes(read)} of ${formatBytes(all)}`;
}
