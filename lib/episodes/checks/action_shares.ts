import { ACTION_WIDTH } from "../actions.ts";

/** What one dimension of the actions holds. */
export interface ActionDimension {
  /** Its name. */
  readonly name: string;
  /** `mm`, `deg` or `1`. */
  readonly unit: string;
  /** Smallest. */
  readonly min: number;
  /** Largest. */
  readonly max: number;
  /** Arithmetic mean. */
  readonly mean: number;
  /** Population standard deviation. */
  readonly std: number;
  /** Share of exact zeros, 0 to 1. */
  readonly zeros: number;
  /** All values are equal. */
  readonly constant: boolean;
  /** Values that are not finite. */
  readonly nonFinite: number;
}

const NAMES = ["dx", "dy", "dz", "da", "db", "dr", "gripper"] as const;
const UNITS = ["mm", "mm", "mm", "deg", "deg", "deg", "1"] as const;

/**
 * Range, mean, spread and share of zeros of each dimension of actions.
 *
 * @param action `(N, 7)`, as an episode holds them
 * @returns seven lines; zeros where there are no actions
 * @throws {RangeError} if the values are no whole actions
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { actionDimensions } from "./action_shares.ts";
 *
 * const [dx, dy] = actionDimensions(Float32Array.of(1, 0, 0, 0, 0, 0, 1, 3, 0, 0, 0, 0, 0, 1));
 * assert.deepEqual([dx!.mean, dx!.std, dx!.zeros, dx!.constant], [2, 1, 0, false]);
 * assert.deepEqual([dy!.zeros, dy!.constant], [1, true]);
 * ```
 */
export function actionDimensions(action: ArrayLike<number>): ActionDimension[] {
  const count = action.length / ACTION_WIDTH;
  if (!Number.isInteger(count)) {
    throw new RangeError(
      `Cannot summarise actions: there must be whole rows of ${ACTION_WIDTH} values, current value ` +
        `is ${action.length} values.`,
    );
  }
  return NAMES.map((name, d) => {
    const all = Array.from({ length: count }, (_, k) => action[k * ACTION_WIDTH + d]!);
    const values = all.filter(Number.isFinite), n = Math.max(1, values.length);
    const min = values.reduce((a, b) => Math.min(a, b), values[0] ?? 0);
    const max = values.reduce((a, b) => Math.max(a, b), values[0] ?? 0);
    const mean = values.reduce((sum, value) => sum + value, 0) / n;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / n;
    return {
      name,
      unit: UNITS[d]!,
      min,
      max,
      mean,
      std: min === max ? 0 : Math.sqrt(variance),
      zeros: values.filter((value) => value === 0).length / n,
      constant: min === max,
      nonFinite: all.length - values.length,
    };
  });
}
