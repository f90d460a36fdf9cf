import { tf } from "../../engine/mod.ts";
import { type ForwardContext, randomOf } from "../layers/context.ts";
import type { PolicyBatch } from "../policy.ts";

/**
 * Steps and noise of a batch: its own, or random ones.
 *
 * @param batch Samples.
 * @param timesteps Steps of the schedule, N.
 * @param context Gives random numbers.
 * @returns Steps 0 … N − 1, `(B)` int32, and standard normal noise, `(B, H, A)`.
 */
export function drawNoise(
  { actions: { shape }, steps, noise }: PolicyBatch,
  timesteps: number,
  context: ForwardContext,
): { readonly steps: tf.Tensor; readonly noise: tf.Tensor } {
  return {
    steps: steps ?? drawSteps(shape[0]!, timesteps, context),
    noise: noise ?? randomOf(context, "diffusion").normal(shape, "diffusion.noise"),
  };
}

function drawSteps(samples: number, timesteps: number, context: ForwardContext): tf.Tensor {
  const uniform = randomOf(context, "diffusion").uniform([samples], "diffusion.steps");
  return tf.minimum(uniform.mul(timesteps).floor(), timesteps - 1).cast("int32");
}
