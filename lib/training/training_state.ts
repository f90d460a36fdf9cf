import { addStep, type EpochTotals, meanLoss, NO_TOTALS } from "./epoch_totals.ts";
import type { StepReport } from "./step.ts";

/** Where a training is: what the next step depends on besides parameters and moments. */
export interface TrainingState {
  /** Epochs that are complete. */
  readonly epoch: number;
  /** Samples of the epoch in progress that are used, by all processes together. */
  readonly consumed: number;
  /** Optimiser steps so far. */
  readonly globalStep: number;
  /** Samples used so far, by all processes together. */
  readonly samplesSeen: number;
  /** Sums over the epoch in progress. */
  readonly totals: EpochTotals;
  /** Mean training loss of the last complete epoch. */
  readonly trainLoss: number | null;
  /** Validation loss after the last complete epoch. */
  readonly validationLoss: number | null;
  /** Lowest validation loss. */
  readonly bestLoss: number | null;
  /** Complete epochs when it was lowest. */
  readonly bestEpoch: number | null;
}

/** Before the first step. */
export const FIRST_STATE: TrainingState = {
  ...{ epoch: 0, consumed: 0, globalStep: 0, samplesSeen: 0, totals: NO_TOTALS },
  ...{ trainLoss: null, validationLoss: null, bestLoss: null, bestEpoch: null },
};

/**
 * The state after a step.
 *
 * @param state before it
 * @param report of the step, with the sums `sensor` and `noSensor`: its samples with and without sensor
 * @returns the state
 */
export function afterStep(state: TrainingState, report: StepReport): TrainingState {
  const counts = { sensor: report.sums["sensor"]![0]!, noSensor: report.sums["noSensor"]![0]! };
  const samples = counts.sensor + counts.noSensor;
  return {
    ...state,
    consumed: state.consumed + samples,
    globalStep: state.globalStep + 1,
    samplesSeen: state.samplesSeen + samples,
    totals: addStep(state.totals, report, counts),
  };
}

/**
 * The state after the last step of an epoch. The first validation loss is the best one; one that is
 * missing or not finite never is.
 *
 * @param state before it
 * @param loss of the epoch's validation; null without, as are numbers that are not finite
 * @returns the state at the beginning of the next epoch
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { afterEpoch, FIRST_STATE } from "./training_state.ts";
 *
 * const one = afterEpoch(FIRST_STATE, 0.5);
 * const two = afterEpoch(one, 0.6);
 * assert.deepEqual([two.epoch, two.bestLoss, two.bestEpoch], [2, 0.5, 1]);
 * ```
 */
export function afterEpoch(state: TrainingState, loss: number | null): TrainingState {
  const epoch = state.epoch + 1;
  const validationLoss = Number.isFinite(loss) ? loss : null;
  const isBest = validationLoss !== null && validationLoss < (state.bestLoss ?? Infinity);
  return {
    ...state,
    epoch,
    consumed: 0,
    totals: NO_TOTALS,
    trainLoss: meanLoss(state.totals),
    validationLoss,
    bestLoss: isBest ? validationLoss : state.bestLoss,
    bestEpoch: isBest ? epoch : state.bestEpoch,
  };
}
