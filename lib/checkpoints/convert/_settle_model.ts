/** A second stage's model told apart into the published one and what was trained. */
import { plural } from "../../episodes/_plural.ts";
import { adapterKey } from "../../vision_language/adapter_problems.ts";
import { publishedName } from "../../vision_language/tensor_names.ts";
import type { VisualDescription } from "../../vision_language/trained_changes.ts";
import { fullTensors, loraTensors } from "../../vision_language/trained_tensors.ts";
import { listNames } from "../_describe_mismatch.ts";
import { expectBase, type OpenedModel, openKnownModel } from "./_known_model.ts";
import { KEPT, type PortableCheckpoint } from "./_portable.ts";
import { withBase, withoutBase } from "./_reference_visual.ts";
import type { ModelOptions } from "./_trained_models.ts";
import { descriptionOf, MODEL } from "./_visual.ts";

/**
 * A checkpoint whose visual-language model is told apart into the published one and what was trained.
 *
 * @param path for messages
 * @param checkpoint read from any form
 * @param options the model; without one only an adapter is told apart
 * @param to form of the output; `.pt` files hold the published model, too
 */
export async function settleModel(
  path: string,
  checkpoint: PortableCheckpoint,
  { model: folder, loraAlpha, signal }: ModelOptions,
  to: string,
): Promise<PortableCheckpoint> {
  if (folder === undefined) return settledAlone(path, checkpoint, to);
  if (checkpoint.others.size === 0) {
    throw new RangeError(
      `Cannot convert ${path} with --model: it should be of a second stage, current value holds ` +
        "nothing of a visual-language model. Leave --model out.",
    );
  }
  const model = await openKnownModel(folder, signal);
  const close = () => {
    checkpoint[Symbol.dispose]();
    model[Symbol.dispose]();
  };
  try {
    const settled = settledWith(path, checkpoint, model, { loraAlpha, to });
    const description = descriptionOf(settled);
    const whole = to === "pt" && description !== null
      ? withBase(settled, description, model.folder)
      : settled;
    return { ...whole, [Symbol.dispose]: close };
  } catch (error) {
    model[Symbol.dispose]();
    throw error;
  }
}

/** Without the model: the matrices of an adapter show by their names, the tensors of a model do not. */
function settledAlone(
  path: string,
  checkpoint: PortableCheckpoint,
  to: string,
): PortableCheckpoint {
  const { others, remarks } = checkpoint;
  if (others.size === 0 || to === "pt" || to === "safetensors") return checkpoint;
  const description = descriptionOf(checkpoint);
  if (description === null) {
    return to === "checkpoint"
      ? { ...checkpoint, remarks: [...remarks, namesModel(path)] }
      : checkpoint;
  }
  const name = description.base.digest.slice(0, 12);
  if (description.finetune === "lora") {
    const matrices = new Map(
      [...others].filter(([key]) => adapterKey(key.replace(MODEL, "")) !== undefined),
    );
    if (matrices.size === others.size) return checkpoint;
    const remark =
      `${path}: of its visual-language model the ${matrices.size} matrices of the adapter are kept; ` +
      `the others should be those of the model ${name}, which --model DIR would compare.`;
    return {
      ...checkpoint,
      others: matrices,
      remarks: [...remarks.filter((text) => !text.endsWith(KEPT)), remark],
    };
  }
  const frozen = frozenNames([...others.keys()], description.unfreezeLastN ?? 0);
  if (frozen.length === 0 || to !== "checkpoint") return checkpoint;
  throw new RangeError(
    `Cannot convert ${path}: beside its policy it should hold what was trained of the model, current ` +
      `value holds ${plural(frozen.length, "frozen tensor")}, too: ${
        listNames(frozen)
      }. Name with ` +
      `--model the folder of the model ${name} that it began with.`,
  );
}

/** Tensors of a model that a full training of these layers does not change. */
function frozenNames(keys: readonly string[], unfreezeLastN: number): string[] {
  const layerOf = (key: string) =>
    Number(/^model\.layers\.(\d+)\./.exec(publishedName(key.replace(MODEL, "")))?.[1] ?? -1);
  const first = Math.max(...keys.map(layerOf)) + 1 - unfreezeLastN;
  return keys.filter((key) =>
    unfreezeLastN === 0 ? key === `${MODEL}lm_head.weight` : layerOf(key) < first
  );
}

function settledWith(
  path: string,
  checkpoint: PortableCheckpoint,
  model: OpenedModel,
  { loraAlpha: alpha, to }: { readonly loraAlpha: number | undefined; readonly to: string },
): PortableCheckpoint {
  const description = descriptionOf(checkpoint);
  if (description !== null) {
    expectBase(path, description.base.digest, model);
    return checkpoint.others.size > trainedCount(description, model)
      ? withoutBase(path, checkpoint, model, alpha, description)
      : checkpoint;
  }
  const settled = withoutBase(path, checkpoint, model, alpha, null);
  const { contents, remarks } = settled;
  if (to !== "checkpoint" || (contents.features ?? null) !== null) return settled;
  return {
    ...settled,
    contents: { ...contents, features: model.features },
    remarks: [
      ...remarks,
      `${path}: nobody named the features that its policy saw; the mean of all tokens of View1 to ` +
      "View5 at 640×360 is assumed, as the Python reference caches it.",
    ],
  };
}

function trainedCount(
  { finetune, lora, unfreezeLastN }: VisualDescription,
  { folder }: OpenedModel,
) {
  return finetune === "full"
    ? fullTensors(folder.config, unfreezeLastN ?? 0).length
    : loraTensors(folder.config, lora!).length;
}

function namesModel(path: string): string {
  return `${path}: it does not say which of these tensors were trained. With --model DIR, the model ` +
    "that it began with, only those are kept, and the policy can be evaluated.";
}
