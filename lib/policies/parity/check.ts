/** One comparison of the engine's numbers with PyTorch's. */
export interface ParityCheck {
  /** What was compared, and how it ran. */
  readonly name: string;
  /** Largest absolute difference, of the tensor that is worst for its tolerance; null if not finite. */
  readonly maxAbs: number | null;
  /** The same over the largest magnitude of the tensors; null if it is not finite. */
  readonly maxRel: number | null;
  /** What maxAbs may be. */
  readonly tolerance: number;
  /** Whether it is no more. */
  readonly pass: boolean;
  /** Numbers compared. */
  readonly count: number;
  /** The tensor with the largest difference, or what is wrong with the set of tensors. */
  readonly worst: string;
}

/** Values of one tensor, side by side. */
export interface Comparison {
  /** Its name. */
  readonly key: string;
  /** Of the engine. */
  readonly found: ArrayLike<number>;
  /** Of PyTorch. */
  readonly expected: ArrayLike<number>;
  /** Which elements count. Default: all. */
  readonly counts?: (index: number) => boolean;
}

/** Allowed absolute difference. */
export const TOLERANCE = 2e-5;
/** Allowed share of a tensor's largest magnitude, where that is more: rounding grows with the numbers. */
const SHARE = 5e-6;

/**
 * Compares tensors.
 *
 * @param name What they are.
 * @param comparisons The tensors.
 * @returns The check: passed, if no difference is above 2e-5, or above 5e-6 of its tensor's largest
 * magnitude where that is more.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { compareTensors } from "./mod.ts";
 *
 * const check = compareTensors("loss", [{ key: "loss", found: [1.5], expected: [1] }]);
 * assert(!check.pass && check.maxAbs === 0.5);
 * ```
 */
export function compareTensors(name: string, comparisons: readonly Comparison[]): ParityCheck {
  let worst = { excess: -1, maxAbs: 0, tolerance: TOLERANCE, key: "" };
  let largest = 0, count = 0;
  for (const { key, found, expected, counts = () => true } of comparisons) {
    if (found.length !== expected.length) {
      const sizes = `${key}: ${found.length} numbers instead of ${expected.length}`;
      return { ...failed(name, sizes), count };
    }
    let difference = 0, magnitude = 0;
    for (let i = 0; i < found.length; i++) {
      magnitude = Math.max(magnitude, Math.abs(expected[i]!));
      if (!counts(i)) continue;
      count++;
      const apart = Math.abs(found[i]! - expected[i]!);
      difference = Number.isFinite(apart) ? Math.max(difference, apart) : Infinity;
    }
    largest = Math.max(largest, magnitude);
    const tolerance = Math.max(TOLERANCE, SHARE * magnitude);
    const excess = difference / tolerance;
    if (excess > worst.excess) worst = { excess, maxAbs: difference, tolerance, key };
  }
  const finite = (value: number) => Number.isFinite(value) ? value : null;
  return {
    name,
    maxAbs: finite(worst.maxAbs),
    maxRel: finite(worst.maxAbs === 0 ? 0 : worst.maxAbs / largest),
    tolerance: worst.tolerance,
    pass: worst.excess <= 1,
    count,
    worst: worst.key,
  };
}

/** A check that failed before numbers could be compared. */
export function failed(name: string, reason: string): ParityCheck {
  return {
    name,
    maxAbs: null,
    maxRel: null,
    tolerance: TOLERANCE,
    pass: false,
    count: 0,
    worst: reason,
  };
}
