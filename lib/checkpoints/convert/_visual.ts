/** What a second stage made of a visual-language model, in checkpoints on their way. */
import type { TensorArray, TensorInput } from "../../formats/tensor_types.ts";
import type { VisualDescription } from "../../vision_language/trained_changes.ts";
import { isMembers } from "../_config.ts";
import { isTextList } from "../_document.ts";
import { predictingTensors } from "../_visual.ts";
import { VISUAL_MEMBER } from "../document.ts";
import type { PortableCheckpoint } from "./_portable.ts";

/** What the Python reference calls the model in its own state. */
export const MODEL = "vl_model.";

/**
 * What a checkpoint says was trained of a model.
 *
 * @returns null where it says nothing
 * @throws {SyntaxError} when it is not written as a second stage does
 */
export function descriptionOf({ contents }: PortableCheckpoint): VisualDescription | null {
  const said = contents.extra?.[VISUAL_MEMBER];
  if (said === undefined || said === null) return null;
  const { finetune, base, lora, unfreezeLastN = 0 } = isMembers(said) ? said : {};
  const { rank, alpha, dropout, targets } = isMembers(lora) ? lora : {};
  const isBase = isMembers(base) &&
    [base.model, base.digest].every((text) => typeof text === "string");
  const isLora = Number.isInteger(rank) && Number(rank) > 0 && Number(alpha) > 0 &&
    typeof dropout === "number" && (typeof targets === "string" || isTextList(targets));
  const isFull = Number.isInteger(unfreezeLastN) && Number(unfreezeLastN) >= 0;
  if (isBase && (finetune === "lora" ? isLora : finetune === "full" && isFull)) {
    return said as unknown as VisualDescription;
  }
  throw new SyntaxError(
    `Cannot read what was trained of the model: extra.${VISUAL_MEMBER} should have finetune, base, ` +
      `and lora or unfreezeLastN, current value is ${
        JSON.stringify(said).slice(0, 200)
      }. Copy the ` +
      "checkpoint again.",
  );
}

/** Trained tensors as the policy predicts with them: the running averages where some were kept. */
export function trainedTensors(
  { others, training }: Pick<PortableCheckpoint, "others" | "training">,
): Map<string, { readonly shape: readonly number[]; read(): TensorArray }> {
  return new Map(
    [...predictingTensors({ tensors: others, training })].map(([key, tensor]) =>
      [key, { shape: tensor.shape, read: () => readInput(tensor) }] as const
    ),
  );
}

/** A tensor's values, wherever they lie. */
export function readInput(tensor: TensorInput): TensorArray {
  return "data" in tensor ? tensor : tensor.read();
}
