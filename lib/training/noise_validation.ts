import { tf } from "../engine/mod.ts";
import { numberedNoise } from "../policies/diffusion/_numbered_noise.ts";
import type { PolicyConfig } from "../policies/mod.ts";
import type { TrainingBatch } from "./_batch_tree.ts";

/**
 * Diffusion steps that each sample is validated at. On the demonstration's 230 validation samples the
 * loss then varies by 1.3 % with the noise, by 1.9 % with one step and 1.2 % with eight, which cost four
 * times as much; and as the noise is the same each time, less of it is between two epochs.
 */
export const VALIDATION_STEPS = 2;

/** Of all noise that validations add. */
const SEED = 0;
/** Moves on by the golden ratio: the steps of successive samples fill the gaps between each other. */
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/**
 * A batch as validation sees it: for diffusion {@linkcode VALIDATION_STEPS} times, each with other
 * steps and noise, else as it is. The loss over all of them is the same each time, and does not depend
 * on batch size, order or number of processes, because steps and noise follow from the number of each
 * sample alone: its steps lie one in each of as many equal ranges, at a place in the range that differs
 * from sample to sample, so that all samples together cover all steps evenly.
 *
 * @param batch of validation samples; stays the caller's
 * @param samples `(B)` their numbers in the data set; rows that only fill the batch may have any
 * @param config the policy
 * @returns batches, each valid until the next one is asked for
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { startEngine, tf } from "../engine/mod.ts";
 * import { preset } from "../policies/mod.ts";
 * import { validationBatches, VALIDATION_STEPS } from "./noise_validation.ts";
 *
 * await startEngine({ engine: "wasm", quiet: true });
 * const config = preset("tiny", { family: "diffusion", fusion: "none", visionDim: 16 });
 * const batch = { vision: tf.zeros([1, 1, 16]), actions: tf.zeros([1, 8, 7]) };
 * const steps: number[] = [];
 * for (const fixed of validationBatches(batch, [7], config)) {
 *   steps.push(fixed.steps!.dataSync()[0]!);
 * }
 * assert.equal(steps.length, VALIDATION_STEPS);
 * assert(steps.every((t, k) => Math.floor(t * VALIDATION_STEPS / 100) === k));
 * ```
 */
export function* validationBatches<B extends TrainingBatch>(
  batch: B,
  samples: ArrayLike<number>,
  { family, actionExpert: { timesteps, horizon, actionDim } }: PolicyConfig,
): Generator<B & Pick<TrainingBatch, "steps" | "noise">, void, void> {
  if (family !== "diffusion") {
    yield batch;
    return;
  }
  const { length } = samples, chunk = horizon * actionDim;
  const noise = numberedNoise(samples, VALIDATION_STEPS * chunk, SEED, "validation.noise"); // (B, K, H·A)
  for (let k = 0; k < VALIDATION_STEPS; k++) {
    const steps = Int32Array.from(samples, (sample) => validationStep(sample, k, timesteps));
    const values = new Float32Array(length * chunk);
    for (let row = 0; row < length; row++) {
      const start = (row * VALIDATION_STEPS + k) * chunk;
      values.set(noise.subarray(start, start + chunk), row * chunk);
    }
    const draws = {
      steps: tf.tensor1d(steps, "int32"),
      noise: tf.tensor3d(values, [length, horizon, actionDim]),
    };
    try {
      yield { ...batch, ...draws };
    } finally {
      tf.dispose(draws);
    }
  }
}

/** The k-th step that a sample is validated at, 0 … N − 1. */
function validationStep(sample: number, k: number, timesteps: number): number {
  const place = (Math.max(0, sample) * GOLDEN) % 1; // in the range
  return Math.floor((k + place) * timesteps / VALIDATION_STEPS);
}
