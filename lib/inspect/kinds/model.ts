import { join } from "node:path";
import { isFile } from "../../formats/_path.ts";
import { formatBytes } from "../../formats/format_bytes.ts";
import { openSafetensors, type SafetensorsReader } from "../../formats/safetensors.ts";
import { INDEX } from "../../vision_language/_file_names.ts";
import { readModelConfig, type VisionLanguageConfig } from "../../vision_language/config.ts";
import { assertFits, readImageProcessor } from "../../vision_language/image_processor.ts";
import {
  digestModel,
  type ModelFolder,
  openModelFolder,
} from "../../vision_language/model_folder.ts";
import { publishedName } from "../../vision_language/tensor_names.ts";
import { attempt, countDtypes, countNumbers, describeAll } from "../_weights.ts";
import type { InspectOptions, Kind, TensorEntry } from "../inspection.ts";

const CONFIG = "config.json", PROCESSOR = "preprocessor_config.json", TOKENIZER = "tokenizer.json";
/** Weights of fewer bytes are digested at once. */
const DIGESTED_BYTES = 64e6;

/** A Qwen2.5-VL model as published, whole or not: what does not fit in it is listed. */
export const model: Kind = {
  name: "model",
  summary: "a folder with config.json and *.safetensors: a Qwen2.5-VL model as published",
  claims: ({ isFolder, entries }) =>
    isFolder && entries.includes(CONFIG) &&
    entries.some((name) => isWeights(name) || name === INDEX || name === PROCESSOR),
  inspect: async ({ path, entries }, options) => {
    const problems: string[] = [];
    const files = entries.filter((name) => isWeights(name) && isFile(join(path, name)));
    const config = attempt(problems, () => readModelConfig(join(path, CONFIG)));
    using folder = config === undefined
      ? null
      : attempt(problems, () => openModelFolder(path)) ?? null;
    const tensors = folder === null
      ? await remaining(path, files, options)
      : await describeAll(folder.tensors, options);
    const processor = processorOf(path, config, problems);
    const hasTokenizer = isFile(join(path, TOKENIZER));
    if (!hasTokenizer) problems.push(`${TOKENIZER} is missing`);
    const shards = folder?.shards ??
      files.map((name) => ({ name, bytes: sizeOf(join(path, name)) }));
    const isVision = ({ name }: TensorEntry) => name.startsWith("visual.");
    return {
      tensors,
      bytes: entries.reduce((sum, name) => sum + sizeOf(join(path, name)), 0),
      details: {
        ...(config === undefined ? {} : { type: "qwen2_5_vl", ...settingsOf(config) }),
        tensors: tensors.length,
        parameters: {
          text: countNumbers(tensors.filter((tensor) => !isVision(tensor))),
          vision: countNumbers(tensors.filter(isVision)),
          total: countNumbers(tensors),
        },
        dtypes: countDtypes(tensors),
        processor,
        tokenizer: hasTokenizer ? "present" : "missing",
        digest: folder === null ? "none: not whole" : await digestOf(folder, options),
        problems,
        shards,
      },
    };
  },
};

function isWeights(name: string): boolean {
  return name.endsWith(".safetensors");
}

/** Of the file behind a link too, as caches of downloads have them. */
function sizeOf(path: string): number {
  return isFile(path) ? Deno.statSync(path).size : 0;
}

function settingsOf({ text, vision, dtype }: VisionLanguageConfig) {
  return {
    dtype,
    text: {
      layers: text.layers,
      width: text.hiddenSize,
      innerWidth: text.intermediateSize,
      heads: text.heads,
      keyValueHeads: text.keyValueHeads,
      vocabulary: text.vocabularySize,
      tiedEmbeddings: text.tiedEmbeddings,
    },
    vision: {
      blocks: vision.depth,
      fullAttentionBlocks: vision.fullAttentionBlocks,
      width: vision.hiddenSize,
      innerWidth: vision.intermediateSize,
      heads: vision.heads,
      patchSize: vision.patchSize,
      windowSize: vision.windowSize,
    },
  };
}

function processorOf(
  folder: string,
  config: VisionLanguageConfig | undefined,
  problems: string[],
) {
  const path = join(folder, PROCESSOR);
  if (!isFile(path)) {
    problems.push(`${PROCESSOR} is missing`);
    return "missing";
  }
  const processor = attempt(problems, () => readImageProcessor(path));
  if (processor === undefined) return "damaged";
  if (config !== undefined) attempt(problems, () => assertFits(processor, config.vision));
  const { minPixels, maxPixels, patchSize, mergeSize } = processor;
  return { minPixels, maxPixels, patchSize, mergeSize };
}

/** The tensors that can be found in the files of a folder that is not whole. */
async function remaining(folder: string, names: readonly string[], options: InspectOptions) {
  const tensors: TensorEntry[] = [];
  for (const name of names) {
    using file: SafetensorsReader | null = attempt([], () => openSafetensors(join(folder, name))) ??
      null;
    if (file === null) continue;
    const found = file.names.map((name) => [publishedName(name), file.tensor(name)] as const);
    tensors.push(...await describeAll(found, options));
  }
  return tensors;
}

/** Of large weights, only where all values are read anyway. */
async function digestOf(folder: ModelFolder, { stats, signal }: InspectOptions): Promise<string> {
  const bytes = folder.shards.reduce((sum, shard) => sum + shard.bytes, 0);
  if (bytes > DIGESTED_BYTES && !stats) {
    return `not computed: reads all ${formatBytes(bytes)}; --stats computes it`;
  }
  return (await digestModel(folder, signal === undefined ? {} : { signal })).digest;
}
