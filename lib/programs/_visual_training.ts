/** The visual-language model that a second stage trains with the policy. */
import { join } from "node:path";
import { type CommandContext, UsageError } from "../cli/mod.ts";
import { usualCheckpoint, visualChanges, visualDescription } from "../control/mod.ts";
import { openCheckpoint, predictingTensors } from "../checkpoints/mod.ts";
import { createExtractor, DatasetFeatures, type FeatureExtractor } from "../features/mod.ts";
import { QwenExtractor } from "../features/qwen_extractor.ts";
import type { DataPart, TrainingData, VisualTraining } from "../training/mod.ts";
import {
  type Adapter,
  storedAdapter,
  trainableModel,
  writeAdapter,
} from "../vision_language/mod.ts";
import { extractorOptions } from "./feature_flags.ts";
import type { DataValues } from "./prepare_data.ts";
import type { ResolvedTraining } from "./resolve.ts";
import type { Finetune } from "./visual_tuning.ts";

/**
 * Loads the model and prepares what of it is trained.
 *
 * @param resolved what flags mean
 * @param extractor of the same features, frozen
 * @param adapter that `lora` begins with; null for a new one
 * @returns null where nothing of it is trained
 */
export async function visualTraining(
  { tuning, settings }: Pick<ResolvedTraining, "tuning" | "settings">,
  extractor: FeatureExtractor,
  adapter: Adapter | null,
): Promise<VisualTraining | null> {
  if (tuning === null || !(extractor instanceof QwenExtractor)) return null;
  const { config, weights, precision } = await extractor.load(), { identity, tap } = extractor;
  const { textLearningRate, visionLearningRate, ...parts } = tuning;
  const model = trainableModel(
    {
      ...{ config, weights, precision, tap },
      base: { model: identity.model, digest: identity.revision },
      prompt: (request) => extractor.prompt(request),
    },
    { ...parts, ...(adapter === null ? {} : { begins: adapter }) },
    settings.seed,
  );
  return { model, textLearningRate, visionLearningRate };
}

/** Frees a model that is trained, so that another can be loaded. */
export function disposeModel({ model }: VisualTraining, extractor: FeatureExtractor): void {
  model[Symbol.dispose]();
  if (extractor instanceof QwenExtractor) extractor.dispose();
}

/**
 * Refuses to cache features of a model that is trained.
 *
 * @throws {UsageError} when a flag asks for it
 */
export function expectNoCache(
  parts: Exclude<Finetune, "none">,
  { cacheMode, mode }: { readonly cacheMode: string; readonly mode: string },
  { given }: Pick<CommandContext, "given">,
): void {
  const flag = mode === "cache" ? "--mode cache" : `--cache-mode ${cacheMode}`;
  if (mode !== "cache" && (!given.has("cacheMode") || cacheMode === "off")) return;
  throw new UsageError(
    `Cannot use ${flag} with --finetune-vl ${parts}: features of a model that is trained are stale ` +
      "as soon as they are stored, and pass no gradient on. Leave it out, or use --finetune-vl none.",
  );
}

/** What of the model is trained, for people. */
export function describeVisual(
  { model: { tensors, description } }: VisualTraining,
  adapter: string | undefined,
): string {
  const count = tensors.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
  const what = description.finetune === "lora"
    ? `low-rank additions to ${tensors.length / 2} layers`
    : `${tensors.length} tensors`;
  const { model, digest } = description.base as { model: string; digest: string };
  return `visual-language model: ${what}, ${count.toLocaleString("en")} parameters, of ${model} ` +
    `${digest.slice(0, 12)}` + (adapter === undefined ? "" : `, beginning with ${adapter}`);
}

/**
 * The data of a run with the features of the model as it was trained.
 *
 * @param run its folder
 * @param data as they were trained on
 * @param values of the flags
 * @param opened closes what is opened
 * @param context of the command
 */
export async function trainedData(
  run: string,
  data: TrainingData,
  { values, cache, extractor }: {
    readonly values: DataValues;
    readonly cache: string;
    readonly extractor: FeatureExtractor;
  },
  opened: DisposableStack,
  context: CommandContext,
): Promise<TrainingData> {
  if (data.validation === null) return data;
  const adapter = await visualChanges(usualPath(run));
  if (adapter === null) return data;
  const trained = await createExtractor(extractor.name, {
    ...extractorOptions({ ...values, views: [...extractor.identity.views] }, context),
    adapter,
  });
  if (trained instanceof QwenExtractor) opened.use(trained);
  const { dataset } = data.validation;
  const features = opened.use(
    await DatasetFeatures.open(dataset, trained, cache, { mode: "off" }),
  );
  const validation: DataPart = { dataset, features };
  return { ...data, validation };
}

/**
 * Writes the adapter of a run's usual checkpoint as peft does, into the run's folder `adapter`.
 *
 * @param run its folder
 * @returns its path; null where there is no adapter
 */
export function exportAdapter(run: string): string | null {
  using checkpoint = openCheckpoint(usualPath(run));
  const description = visualDescription(checkpoint.document), others = checkpoint.others();
  if (description?.finetune !== "lora" || others === null) return null;
  const folder = join(run, "adapter");
  Deno.mkdirSync(folder, { recursive: true });
  writeAdapter(folder, storedAdapter(description, predictingTensors(others)));
  return folder;
}

function usualPath(run: string): string {
  using checkpoint = openCheckpoint(run, { which: usualCheckpoint(run) });
  return checkpoint.path;
}
