/** Whether two implementations of the training step compute the same. */

/** What an implementation found in its first steps. */
export interface FirstSteps {
  /** Losses of the first and the second step. */
  readonly losses: readonly [number, number];
  /** Global norm of the first step's gradients, before the clip. */
  readonly gradientNorm: number;
}

/**
 * Largest relative differences. The second loss shows that both updated the parameters alike. With
 * bfloat16 the libraries round at different places: PyTorch's autocast keeps activations narrow.
 */
const TOLERANCES = {
  f32: { first: 1e-4, norm: 1e-3, second: 1e-3 },
  bf16: { first: 2e-2, norm: 5e-2, second: 5e-2 },
} as const;

/**
 * Compares the first steps of two implementations.
 *
 * @param ours what we found
 * @param peer what PyTorch found
 * @param precision of the products
 * @returns what differs by more than the tolerance, a sentence; undefined if nothing does
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { describeDisagreement } from "./agreement.ts";
 * const ours = { losses: [0.5, 0.4], gradientNorm: 2 } as const;
 * assert(describeDisagreement(ours, ours, "f32") === undefined);
 * const other = { ...ours, gradientNorm: 3 };
 * assert(describeDisagreement(ours, other, "f32")!.includes("gradient norm"));
 * ```
 */
export function describeDisagreement(
  ours: FirstSteps,
  peer: FirstSteps,
  precision: "f32" | "bf16",
): string | undefined {
  const tolerances = TOLERANCES[precision];
  const checks = [
    ["first loss", ours.losses[0], peer.losses[0], tolerances.first],
    ["gradient norm", ours.gradientNorm, peer.gradientNorm, tolerances.norm],
    ["second loss", ours.losses[1], peer.losses[1], tolerances.second],
  ] as const;
  const wrong = checks.filter(([, a, b, tolerance]) =>
    !(Math.abs(a - b) <= tolerance * Math.abs(b))
  );
  if (wrong.length === 0) return undefined;
  return "Cannot compare with PyTorch: both must compute the same, current value is " +
    wrong.map(([what, a, b, tolerance]) =>
      `${what} ${a} against ${b} (relative tolerance ${tolerance})`
    ).join(", ");
}
