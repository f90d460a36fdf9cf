import type { CHECKPOINT_NAMES } from "../checkpoints/mod.ts";
import type { Flags } from "../cli/mod.ts";
import type { PolicyConfig, PresetName } from "../policies/mod.ts";
import type { TrainingSettings } from "../training/mod.ts";

/** A program that trains: what tells it from the others. */
export interface TrainingProgram {
  /** As in `deno task <name>`, e.g. `train:stage1`. */
  readonly name: string;
  /** Whether the visual-language model stays as it is, or may be trained. */
  readonly stage: "stage1" | "stage2";
  /** How its policy predicts. */
  readonly family: "regression" | "diffusion";
  /** Whether its policy may have a sensor. */
  readonly hasSensor: boolean;
  /** Control ticks that one visual feature serves, R. */
  readonly visionReuse: number;
  /** Rows of a sensor window where no flag says otherwise. */
  readonly sensorRows: { readonly data: number; readonly demonstration: number };
  /** Its checkpoints' names in the Python reference. */
  readonly checkpoints: keyof typeof CHECKPOINT_NAMES;
  /** The program of its second stage; null if it has none. */
  readonly secondStage: string | null;
  /** One sentence for `--help`. */
  readonly summary: string;
  /** What `--help` says below the flags. */
  readonly details: string;
  /** Its flags. */
  readonly flags: Flags;
  /** Settings that differ from those of its preset. */
  readonly recipe: (
    preset: PresetName,
    architecture: PolicyConfig["architecture"],
  ) => Partial<TrainingSettings>;
  /** Settings that suit the few samples of the demonstration. */
  readonly demonstration: Partial<TrainingSettings>;
}

/** Programs whose policies others begin with. */
export const PROGRAM_OF_STAGE1: Readonly<Record<string, readonly string[]>> = {
  "train:stage2": ["train:stage1", "train:encoder-action"],
  "train:diffusion:stage2": ["train:diffusion"],
  "train:async": ["train:stage1", "train:encoder-action", "train:async"],
};
