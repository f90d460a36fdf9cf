/**
 * Steps that DDIM visits, as the Python reference chooses them: multiples of ⌊N / steps⌋ from 0. The
 * first one visited is N − ⌊N / steps⌋ at most, although sampling starts from pure noise.
 *
 * @param trained Steps of the noise schedule, N.
 * @param steps How many to visit, 1 … N.
 * @returns The steps, descending to 0.
 * @throws {RangeError} If steps is out of range.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { legacyLadder } from "./ladder.ts";
 *
 * assert.deepEqual(legacyLadder(100, 5), [80, 60, 40, 20, 0]);
 * ```
 */
export function legacyLadder(trained: number, steps: number): number[] {
  expectSteps(trained, steps);
  const stride = Math.floor(trained / steps);
  return Array.from({ length: steps }, (_, i) => (steps - 1 - i) * stride);
}

/**
 * Steps that DDIM visits: evenly spaced from N − 1, where there is only noise, to 0.
 * "Trailing and leading ends included": Lin et al., arXiv:2305.08891.
 *
 * @param trained Steps of the noise schedule, N.
 * @param steps How many to visit, 1 … N.
 * @returns The steps, descending; N − 1 alone for one step.
 * @throws {RangeError} If steps is out of range.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { evenLadder } from "./ladder.ts";
 *
 * assert.deepEqual(evenLadder(100, 5), [99, 74, 50, 25, 0]);
 * ```
 */
export function evenLadder(trained: number, steps: number): number[] {
  expectSteps(trained, steps);
  if (steps === 1) return [trained - 1];
  return Array.from(
    { length: steps },
    (_, i) => Math.round((steps - 1 - i) * (trained - 1) / (steps - 1)),
  );
}

function expectSteps(trained: number, steps: number): void {
  if (Number.isInteger(steps) && steps >= 1 && steps <= trained) return;
  throw new RangeError(
    `Cannot choose sampling steps: there must be from 1 to ${trained}, the steps that the policy was trained with, current value is ${steps}`,
  );
}
