import type { LossOptions, PresetName } from "../policies/mod.ts";

/** How a policy is trained; everything here changes the result. */
export interface TrainingSettings {
  /** Every random number and the order of samples follow from it. */
  readonly seed: number;
  /** Passes over the training samples, in all. */
  readonly epochs: number;
  /** Samples of a micro-batch, of each process. */
  readonly batchSize: number;
  /** Micro-batches of an optimiser step, of each process. */
  readonly accumulation: number;
  /** Peak learning rate of the action expert. */
  readonly learningRate: number;
  /** Peak learning rate of the sensor encoder. */
  readonly sensorLearningRate: number;
  /** Learning rate at the end. */
  readonly minLearningRate: number;
  /** Share of all steps in which the learning rate rises. */
  readonly warmupRatio: number;
  /** Share of all steps in which it then stays. */
  readonly holdRatio: number;
  /** Whether the learning rate changes at every step or every epoch. */
  readonly scheduleOn: "step" | "epoch";
  /** Decoupled weight decay of matrices and kernels. */
  readonly weightDecay: number;
  /** Decay rates of the moments of the gradient. */
  readonly betas: readonly [number, number];
  /** Greatest norm of the gradient; a longer one is shortened to it. */
  readonly maxNorm: number;
  /** Error of a normalised action: squared, or smooth L1. */
  readonly loss: "smooth-l1" | "mse";
  /** Where smooth L1 turns from squared to linear, in standard deviations. */
  readonly lossBeta: number;
  /** Weight of each action dimension; null weighs all the same. */
  readonly dimensionWeights: readonly number[] | null;
  /** What the weighted sum of errors is divided by. */
  readonly lossNormalisation: "global" | "batch" | "none";
  /** How much more a sample with sensor counts, λ. */
  readonly sensorLossWeight: number;
  /** `truth` repeats the Python reference's mistake: the policy is shown the answer in training. */
  readonly chunk: "zeros" | "truth";
  /** Decay of the average of the parameters; null without one. */
  readonly emaDecay: number | null;
  /** Epochs without a better validation loss after which training stops; 0 never stops. */
  readonly earlyStopPatience: number;
  /** Samples of an epoch; null takes as many as there are. */
  readonly epochSamples: number | null;
}

/** Settings that depend on the size of the policy. */
export type Recipe = Pick<
  TrainingSettings,
  | "batchSize"
  | "accumulation"
  | "learningRate"
  | "sensorLearningRate"
  | "warmupRatio"
  | "holdRatio"
  | "minLearningRate"
>;

/**
 * What a preset trains well with. `reference` has the settings of the Python reference's guides.
 */
export const RECIPES: Readonly<Record<PresetName, Recipe>> = {
  tiny: {
    ...{ batchSize: 64, accumulation: 1, learningRate: 1e-3, sensorLearningRate: 1e-3 },
    ...{ warmupRatio: 0.05, holdRatio: 0, minLearningRate: 1e-5 },
  },
  compact: {
    ...{ batchSize: 32, accumulation: 2, learningRate: 4e-4, sensorLearningRate: 4e-4 },
    ...{ warmupRatio: 0.05, holdRatio: 0, minLearningRate: 4e-6 },
  },
  reference: {
    ...{ batchSize: 1, accumulation: 8, learningRate: 1e-4, sensorLearningRate: 5e-4 },
    ...{ warmupRatio: 0.03, holdRatio: 0.02, minLearningRate: 1e-6 },
  },
};

/**
 * The settings of a run: those given, the preset's recipe, and for the rest the defaults.
 *
 * @param preset size of the policy
 * @param given what the user chose
 * @returns complete settings
 * @throws {RangeError} when two settings contradict each other
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { trainingSettings } from "./settings.ts";
 *
 * const { learningRate, batchSize, accumulation } = trainingSettings("reference", { batchSize: 4 });
 * assert.deepEqual([learningRate, batchSize, accumulation], [1e-4, 4, 8]);
 * ```
 */
export function trainingSettings(
  preset: PresetName,
  given: Partial<TrainingSettings> = {},
): TrainingSettings {
  const settings = { ...DEFAULTS, ...RECIPES[preset], ...given };
  const { warmupRatio, holdRatio, learningRate, sensorLearningRate, minLearningRate } = settings;
  if (warmupRatio + holdRatio > 1) {
    refuse("warm-up and hold must together be at most 1", warmupRatio + holdRatio);
  }
  const lowest = Math.min(learningRate, sensorLearningRate);
  if (minLearningRate > lowest && lowest > 0) {
    refuse(`the last learning rate must be at most ${lowest}, the peak`, minLearningRate);
  }
  return settings;
}

/**
 * The loss of a training step.
 *
 * @param settings of the run
 * @returns what `policyLoss` takes
 */
export function lossOptions(settings: TrainingSettings): LossOptions {
  const { loss, lossBeta, dimensionWeights, lossNormalisation, chunk } = settings;
  return {
    ...{ kind: loss, beta: lossBeta, normalisation: lossNormalisation, chunk },
    ...(dimensionWeights === null ? {} : { dimensionWeights }),
  };
}

const DEFAULTS: Omit<TrainingSettings, keyof Recipe> = {
  seed: 0,
  epochs: 100,
  scheduleOn: "step",
  weightDecay: 0.01,
  betas: [0.9, 0.999],
  maxNorm: 1,
  loss: "smooth-l1",
  lossBeta: 0.1,
  dimensionWeights: [1, 1, 1, 0.3, 0.3, 0.3, 0.3],
  lossNormalisation: "global",
  sensorLossWeight: 2,
  chunk: "zeros",
  emaDecay: null,
  earlyStopPatience: 0,
  epochSamples: null,
};

function refuse(expected: string, value: number): never {
  throw new RangeError(`Cannot train: ${expected}, current value is ${value}. Change one of them.`);
}
