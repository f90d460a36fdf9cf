/** Adapters and whole models out of what a second stage trained. */
import { replaceFolderAtomic } from "../../formats/atomic_write.ts";
import { toFloat32 } from "../../formats/bfloat16.ts";
import { plural } from "../../episodes/_plural.ts";
import { type Adapter, readAdapter, writeAdapter } from "../../vision_language/adapter_file.ts";
import { adapterProblems } from "../../vision_language/adapter_problems.ts";
import type { VisionLanguageConfig } from "../../vision_language/config.ts";
import {
  mergeChanges,
  type MergedModel,
  type WeightChange,
  writeMergedModel,
} from "../../vision_language/merged_model.ts";
import { storedAdapter, type VisualDescription } from "../../vision_language/trained_changes.ts";
import { fullTensors } from "../../vision_language/trained_tensors.ts";
import { expectBase, type OpenedModel, openKnownModel } from "./_known_model.ts";
import type { PortableCheckpoint } from "./_portable.ts";
import { descriptionOf, MODEL, trainedTensors } from "./_visual.ts";
import type { Written } from "./_write.ts";

/** The model that a request names. */
export interface ModelOptions {
  readonly model?: string | undefined;
  readonly loraAlpha?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Writes the adapter of a second stage as peft does. */
export async function writePeft(
  input: string,
  output: string,
  checkpoint: PortableCheckpoint,
): Promise<Written> {
  const description = expectTrained(input, checkpoint, "--to peft");
  if (description.finetune !== "lora") {
    throw new RangeError(
      `Cannot make an adapter of ${input}: its model should have been trained with --finetune-vl ` +
        "lora, current value is full, which changed the model's own tensors. Make a model of it: " +
        "--to model --model BASE",
    );
  }
  const adapter = adapterOf(input, description, checkpoint);
  await replaceFolderAtomic(output, (folder) => writeAdapter(folder, adapter));
  return { tensors: Object.keys(adapter.tensors).length, remarks: averaged(input, checkpoint) };
}

/** Writes a model's folder with what a second stage made of it. */
export async function writeTrainedModel(
  input: string,
  output: string,
  checkpoint: PortableCheckpoint,
  options: ModelOptions,
): Promise<Written> {
  const description = expectTrained(input, checkpoint, "--to model");
  using model = await openKnownModel(expectModel(input, options), options.signal);
  expectBase(input, description.base.digest, model);
  const written = await writeModel(
    output,
    model,
    changesOf(input, description, checkpoint, model),
    { ...options, kind: description.finetune },
  );
  return { ...written, remarks: [...averaged(input, checkpoint), ...written.remarks] };
}

/** Writes a model's folder with an adapter of peft's merged into it. */
export async function mergeAdapterFolder(
  input: string,
  output: string,
  options: ModelOptions,
): Promise<Written> {
  using model = await openKnownModel(expectModel(input, options), options.signal);
  const adapter = readAdapter(input, model.folder.config);
  const remarks: string[] = [];
  if (adapter.base !== undefined) expectBase(input, adapter.base, model);
  else {
    const name = adapter.settings["base_model_name_or_path"] ?? "none";
    remarks.push(
      `${input} does not say by digest which model it was trained with (it names ${name}); its ` +
        `layers and widths are those of ${model.folder.path}.`,
    );
  }
  const written = await writeModel(output, model, mergeChanges(adapter), {
    ...options,
    kind: "lora",
  });
  return { ...written, remarks: [...remarks, ...written.remarks] };
}

function changesOf(
  input: string,
  description: VisualDescription,
  checkpoint: PortableCheckpoint,
  { folder }: OpenedModel,
): Map<string, WeightChange> {
  if (description.finetune === "lora") {
    return mergeChanges(adapterOf(input, description, checkpoint, folder.config));
  }
  const tensors = trainedTensors(checkpoint);
  return new Map(
    fullTensors(folder.config, description.unfreezeLastN ?? 0).map(({ key, stored, shape }) => {
      const tensor = tensors.get(stored);
      if (tensor === undefined || String(tensor.shape) !== String(shape)) {
        throw new SyntaxError(
          `Cannot convert ${input}: ${stored} should be (${shape.join(", ")}), current value is ${
            tensor === undefined ? "missing" : `(${tensor.shape.join(", ")})`
          }. Is --model the one that was trained?`,
        );
      }
      return [key.slice(MODEL.length), () => toFloat32(tensor.read())];
    }),
  );
}

/** The adapter that a checkpoint holds, whole and, where it is known, of this model. */
function adapterOf(
  input: string,
  description: VisualDescription,
  checkpoint: PortableCheckpoint,
  config?: VisionLanguageConfig,
): Adapter {
  const entries = [...checkpoint.others].map(([key, tensor]) =>
    [key.replace(MODEL, ""), tensor] as const
  );
  const [problem, ...more] = adapterProblems(description.lora!, new Map(entries), config);
  if (problem === undefined) return storedAdapter(description, trainedTensors(checkpoint));
  throw new SyntaxError(
    `Cannot convert ${input}: its adapter should be whole, current value: ${problem}${
      more.length === 0 ? "" : `; … ${more.length} more`
    }. Look at it with: deno task check:checkpoint PATH`,
  );
}

/** Share of what a training changed that rounding may take without a warning. */
const MOST_ROUNDING = 0.3;

async function writeModel(
  output: string,
  { folder }: OpenedModel,
  changes: ReadonlyMap<string, WeightChange>,
  { signal, kind }: ModelOptions & { readonly kind: VisualDescription["finetune"] },
): Promise<Written> {
  let merged: MergedModel | undefined;
  await replaceFolderAtomic(output, async (target) => {
    merged = await writeMergedModel(target, folder, changes, signal);
  });
  const { tensors, changed, dtypes, rounding } = merged!;
  const remarks = [
    `${output}: ${
      plural(changed, "tensor")
    } of ${tensors} differ from ${folder.path}. New trainings take it with --model; a policy that was ` +
    `trained ${
      kind === "lora" ? "with the adapter stays with the adapter" : "with them stays with its run"
    } and that base, as it knows the model by its digest.`,
  ];
  if (dtypes.includes("bfloat16")) {
    const rounded =
      `${output}: the changed tensors are rounded to bfloat16, as the model's are; that ` +
      `moved them by ${(100 * rounding).toPrecision(2)} % of what the training changed.`;
    const remedy = kind === "lora"
      ? `Keep the adapter, which loses nothing: --model ${folder.path} --adapter DIR`
      : "Keep the run, whose checkpoint holds them in float32.";
    remarks.push(
      rounding > MOST_ROUNDING
        ? `warning: ${rounded} Much of the training is lost in it. ${remedy}`
        : rounded,
    );
  }
  return { tensors, remarks };
}

function expectModel(input: string, { model }: ModelOptions): string {
  if (model !== undefined) return model;
  throw new RangeError(
    `Cannot make a model of ${input}: --model should name the folder of the model that it was trained ` +
      "with, current value is none.",
  );
}

function expectTrained(
  input: string,
  checkpoint: PortableCheckpoint,
  flag: string,
): VisualDescription {
  const description = descriptionOf(checkpoint);
  if (description !== null) return description;
  throw new RangeError(
    `Cannot convert ${input} with ${flag}: its visual-language model should have been trained in a ` +
      `second stage, current value ${
        checkpoint.others.size === 0
          ? "holds a policy alone. Name a checkpoint of train:stage2."
          : "does not say what of it was trained. Name with --model the model that it began with."
      }`,
  );
}

function averaged(input: string, { training, others }: PortableCheckpoint): string[] {
  return [...others.keys()].some((key) => training.has(`ema.${key}`))
    ? [`${input} keeps running averages; they are taken, as its policy predicts with them.`]
    : [];
}
