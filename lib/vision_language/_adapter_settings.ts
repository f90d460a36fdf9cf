/** Settings of peft's adapters that decide what they compute. */
import type { LoraConfig } from "./lora.ts";

/** Settings with the only value that trocar computes. */
export const PLAIN: Readonly<Record<string, unknown>> = {
  peft_type: "LORA",
  bias: "none",
  fan_in_fan_out: false,
  use_dora: false,
  use_rslora: false,
  use_qalora: false,
  use_bdlora: null,
  lora_bias: false,
  modules_to_save: null,
  exclude_modules: null,
  layers_to_transform: null,
  layer_replication: null,
  target_parameters: null,
  trainable_token_indices: null,
};
const EMPTY = ["rank_pattern", "alpha_pattern"];

/** First values that leave the model's own weights as they are; the others change them. */
const INITIAL = [true, false, "gaussian", "eva", "orthogonal"];

/** Settings that change nothing of what is computed once an adapter is trained. */
const HARMLESS = new Set([
  ...["r", "lora_alpha", "lora_dropout", "target_modules", "init_lora_weights"],
  ...["auto_mapping", "base_model_name_or_path", "inference_mode", "peft_version", "revision"],
  ...["task_type", "layers_pattern", "loftq_config", "eva_config", "corda_config"],
  ...["lora_ga_config", "megatron_config", "megatron_core", "qalora_group_size"],
  ...["runtime_config", "ensure_weight_tying"],
]);

/**
 * Refuses settings that compute something else.
 *
 * @throws {SyntaxError} naming the first
 */
export function expectPlain(path: string, settings: Readonly<Record<string, unknown>>): void {
  const refuse = (key: string, expected: string): never => {
    throw new SyntaxError(
      `Cannot read the adapter's settings ${path}: ${key} should be ${expected}, which trocar ` +
        `computes, current value is ${JSON.stringify(settings[key] ?? null)}.`,
    );
  };
  for (const [key, expected] of Object.entries(PLAIN)) {
    const found = settings[key] ?? null;
    if (found === expected || (found === null && expected === false)) continue;
    refuse(key, JSON.stringify(expected));
  }
  for (const key of EMPTY) {
    if (!isIdle(settings[key])) refuse(key, "{}");
  }
  if (!INITIAL.includes((settings["init_lora_weights"] ?? true) as string)) {
    refuse("init_lora_weights", INITIAL.map((each) => JSON.stringify(each)).join(", "));
  }
  const known = new Set([...HARMLESS, ...EMPTY, ...Object.keys(PLAIN)]);
  const unknown = Object.keys(settings).find((key) => !known.has(key) && !isIdle(settings[key]));
  if (unknown !== undefined) refuse(unknown, "null");
}

function isIdle(value: unknown): boolean {
  return value === undefined || value === null || value === false ||
    (typeof value === "object" && Object.keys(value).length === 0);
}

/** Refuses numbers with which an adapter is none. */
export function expectNumbers(path: string, { rank, alpha, dropout }: LoraConfig): void {
  const refuse = (key: string, expected: string, found: number): never => {
    throw new SyntaxError(
      `Cannot read the adapter's settings ${path}: ${key} should be ${expected}, current value is ` +
        `${found}. Save the adapter again.`,
    );
  };
  if (!(Number.isInteger(rank) && rank >= 1)) refuse("r", "an integer from 1", rank);
  if (!(alpha > 0)) refuse("lora_alpha", "above 0: with 0 it adds nothing", alpha);
  if (!(dropout >= 0 && dropout < 1)) refuse("lora_dropout", "from 0 to below 1", dropout);
}
