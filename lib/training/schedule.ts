import type { TrainingGroup } from "./groups.ts";

/** The shape of a trapezoid schedule. */
export interface TrapezoidOptions {
  /** Optimiser steps of the whole training. */
  readonly total: number;
  /** Share of them in which the learning rate rises. @default {0.03} */
  readonly warmupRatio?: number;
  /** Share of them in which it then stays. @default {0.02} */
  readonly holdRatio?: number;
}

/**
 * Factor of a learning rate: a linear rise, a plateau, half a cosine down to the floor, and the floor for
 * ever after.
 *
 * @param step Optimiser step, from 0.
 * @param options Length, shares of rise and plateau; `floor`: the last factor, default 0.01.
 * @returns The factor, above 0 and at most 1.
 * @throws {RangeError} If the length is not a positive integer, or a share is out of range.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { trapezoidFactor } from "./schedule.ts";
 *
 * assert.equal(trapezoidFactor(49, { total: 1000 }), 1);
 * assert.equal(trapezoidFactor(525, { total: 1000 }).toFixed(3), "0.505");
 * assert.equal(trapezoidFactor(5000, { total: 1000 }), 0.01);
 * ```
 */
export function trapezoidFactor(
  step: number,
  options: TrapezoidOptions & { readonly floor?: number },
): number {
  const { total, warmupRatio = 0.03, holdRatio = 0.02, floor = 0.01 } = options;
  expectSchedule(total, warmupRatio, holdRatio);
  const warmup = Math.floor(total * warmupRatio);
  const hold = Math.floor(total * holdRatio);
  if (step < warmup) return (step + 1) / warmup;
  if (step < warmup + hold) return 1;
  const share = Math.min(1, (step - warmup - hold) / Math.max(1, total - warmup - hold));
  return floor + (1 - floor) * (1 + Math.cos(Math.PI * share)) / 2;
}

/**
 * The learning rates of a step: each group follows the trapezoid from its own learning rate down to the
 * same least one.
 *
 * @param groups Groups of parameters.
 * @param step Optimiser step, from 0.
 * @param options The trapezoid; `minLearningRate`: where all groups end, default 1e-6. A group whose
 * learning rate is less keeps it.
 * @returns Learning rates by the names of the groups.
 * @throws {RangeError} As {@link trapezoidFactor}.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { learningRates } from "./schedule.ts";
 *
 * const group = { keys: [], weightDecay: 0 };
 * const groups = [
 *   { ...group, name: "expert", learningRate: 1e-4 },
 *   { ...group, name: "sensor", learningRate: 5e-4 },
 * ];
 * assert.deepEqual(learningRates(groups, 49, { total: 1000 }), { expert: 1e-4, sensor: 5e-4 });
 * assert.deepEqual(learningRates(groups, 1000, { total: 1000 }), { expert: 1e-6, sensor: 1e-6 });
 * ```
 */
export function learningRates(
  groups: readonly TrainingGroup[],
  step: number,
  { minLearningRate = 1e-6, ...options }: TrapezoidOptions & { readonly minLearningRate?: number },
): Record<string, number> {
  return Object.fromEntries(groups.map(({ name, learningRate }) => {
    if (learningRate === 0) return [name, 0];
    const floor = Math.min(1, minLearningRate / learningRate);
    return [name, learningRate * trapezoidFactor(step, { ...options, floor })];
  }));
}

function expectSchedule(total: number, warmupRatio: number, holdRatio: number): void {
  if (!(Number.isSafeInteger(total) && total > 0)) {
    refuse("the number of steps must be a positive integer", total);
  }
  if (!(warmupRatio >= 0 && holdRatio >= 0 && warmupRatio + holdRatio <= 1)) {
    refuse("the shares of rise and plateau must be from 0 to 1 together", [warmupRatio, holdRatio]);
  }
}

function refuse(expected: string, value: unknown): never {
  throw new RangeError(
    `Cannot schedule learning rates: ${expected}, current value is ${JSON.stringify(value)}`,
  );
}
