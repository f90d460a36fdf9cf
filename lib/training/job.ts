import type { GroupShare } from "../datasets/mod.ts";
import type { Cluster, tf } from "../engine/mod.ts";
import type { JsonValue } from "../features/canonical_json.ts";
import type { TrainableFeatures } from "../features/trainable.ts";
import type { PolicyConfig } from "../policies/mod.ts";
import type { TrainingData } from "./data.ts";
import type { RunFolder } from "./run/run_folder.ts";
import type { WandbOptions } from "./run/wandb_run.ts";
import type { VisualGroupOptions } from "./groups.ts";
import type { TrainingSettings } from "./settings.ts";
import type { StepReport, TrainingStepOptions } from "./step.ts";
import type { TrainingState } from "./training_state.ts";
import type { ValidationProgress } from "./validation.ts";

/** What to train, on what, and where it is written. Of several processes each has a job of its own. */
export interface TrainingJob {
  /** The run's folder, held by this process; null on all ranks but 0, which write nothing. */
  readonly run: RunFolder | null;
  /** `stage1`, for instance. */
  readonly trainingStage: string;
  /** The policy. */
  readonly config: PolicyConfig;
  /**
   * Its first tensors, in the engine's layout, with the normalisation of the data; the training disposes
   * of them. Rank 0's count.
   */
  readonly parameters: Readonly<Record<string, tf.Tensor>>;
  /** How it is trained. */
  readonly settings: TrainingSettings;
  /** The data, the same on all ranks. */
  readonly data: TrainingData;
  /** Identity of the visual features. */
  readonly features: JsonValue;
  /**
   * A visual-language model that is trained with the policy; it computes the features in every step.
   * Stays the caller's. @default {none: features are read from the cache}
   */
  readonly visual?: VisualTraining | null;
  /**
   * The processes that train together. A step takes the samples, and draws the random numbers, of one
   * process with `accumulation` times as many micro-batches. @default {this one alone}
   */
  readonly cluster?: Cluster;
  /** Of matrix products in training; parameters and moments are float32. @default {"float32"} */
  readonly precision?: "float32" | "bfloat16";
  /** Changes what the policy sees in training. @default {nothing} */
  readonly augment?: TrainingStepOptions["augment"];
  /** Records the metrics for Weights & Biases too, offline. @default {no} */
  readonly wandb?: WandbOptions;
  /** Milliseconds after which a checkpoint is written within an epoch. @default {600,000} */
  readonly saveEvery?: number;
  /**
   * Called before the first step, on every rank, with the validation loss of what the training begins
   * with. @default {it is not measured}
   */
  readonly onStart?: (validationLoss: number | null) => void;
  /** Called after each batch of a validation, on every rank. */
  readonly onValidation?: (progress: ValidationProgress) => void;
  /** Called after each step, on every rank. */
  readonly onStep?: (progress: StepProgress) => void;
  /** Called after each epoch, on every rank. */
  readonly onEpoch?: (state: TrainingState, isBest: boolean) => void;
  /** Called with what should be known, on every rank. */
  readonly onWarning?: (text: string) => void;
  /** Ends the training of all ranks after the same step, with a checkpoint. */
  readonly signal?: AbortSignal;
}

/** A visual-language model in training. */
export interface VisualTraining extends VisualGroupOptions {
  /** The model. */
  readonly model: TrainableFeatures;
}

/** Where a training is, for people to see. */
export interface StepProgress {
  /** After the step. */
  readonly state: TrainingState;
  /** Of the step. */
  readonly report: StepReport;
  /** Steps of an epoch. */
  readonly epochSteps: number;
  /** Steps of the whole training. */
  readonly totalSteps: number;
  /** Learning rate of the first group. */
  readonly learningRate: number;
  /** Of this process so far. */
  readonly seconds: TrainingSeconds;
  /** Samples that all processes used since this one began. */
  readonly samples: number;
}

/** Where the time of a process went. */
export interface TrainingSeconds {
  /** From the first step on, with validation and checkpoints. */
  readonly total: number;
  /** Of these, waiting for data. */
  readonly data: number;
  /** Of these, in optimiser steps. */
  readonly step: number;
  /** Of these, waiting for checkpoints: most of the writing goes on beside the steps. */
  readonly save: number;
}

/** How a training ended. */
export interface TrainingOutcome {
  /** Where it ended. */
  readonly state: TrainingState;
  /** Steps that it went on from; null if it began anew. */
  readonly resumedFrom: number | null;
  /** Why it ended before the last epoch; null if it did not. */
  readonly stopped: "interrupted" | "early" | null;
  /** Requested and realised shares of the collections over the first epoch. */
  readonly shares: readonly GroupShare[];
  /** Of this process. */
  readonly seconds: TrainingSeconds;
}
