/** Flags that say what of the visual-language model is trained, and how. */
import { kebab } from "../cli/_kebab.ts";
import { UsageError } from "../cli/mod.ts";
import type { VisualGroupOptions } from "../training/mod.ts";
import { DEFAULT_LORA, type FineTuning } from "../vision_language/mod.ts";
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
  const { loraTargets: targets = [], loraR, loraAlpha, loraDropout } = values;
  const foreign = parts === "lora" ? FULL_ONLY : LORA_ONLY;
  for (const flag of foreign) {
    if (isGiven(values[flag])) {
      warnings.push(`--${kebab(flag)} has no effect with --finetune-vl ${parts}.`);
    }
  }
  const everywhere = targets.filter((name) => /^(gate|up|down)_proj$/.test(name));
  if (parts === "lora" && everywhere.length > 0) {
    warnings.push(
      `--lora-targets ${
        everywhere.join(", ")
      } are layers of the vision tower, too. To keep to the ` +
        "text decoder give one regular expression that begins with .*language_model\.",
    );
  }
  return {
    parts,
    lora: {
      rank: loraR ?? DEFAULT_LORA.rank,
      alpha: loraAlpha ?? DEFAULT_LORA.alpha,
      dropout: loraDropout ?? DEFAULT_LORA.dropout,
      targets: targets.length === 0 ? DEFAULT_LORA.targets : targetsOf(targets),
    },
    unfreezeLastN: values.unfreezeLastN ?? 2,
    recomputes: values.noRecompute !== true,
    textLearningRate: values.vlLr ?? 1e-5,
    visionLearningRate: values.visionLr ?? 5e-6,
  };
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
