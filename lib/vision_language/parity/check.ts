/** One comparison with recorded numbers. */
export interface VisionLanguageCheck {
  /** Case of the recording. */
  readonly case: string;
  /** What was compared. */
  readonly name: string;
  /** Largest absolute difference; null if it is not finite. */
  readonly maxAbs: number | null;
  /** Norm of the difference over the norm of what was expected; null if it is not finite. */
  readonly relL2: number | null;
  /** What `maxAbs` may be where it is exact or bounded alone, else what `relL2` may be. */
  readonly tolerance: number;
  /** Whether the differences are no more than allowed. */
  readonly pass: boolean;
}

/** What differences may be. */
export interface Tolerance {
  /** Largest absolute difference. Default: any */
  readonly maxAbs?: number;
  /** Relative L2 norm. Default: any */
  readonly relL2?: number;
  /** Least cosine between found and expected. Default: any */
  readonly cosine?: number;
}

/** No difference at all. */
export const EXACT: Tolerance = { maxAbs: 0 };
/**
 * float32 against float32 of another order of sums. What the library computes in float32 is itself up to
 * 2.8e-6 away from the same in float64 where sums cancel (seen in one of five random models).
 */
export const FLOAT32: Tolerance = { relL2: 5e-6, maxAbs: 1e-4 };
/** Hidden states and features in bfloat16. */
export const BFLOAT16: Tolerance = { relL2: 4e-2, cosine: 0.999 };
/** Means in bfloat16. */
export const BFLOAT16_MEAN: Tolerance = { relL2: 2e-2, cosine: 0.999 };

/**
 * Compares numbers.
 *
 * @param place case and name of the check
 * @param found by trocar
 * @param expected as recorded
 * @param tolerance what differences may be
 * @param counts which elements do. Default: all
 * @returns the check; a differing length fails
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { compareNumbers, EXACT } from "./mod.ts";
 *
 * assert(!compareNumbers(["a case", "ids"], [1, 2], [1, 3], EXACT).pass);
 * ```
 */
export function compareNumbers(
  [testCase, name]: readonly [testCase: string, name: string],
  found: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: Tolerance,
  counts: (index: number) => boolean = () => true,
): VisionLanguageCheck {
  let maxAbs = found.length === expected.length ? 0 : Infinity;
  let difference = 0, norm = 0, foundNorm = 0, product = 0;
  for (let i = 0; i < expected.length; i++) {
    if (!counts(i)) continue;
    const a = found[i] ?? NaN, b = expected[i]!, apart = Math.abs(a - b);
    maxAbs = apart <= maxAbs ? maxAbs : apart; // NaN stays
    difference += apart ** 2;
    norm += b * b;
    foundNorm += a * a;
    product += a * b;
  }
  const relL2 = maxAbs === 0 ? 0 : Math.sqrt(difference / norm);
  const cosine = maxAbs === 0 ? 1 : product / Math.sqrt(norm * foundNorm);
  const within = maxAbs <= (tolerance.maxAbs ?? Infinity) &&
    relL2 <= (tolerance.relL2 ?? Infinity) && cosine >= (tolerance.cosine ?? -1);
  return {
    case: testCase,
    name,
    maxAbs: Number.isFinite(maxAbs) ? maxAbs : null,
    relL2: Number.isFinite(relL2) ? relL2 : null,
    tolerance: tolerance.relL2 ?? tolerance.maxAbs ?? 0,
    pass: Number.isFinite(maxAbs) && within,
  };
}

/** A check of what is equal or not. */
export function checkEqual(
  place: readonly [testCase: string, name: string],
  isEqual: boolean,
): VisionLanguageCheck {
  return compareNumbers(place, [isEqual ? 0 : 1], [0], EXACT);
}
