import { type NamedTensors, type Random, tf } from "../engine/mod.ts";
import type { JsonValue } from "../features/canonical_json.ts";
import type { FeatureRequest } from "../features/extractor.ts";
import type {
  TrainableFeatures,
  TrainableParts,
  TrainableTensor,
  VisualBatch,
  VisualInputs,
} from "../features/trainable.ts";
import {
  type BatchTensors,
  batchTensors,
  prepareBatch,
  type TokenPrompt,
  visionRuns,
} from "./batch.ts";
import { adapterTensors } from "./adapter_changes.ts";
import type { Adapter } from "./adapter_file.ts";
import type { VisionLanguageConfig } from "./config.ts";
import { hiddenStates } from "./forward.ts";
import type { VisionLanguageForward } from "./forward_context.ts";
import { initialAdapter, type LoraConfig, loraShapes } from "./lora.ts";
import { pool, type Tap } from "./pooling.ts";
import { fullTensors, loraTensors, widened } from "./trained_tensors.ts";
import type { VisionRuns } from "./vision_layout.ts";
import type { Weight, Weights } from "./weights.ts";

/** What of a model is trained, and how. */
export interface FineTuning {
  /** Low-rank additions, or tensors of the model themselves. */
  readonly parts: TrainableParts;
  /** The additions, of `lora`. */
  readonly lora: LoraConfig;
  /** Of `full`: layers of the text decoder, from its end; 0 trains all of the model. */
  readonly unfreezeLastN: number;
  /** Whether gradients compute each layer again instead of keeping its intermediate values. */
  readonly recomputes: boolean;
  /** Adapter that `lora` begins with, of the same rank and targets. Default: one that adds nothing yet */
  readonly begins?: Adapter;
}

/** An open model that is to be trained. */
export interface TrainedModel {
  /** Sizes. */
  readonly config: VisionLanguageConfig;
  /** Constants by published name. */
  readonly weights: Weights;
  /** Of products with weights in bfloat16. */
  readonly precision: "bfloat16" | "float32";
  /** Name and digest of the model, for checkpoints. */
  readonly base: { readonly model: string; readonly digest: string };
  /** What of the tokens a feature is. Default: `mean` */
  readonly tap?: Tap;
  /** Makes the prompt of a sample, as for the features of the frozen model. */
  prompt(request: FeatureRequest): Promise<TokenPrompt>;
}

/** Prompts are filled to a multiple of this length, so that few shapes are compiled. */
const BUCKET = 16;

/**
 * A visual-language model that learns with a policy.
 *
 * Low-rank adaptation: Hu et al., LoRA, https://arxiv.org/abs/2106.09685
 *
 * @param model open, frozen; stays the caller's
 * @param tuning what of it is trained
 * @param seed of the first values of `lora`
 * @returns the trainable model; dispose of it before the model
 * @throws {RangeError} when targets hit no layer, or there are fewer layers than asked for
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { startEngine, tf } from "../engine/mod.ts";
 * import { DEFAULT_LORA, trainableModel, VisionLanguageModel } from "./mod.ts";
 *
 * await startEngine({ quiet: true });
 * const model = await VisionLanguageModel.open("data-fixtures/vision_language/model");
 * const { config, weights, precision } = model;
 * const tuning = { lora: DEFAULT_LORA, unfreezeLastN: 0, recomputes: true };
 * using trained = trainableModel({
 *   ...{ config, weights, precision, base: { model: "tiny", digest: "" } },
 *   prompt: (request) => Promise.resolve(model.prompt([], request.instruction)),
 * }, { parts: "lora", ...tuning }, 1);
 * const { tensors, layout } =
 *   (await trained.read([{ views: [], instruction: "Insert" }], 2)).upload();
 * const { tokens } = trained.encode(trained.parameters, { tensors, layout });
 * assert.deepEqual(tokens.shape, [2, 1, trained.width]);
 * tf.dispose(tensors);
 * model.dispose();
 * ```
 */
