/** A variant with what it costs and how good it is. */
export interface TradeOff {
  /** What it costs: tokens, milliseconds. */
  readonly cost: number;
  /** How wrong it is. */
  readonly error: number;
}

/**
 * The variants that are worth their cost: no other is at most as expensive and at most as wrong, and
 * better in one of the two (Pareto).
 *
 * @param variants with cost and error
 * @returns these of them, the cheapest first
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { paretoFront } from "./pareto_front.ts";
 *
 * const variants = [
 *   { name: "five views", cost: 5, error: 1 },
 *   { name: "two views", cost: 2, error: 2 },
 *   { name: "other two", cost: 2, error: 3 },
 * ];
 * assert.deepEqual(paretoFront(variants).map(({ name }) => name), ["two views", "five views"]);
 * ```
 */
export function paretoFront<T extends TradeOff>(variants: readonly T[]): T[] {
  const dominates = (a: T, b: T) =>
    a.cost <= b.cost && a.error <= b.error && (a.cost < b.cost || a.error < b.error);
  return variants.filter((each) => !variants.some((other) => dominates(other, each)))
    .sort((a, b) => a.cost - b.cost);
}
