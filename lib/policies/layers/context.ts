import { type Random, tf } from "../../engine/mod.ts";

/** Named tensors that a network computes with: parameters and running statistics. */
export type Parameters = Readonly<Record<string, tf.Tensor>>;

/** What a forward pass depends on besides parameters and inputs. */
export interface ForwardContext {
  /** Whether dropout drops and batch normalisation uses and updates the batch's statistics. */
  readonly training: boolean;
  /** Random numbers of this step; null in evaluation, and where nothing is drawn. */
  readonly random: Random | null;
  /** Takes new values of running statistics by their keys, for the caller to assign. */
  readonly updates: Record<string, tf.Tensor>;
  /**
   * Is shown the probabilities of every attention, `(B, heads, Q, K)`, before dropout; they are the
   * network's own, to be copied or summed up at once. @default {nobody looks}
   */
  readonly onAttention?: (name: string, probabilities: tf.Tensor) => void;
}

/**
 * A context for evaluation: no dropout, stored statistics.
 *
 * @param random Random numbers that diffusion samples start from; null if nothing is drawn. Default null.
 * @returns The context.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { evaluation } from "./context.ts";
 *
 * assert.equal(evaluation().training, false);
 * ```
 */
export function evaluation(random: Random | null = null): ForwardContext {
  return { training: false, random, updates: {} };
}

/**
 * A context for one training step.
 *
 * @param random Random numbers of the step; null only for networks without dropout. Default null.
 * @returns The context; `updates` is filled by the forward pass.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { Random, startEngine } from "../../engine/mod.ts";
 * import { training } from "./context.ts";
 *
 * await startEngine({ engine: "wasm", quiet: true });
 * assert(training(new Random({ seed: 1, counter: 0 })).training);
 * ```
 */
export function training(random: Random | null = null): ForwardContext {
  return { training: true, random, updates: {} };
}

/**
 * The tensor of a name.
 *
 * @throws {Error} If there is none.
 */
export function tensorOf(p: Parameters, key: string): tf.Tensor {
  const found = p[key];
  if (found === undefined) {
    throw new Error(
      `Cannot compute network: tensor "${key}" is missing, current value is ${
        Object.keys(p).length
      } other tensors; load or initialise all tensors of policyShapes(config)`,
    );
  }
  return found;
}

/**
 * Dropout in training, nothing in evaluation.
 *
 * @param x Any shape.
 * @param rate Share of zeros.
 * @param stream Name of the place in the network: each draws numbers of its own.
 * @param context Training or evaluation.
 * @throws {Error} If training has no random numbers.
 */
export function dropout(
  x: tf.Tensor,
  rate: number,
  stream: string,
  context: ForwardContext,
): tf.Tensor {
  if (!context.training || rate === 0) return x;
  return randomOf(context, stream).dropout(x, rate, stream);
}

/** The context's random numbers. */
export function randomOf({ random }: ForwardContext, stream: string): Random {
  if (random === null) {
    throw new Error(
      `Cannot draw "${stream}": the context needs random numbers, current value is null; give training() or evaluation() a new Random({ seed, counter })`,
    );
  }
  return random;
}
