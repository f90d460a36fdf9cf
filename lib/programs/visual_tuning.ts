/** Flags that say what of the visual-language model is trained, and how. */
import { kebab } from "../cli/_kebab.ts";
import { UsageError } from "../cli/mod.ts";
import type { VisualGroupOptions } from "../training/mod.ts";
import {
  DEFAULT_LORA,
  type FineTuning,
  type LoraConfig,
  readAdapterSettings,
} from "../vision_language/mod.ts";
import type { TrainingValues } from "./flags.ts";
import type { TrainingProgram } from "./program.ts";

/** What of the visual-language model is trained. */
export type Finetune = "none" | "lora" | "full";

/** How a visual-language model is trained. */
export type VisualTuning = FineTuning & Required<Omit<VisualGroupOptions, "weightDecay">>;

/** Flags that mean something only where the visual-language model is trained. */
const VISION_ONLY = [
  "vlLr",
  "visionLr",
  "loraR",
  "loraAlpha",
  "loraDropout",
  "loraTargets",
  "unfreezeLastN",
  "noRecompute",
] as const;

/** Of these, flags of one way to train it. */
const LORA_ONLY = ["loraR", "loraAlpha", "loraDropout", "loraTargets"] as const;
const FULL_ONLY = ["visionLr", "unfreezeLastN"] as const;

/**
 * Settings that suit the demonstration, whose few samples are soon learnt by heart, where a model is
 * trained with the policy.
 */
export const TUNED_DEMONSTRATION = { epochs: 4, learningRate: 3e-5, sensorLearningRate: 3e-5 };
/** Learning rate of the model: the Python reference's, and that of the demonstration's tiny model. */
const LEARNING_RATE = 1e-5, DEMONSTRATION_RATE = 1e-3;

/** What of the visual-language model a program trains; what has no effect becomes a warning. */
export function finetuneOf(
  { stage, name }: TrainingProgram,
  values: TrainingValues,
  warnings: string[],
): Finetune {
  const { finetuneVl } = values;
  const isTrained = stage === "stage2" && finetuneVl !== "none";
  if (!isTrained) {
    for (const flag of VISION_ONLY) {
      if (!isGiven(values[flag])) continue;
      warnings.push(
        `--${kebab(flag)} has no effect ${
          stage === "stage2" ? "with --finetune-vl none" : "in stage 1"
        }.`,
      );
    }
  }
  if (stage === "stage2") return finetuneVl ?? "lora";
  if (finetuneVl !== undefined && finetuneVl !== "none") {
    if (name === "train:async") {
      throw new UsageError(
        `Cannot use --finetune-vl ${finetuneVl} with train:async: it trains on cached features, ` +
          "through which the visual-language model gets no gradient. Leave it out.",
      );
    }
    warnings.push("Stage 1 should use finetune-vl=none. Overriding to 'none'.");
  }
  return "none";
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== false && !(Array.isArray(value) && value.length === 0);
}

/** How the visual-language model is trained. */
export function tuningOf(
  parts: Finetune,
  values: TrainingValues,
  warnings: string[],
): VisualTuning | null {
  if (parts === "none") return null;
  const begun = adapterSettings(parts, values);
  const { loraTargets: targets = [], loraR, loraAlpha, loraDropout } = values;
  const foreign = parts === "lora" ? FULL_ONLY : LORA_ONLY;
  for (const flag of foreign) {
    if (isGiven(values[flag])) {
      warnings.push(`--${kebab(flag)} has no effect with --finetune-vl ${parts}.`);
    }
  }
  const everywhere = (targets.length === 0 ? [begun.targets].flat() : targets).filter((name) =>
    /^(gate|up|down)_proj$/.test(name)
  );
  if (parts === "lora" && everywhere.length > 0) {
    warnings.push(
      `${targets.length === 0 ? "The adapter's targets" : "--lora-targets"} ${
        everywhere.join(", ")
      } are layers of the vision tower, too. To keep to the ` +
        "text decoder give one regular expression that begins with .*language_model\.",
    );
  }
  return {
    parts,
    lora: {
      rank: loraR ?? begun.rank,
      alpha: loraAlpha ?? begun.alpha,
      dropout: loraDropout ?? begun.dropout,
      targets: targets.length === 0 ? begun.targets : targetsOf(targets),
    },
    unfreezeLastN: values.unfreezeLastN ?? 2,
    recomputes: values.noRecompute !== true,
    textLearningRate: values.vlLr ??
      (values.data.length === 0 ? DEMONSTRATION_RATE : LEARNING_RATE),
    visionLearningRate: values.visionLr ?? 5e-6,
  };
}

/** Settings of the adapter that a training goes on with; the usual ones where it begins anew. */
function adapterSettings(parts: Finetune, { adapter, ...values }: TrainingValues): LoraConfig {
  if (adapter === undefined) return DEFAULT_LORA;
  if (parts === "full") {
    throw new UsageError(
      `Cannot use --adapter ${adapter} with --finetune-vl full: an adapter is no part of the tensors ` +
        "that it trains. Merge it first: deno task convert ADAPTER MERGED --to model --model BASE. " +
        "MERGED is another model to a policy that was trained with the adapter: train stage 1 on " +
        "MERGED, too, with --model MERGED.",
    );
  }
  const { lora } = readAdapterSettings(adapter);
  const sorted = (targets: readonly string[] | string) => String([targets].flat().sort());
  const { loraR, loraAlpha, loraTargets: targets = [] } = values;
  const contradicting = ([
    ["--lora-r", loraR, lora.rank],
    ["--lora-alpha", loraAlpha, lora.alpha],
    [
      "--lora-targets",
      targets.length === 0 ? undefined : sorted(targetsOf(targets)),
      sorted(lora.targets),
    ],
  ] as const).find(([, given, own]) => given !== undefined && given !== own);
  if (contradicting === undefined) return lora;
  const [flag, , own] = contradicting;
  throw new UsageError(
    `Cannot use ${flag} with --adapter ${adapter}: it should be as the adapter has it, ` +
      `${flag === "--lora-targets" ? lora.targets : own}. Leave ${flag} out.`,
  );
}

/** One target with signs that names have not is a regular expression. */
function targetsOf(targets: readonly string[]): readonly string[] | string {
  const [only] = targets;
  if (targets.length > 1 || !/[\\^$.*+?()[\]{}|]/.test(only!)) return targets;
  try {
    new RegExp(only!);
  } catch (error) {
    throw new UsageError(`Cannot use --lora-targets ${only}: ${(error as Error).message}.`);
  }
  return only!;
}
