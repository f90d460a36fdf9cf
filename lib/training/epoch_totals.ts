import type { StepReport } from "./step.ts";

/** Sums over the part of an epoch that is done; plain numbers, stored with checkpoints. */
export interface EpochTotals {
  /** Optimiser steps. */
  readonly steps: number;
  /** Steps that changed nothing because a number was not finite. */
  readonly skipped: number;
  /** Σ loss · weight of the steps that were not skipped. */
  readonly lossSum: number;
  /** Σ weight of these. */
  readonly weight: number;
  /** Samples with a sensor. */
  readonly sensor: number;
  /** Samples without. */
  readonly noSensor: number;
}

/** Nothing is done yet. */
export const NO_TOTALS: EpochTotals = {
  ...{ steps: 0, skipped: 0, lossSum: 0, weight: 0, sensor: 0, noSensor: 0 },
};

/** How many samples of a step have a sensor. */
export interface SensorCounts {
  /** With. */
  readonly sensor: number;
  /** Without. */
  readonly noSensor: number;
}

/**
 * Adds a step.
 *
 * @param totals before it
 * @param report of the step
 * @param counts of its samples
 * @returns the totals after it
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { addStep, meanLoss, NO_TOTALS } from "./epoch_totals.ts";
 *
 * const report = { loss: 0.5, isSkipped: false, weight: 64 };
 * const one = addStep(NO_TOTALS, report, { sensor: 60, noSensor: 4 });
 * const two = addStep(one, { ...report, loss: NaN, isSkipped: true }, { sensor: 64, noSensor: 0 });
 * assert.equal(meanLoss(two), 0.5);
 * assert.equal(two.skipped, 1);
 * ```
 */
export function addStep(
  totals: EpochTotals,
  { loss, weight, isSkipped }: Pick<StepReport, "loss" | "weight" | "isSkipped">,
  { sensor, noSensor }: SensorCounts,
): EpochTotals {
  const counted = isSkipped ? 0 : weight;
  return {
    steps: totals.steps + 1,
    skipped: totals.skipped + (isSkipped ? 1 : 0),
    lossSum: totals.lossSum + (counted === 0 ? 0 : loss * counted),
    weight: totals.weight + counted,
    sensor: totals.sensor + sensor,
    noSensor: totals.noSensor + noSensor,
  };
}

/**
 * The mean loss of an epoch's samples, each with its weight.
 *
 * @param totals of the epoch
 * @returns the mean; null if nothing counted
 */
export function meanLoss({ lossSum, weight }: EpochTotals): number | null {
  return weight > 0 ? lossSum / weight : null;
}
