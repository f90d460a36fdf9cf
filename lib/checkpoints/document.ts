import type { ActionRepresentation } from "../episodes/manifest.ts";
import type { JsonValue } from "../features/canonical_json.ts";
import type { PolicyConfig } from "../policies/config.ts";

/** First member of every `checkpoint.json`. */
export const CHECKPOINT_FORMAT = "trocar-checkpoint";
/** Version of the folder that this code writes. */
export const CHECKPOINT_VERSION = 1;
/** File of what is no tensor. */
export const DOCUMENT_FILE = "checkpoint.json";
/** File of the policy's tensors. */
export const MODEL_FILE = "model.safetensors";
/** File of the optimiser's moments and of averaged parameters. */
export const TRAINING_FILE = "training.safetensors";
/** File of other models' tensors, which conversions keep, and of what an optimiser keeps beside moments. */
export const OTHER_FILE = "other.safetensors";

/**
 * Member of `extra` that says what of a visual-language model was trained with the policy, and names
 * that model by its digest; the trained tensors are in {@linkcode OTHER_FILE}.
 */
export const VISUAL_MEMBER = "visionLanguage";

/** How far the loss had come down; null where it is not known. */
export interface CheckpointLosses {
  /** Of training, averaged over the last epoch. */
  readonly train: number | null;
  /** Of the last validation. */
  readonly validation: number | null;
  /** Lowest of all validations. */
  readonly bestValidation: number | null;
  /** Completed epochs when it was lowest. */
  readonly bestEpoch: number | null;
}

/** What a training run says of a checkpoint; the policy's configuration is all that must be known. */
export interface CheckpointContents {
  /** Training program, one of the names in `CHECKPOINT_NAMES` or another. @default {null} */
  readonly program?: string | null;
  /** `stage1`, `stage2`, or another. @default {null} */
  readonly trainingStage?: string | null;
  /** Completed epochs. @default {null} */
  readonly epoch?: number | null;
  /** Completed optimiser steps. @default {null} */
  readonly globalStep?: number | null;
  /** Samples drawn so far, the place at which training goes on. @default {null} */
  readonly consumedSamples?: number | null;
  /** Architecture, family, fusion, sizes. */
  readonly config: PolicyConfig;
  /**
   * Settings of it that nobody named, such as `actionExpert.heads`; defaults stand for them.
   * @default {[]}
   */
  readonly assumed?: readonly string[];
  /** What an action is. @default {null} */
  readonly actionRepresentation?: ActionRepresentation | null;
  /** SHA-256 of the normalisation statistics. @default {null} */
  readonly statisticsDigest?: string | null;
  /** SHA-256 of the split into training and validation. @default {null} */
  readonly splitDigest?: string | null;
  /** Which visual-language features it was trained on. @default {null} */
  readonly features?: JsonValue;
  /** How far the loss had come down. @default {all null} */
  readonly losses?: Partial<CheckpointLosses>;
  /** Settings and groups of the optimiser. @default {null} */
  readonly optimizer?: JsonValue;
  /** State of the learning rate's schedule. @default {null} */
  readonly schedule?: JsonValue;
  /** State of the order of samples. @default {null} */
  readonly sampler?: JsonValue;
  /** State of the random numbers. @default {null} */
  readonly random?: JsonValue;
  /** Whatever else belongs to it, by names that are not taken. @default {{}} */
  readonly extra?: Readonly<Record<string, JsonValue>>;
}

/** A file of a checkpoint's folder. */
export interface CheckpointFile {
  /** Its name in the folder. */
  readonly name: string;
  /** Its size. */
  readonly bytes: number;
  /** SHA-256 of its bytes, hexadecimal. */
  readonly sha256: string;
}

/** Of `checkpoint.json` what a policy's other files of ours say, too. */
export type CheckpointNotes = Pick<CheckpointDocument, "features" | "extra">;

/** `checkpoint.json`: everything about a checkpoint but its tensors. */
export interface CheckpointDocument extends Required<Omit<CheckpointContents, "losses">> {
  /** {@linkcode CHECKPOINT_FORMAT}. */
  readonly format: typeof CHECKPOINT_FORMAT;
  /** Version of the folder. */
  readonly formatVersion: number;
  /** Epochs are counted from 1: `epoch` is the number of completed ones. */
  readonly epochBase: 1;
  /** How far the loss had come down. */
  readonly losses: CheckpointLosses;
  /** Program and version that wrote it. */
  readonly createdBy: string;
  /** The other files of the folder. */
  readonly files: readonly CheckpointFile[];
  /** SHA-256 of the canonical JSON of all other members, hexadecimal. */
  readonly digest: string;
}
