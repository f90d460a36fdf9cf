import type { JsonValue } from "../features/canonical_json.ts";
import { isMembers } from "./_config.ts";
import { VISUAL_MEMBER } from "./document.ts";
import type { OpenCheckpoint } from "./open.ts";

/** What a checkpoint says of a visual-language model that was trained with its policy. */
export interface VisualFacts {
  /** In words. */
  readonly text: string;
  /** What does not fit together, in words. */
  readonly problems: readonly string[];
}

/**
 * What was trained of a visual-language model, and whether its tensors are there.
 *
 * @param checkpoint open
 * @returns null where none was trained
 */
export function visualFacts(checkpoint: OpenCheckpoint): VisualFacts | null {
  const said = checkpoint.document?.extra[VISUAL_MEMBER];
  if (said === undefined) return null;
  const { finetune, base, lora, unfreezeLastN } = isMembers(said) ? said : {};
  const { model, digest } = isMembers(base) ? base : {};
  const how = finetune === "full" ? `last ${unfreezeLastN || "of all"} layers` : rankOf(lora);
  return {
    text: `${finetune}, ${how}, of ${model} ${String(digest).slice(0, 12)}, which is not in it`,
    problems: tensorProblems(checkpoint, finetune, lora),
  };
}

function rankOf(lora: unknown): string {
  const { rank, alpha } = isMembers(lora) ? lora : {};
  return `rank ${rank}, alpha ${alpha}`;
}

/** Pairs of matrices that are not complete, and ranks other than the one that is recorded. */
function tensorProblems(
  checkpoint: OpenCheckpoint,
  finetune: JsonValue | undefined,
  lora: JsonValue | undefined,
): string[] {
  const tensors = checkpoint.others()?.tensors ?? new Map();
  if (tensors.size === 0) return ["what was trained of the visual-language model is missing"];
  if (finetune !== "lora") return [];
  const { rank } = isMembers(lora) ? lora : {};
  return [...tensors].flatMap(([key, { shape }]) => {
    const part = /\.lora_([AB])\./.exec(key)?.[1];
    if (part === undefined) return [`${key} is no low-rank addition`];
    const other = key.replace(`.lora_${part}.`, `.lora_${part === "A" ? "B" : "A"}.`);
    if (!tensors.has(other)) return [`${other} is missing`];
    const found = part === "A" ? shape[0] : shape[1];
    return found === rank ? [] : [`${key} has rank ${found} instead of ${rank}`];
  });
}
