/**
 * Whether weight decay applies to a parameter: to matrices, kernels and learned positions, not to biases
 * and the scales of normalisations.
 *
 * @param key The parameter's name.
 * @param shape Its shape, in either layout.
 * @returns Whether it decays.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { decays } from "./mod.ts";
 *
 * assert(decays("action_expert.pos_embed", [1, 8, 1024]));
 * assert(!decays("action_expert.output_head.0.weight", [1024]));
 * ```
 */
export function decays(key: string, shape: readonly number[]): boolean {
  return shape.length > 1 && !key.endsWith(".bias");
}
