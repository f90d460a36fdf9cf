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
  const said = checkpoint.notes?.extra[VISUAL_MEMBER];
  if (said === undefined) return null;
  const { finetune, base, lora, unfreezeLastN } = isMembers(said) ? said : {};
  const { model, digest } = isMembers(base) ? base : {};
  const how = finetune === "full" ? layersOf(unfreezeLastN) : rankOf(lora);
  return {
    text: `${finetune}, ${how}, ${countOf(checkpoint, finetune)}of ${model} ${
      String(digest).slice(0, 12)
    }, ${isWhole(checkpoint) ? "which is in it" : "which is not in it"}`,
    problems: tensorProblems(checkpoint, finetune, lora),
  };
}

/** Trained numbers; of a file that may hold the whole model, those of low-rank additions alone. */
function countOf(checkpoint: OpenCheckpoint, finetune: JsonValue | undefined): string {
  const all = [...checkpoint.others()?.tensors ?? []];
  const trained = finetune === "lora" ? all.filter(([key]) => LORA.test(key)) : all;
  if (trained.length === 0 || (finetune !== "lora" && isWhole(checkpoint))) return "";
  const count = trained.reduce((sum, [, { shape }]) => sum + shape.reduce((a, b) => a * b, 1), 0);
  return `${count.toLocaleString("en")} parameters, `;
}

function layersOf(count: JsonValue | undefined): string {
  if (!count) return "all of it";
  return count === 1 ? "last layer" : `last ${count} layers`;
}

function rankOf(lora: unknown): string {
  const { rank, alpha } = isMembers(lora) ? lora : {};
  return `rank ${rank}, alpha ${alpha}`;
}

const LORA = /\.lora_([AB])\./;

/** Pairs of matrices that are not complete, and ranks other than the one that is recorded. */
function tensorProblems(
  checkpoint: OpenCheckpoint,
  finetune: JsonValue | undefined,
  lora: JsonValue | undefined,
): string[] {
  const tensors = checkpoint.others()?.tensors ?? new Map(), isOurs = checkpoint.document !== null;
  if (tensors.size === 0) return ["what was trained of the visual-language model is missing"];
  if (finetune !== "lora") return [];
  const { rank } = isMembers(lora) ? lora : {};
  return [...tensors].filter(([key]) => isOurs || LORA.test(key)).flatMap(([key, { shape }]) => {
    const part = LORA.exec(key)?.[1];
    if (part === undefined) return [`${key} is no low-rank addition`];
    const other = key.replace(`.lora_${part}.`, `.lora_${part === "A" ? "B" : "A"}.`);
    if (!tensors.has(other)) return [`${other} is missing`];
    const found = part === "A" ? shape[0] : shape[1];
    return found === rank ? [] : [`${key} has rank ${found} instead of ${rank}`];
  });
}

/** Whether the model itself is there, as in the files of the Python reference. */
function isWhole(checkpoint: OpenCheckpoint): boolean {
  const keys = [...checkpoint.others()?.tensors.keys() ?? []];
  return checkpoint.document === null && keys.some((key) => key.endsWith("embed_tokens.weight"));
}

/**
 * The trained tensors that a policy predicts with: running averages where its training kept some.
 *
 * @param others of a checkpoint of a second stage
 * @returns by their keys in it
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { predictingTensors } from "./mod.ts";
 *
 * assert.equal(predictingTensors({ tensors: new Map(), training: new Map() }).size, 0);
 * ```
 */
export function predictingTensors<T>(
  { tensors, training }: {
    readonly tensors: ReadonlyMap<string, T>;
    readonly training: ReadonlyMap<string, T>;
  },
): Map<string, T> {
  return new Map([...tensors].map(([key, tensor]) => [key, training.get(`ema.${key}`) ?? tensor]));
}