export function trainableModel(
  model: TrainedModel,
  tuning: FineTuning,
  seed: number,
): TrainableFeatures {
  const { config, weights, base, tap = "mean" } = model, { lora, parts } = tuning;
  const tensors: readonly TrainableTensor[] = parts === "lora"
    ? loraTensors(config, lora)
    : fullTensors(config, tuning.unfreezeLastN);
  const parameters: NamedTensors = parts === "lora"
    ? firstAdapter(config, tuning, seed)
    : Object.fromEntries(tensors.map((each) => [each.key, widened(weights, each)]));
  const width = config.text.hiddenSize;
  return {
    ...{ width, parameters, tensors },
    description: describe(base, tuning),
    read: (requests, size) => readBatch(model, requests, size),
    encode: (values, { tensors: batch, layout }, random) => {
      const hidden = hiddenStates(
        forwardOf(model, tuning, values, random),
        batch as BatchTensors,
        layout as unknown as VisionRuns | null,
      );
      const tokens = pool(tap, hidden, batch as BatchTensors).expandDims(1);
      return { tokens, mask: tf.ones([tokens.shape[0]!, 1]) };
    },
    [Symbol.dispose]: () => tf.dispose(parameters),
  };
}

function firstAdapter(
  config: VisionLanguageConfig,
  { lora, begins }: FineTuning,
  seed: number,
): NamedTensors {
  if (begins === undefined) return initialAdapter(config, lora, seed);
  const shapes = Object.entries(loraShapes(config, lora));
  const strange = shapes.find(([key, shape]) =>
    String(begins.tensors[key]?.shape) !== String(shape)
  );
  if (strange === undefined && shapes.length === Object.keys(begins.tensors).length) {
    return adapterTensors(begins);
  }
  throw new RangeError(
    `Cannot begin with the adapter: its matrices should be those of rank ${lora.rank} for ` +
      `${lora.targets}, current value ${
        strange === undefined ? "has others besides" : `is without ${strange[0]}`
      }. Take rank and targets from the adapter.`,
  );
}

function describe(
  base: TrainedModel["base"],
  { parts, lora, unfreezeLastN }: FineTuning,
): TrainableFeatures["description"] {
  const { rank, alpha, dropout, targets } = lora;
  return {
    finetune: parts,
    base: { ...base },
    ...(parts === "lora"
      ? { lora: { rank, alpha, dropout, targets: targets as JsonValue } }
      : { unfreezeLastN }),
  };
}

/** The forward pass with what is trained in its place. */
function forwardOf(
  { config, weights, precision }: TrainedModel,
  { parts, lora, recomputes }: FineTuning,
  values: NamedTensors,
  random: (() => Random) | undefined,
): VisionLanguageForward {
  const shared = { config, weights, precision, recomputes };
  return parts === "full" ? { ...shared, replaced: replacements(values) } : {
    ...shared,
    adapter: {
      ...{ tensors: values, scale: lora.alpha / lora.rank, dropout: lora.dropout },
      ...(random === undefined ? {} : { random }),
    },
  };
}

/**
 * Trained tensors by the published names that they take the place of.
 *
 * @param values by keys that begin with `vl_model.`
 * @returns the same tensors
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { startEngine, tf } from "../engine/mod.ts";
 * import { replacements } from "./mod.ts";
 *
 * await startEngine({ quiet: true });
 * const { "model.norm.weight": norm } = replacements({ "vl_model.model.norm.weight": tf.ones([2]) });
 * assert(norm !== undefined);
 * ```
 */
export function replacements(values: NamedTensors): Record<string, Weight> {
  return Object.fromEntries(
    Object.entries(values).map(([key, value]) => [key.replace(/^vl_model\./, ""), value]),
  );
}

async function readBatch(
  { config, prompt }: TrainedModel,
  requests: readonly FeatureRequest[],
  size: number,
): Promise<VisualBatch> {
  const prompts = await Promise.all(requests.map((request) => prompt(request)));
  while (prompts.length < size) prompts.push(prompts.at(-1)!);
  const longest = Math.max(...prompts.map(({ ids }) => ids.length));
  const length = Math.ceil(longest / BUCKET) * BUCKET;
  const batch = prepareBatch(prompts, config, { length });
  return {
    upload: (): VisualInputs => ({
      tensors: batchTensors(batch, config),
      layout: visionRuns(batch) as unknown as JsonValue,
    }),
  };
}
