import type { Cluster, CompileOptions, Random, Variables } from "../engine/mod.ts";
import type { TrainableFeatures } from "../features/trainable.ts";
import type { LossOptions, Parameters, PolicyBatch, PolicyConfig } from "../policies/mod.ts";
import type { TrainingBatch } from "./_batch_tree.ts";
import type { TrainingSnapshot } from "./_state.ts";
import type { TrainingGroup } from "./groups.ts";

export type { TrainingBatch } from "./_batch_tree.ts";

/** Settings of {@link createTrainingStep}. */
export interface TrainingStepOptions {
  /** The policy. */
  readonly config: PolicyConfig;
  /** First values of all tensors of `policyShapes`, in the engine's layout; stay the caller's. */
  readonly parameters: Parameters;
  /**
   * A visual-language model that computes the tokens of batches that have `visual`, and is trained with
   * the policy as far as groups name its parameters; stays the caller's. @default {none}
   */
  readonly visual?: TrainableFeatures | null;
  /** What is trained, with which weight decay. */
  readonly groups: readonly TrainingGroup[];
  /** Seed of dropout, noise and augmentation, the same on all ranks. */
  readonly seed: number;
  /**
   * The processes that train together: gradients, loss and counts are added up over them once per update,
   * within the compiled function. @default {this one alone}
   */
  readonly cluster?: Cluster;
  /** Error, weights of dimensions, normalisation. @default {mean squared error, global} */
  readonly loss?: LossOptions;
  /** The most batches whose gradients are added before an update. @default {1} */
  readonly accumulation?: number;
  /** Bound of the norm of all gradients together; `Infinity` only measures it. @default {1} */
  readonly maxNorm?: number;
  /** Decay rates of AdamW's moments. @default {[0.9, 0.999]} */
  readonly betas?: readonly [number, number];
  /** Decay of a running average of the trained tensors; null keeps none. @default {null} */
  readonly ema?: number | null;
  /** Changes what the policy sees in training. @default {nothing} */
  readonly augment?: (batch: PolicyBatch, random: Random) => PolicyBatch;
  /** How the step is compiled. */
  readonly compile?: Pick<CompileOptions, "executor" | "precision" | "onTrace">;
}

/** What an update was. */
export interface StepReport {
  /** Loss of the effective batch, before the update. */
  readonly loss: number;
  /** Norm of all gradients together, before the bound. */
  readonly gradientNorm: number;
  /** Whether nothing was changed, because the loss or a gradient was not finite. */
  readonly isSkipped: boolean;
  /** What the loss was divided by: with normalisation `global` the sum of the samples' weights. */
  readonly weight: number;
  /**
   * Sums over all samples of the effective batch: the `counts` of the position by their names, and those
   * that `lossMetricShapes` names. Each one value or, for histograms, one per bin.
   */
  readonly sums: Readonly<Record<string, Float32Array>>;
}

/** When an update is. */
export interface StepPosition {
  /**
   * Number of the update, from 0. Random numbers follow from the seed and the number of the batch: batch k
   * of rank r in update i is number (i · ranks + r) · accumulation + k.
   */
  readonly index: number;
  /** Learning rate of each group by its name, see `learningRates`. */
  readonly learningRates: Readonly<Record<string, number>>;
  /**
   * Numbers to add up over the processes, by the same names in all of them. Asked for once, when the last
   * batch was handed over. @default {none}
   */
  readonly counts?: () => Readonly<Record<string, number>>;
}

/** A policy in training. */
export interface TrainingStep {
  /** All tensors of the policy by their keys; an update changes them in place. */
  readonly variables: Variables;
  /** Running averages of the trained ones by the same keys; null without. */
  readonly averages: Variables | null;
  /**
   * One update of the optimiser from all given batches, as if they were one: loss and gradients are
   * divided by what all of them weigh, those of all processes included. A group that is smaller than the
   * others, at the end of an epoch, thus counts right.
   *
   * @param batches At least one, at most `accumulation`, with several processes exactly as many; stay the
   * caller's. A generator may dispose of each when it is asked for the next.
   * @param position Number of the update, learning rates.
   * @returns Loss and norm.
   * @throws {RangeError} If there are no or too many batches, or one does not fit the policy.
   */
  update(
    batches: Iterable<TrainingBatch> | AsyncIterable<TrainingBatch>,
    position: StepPosition,
  ): Promise<StepReport>;
  /**
   * Copies everything that the next update depends on besides its arguments.
   *
   * @returns Arrays in the layout of checkpoints.
   */
  snapshot(): Promise<TrainingSnapshot>;
  /**
   * Goes on from a snapshot, bit for bit.
   *
   * @param snapshot Of a step with the same policy and settings.
   * @throws {RangeError} If arrays are missing, unexpected, or of another shape or type; all are named,
   * and nothing has changed.
   */
  restore(snapshot: TrainingSnapshot): void;
  /**
   * Gives rank 0's parameters, statistics, moments and averages to all processes; all must call it.
   */
  synchronise(): Promise<void>;
  /** Frees the memory. */
  dispose(): void;
}
