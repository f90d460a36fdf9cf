import { type Random, tf } from "../../engine/mod.ts";

/**
 * Steps and noise of a training batch.
 *
 * @param random Random numbers of the step.
 * @param shape Of the chunks, `(B, H, A)`.
 * @param timesteps Steps of the schedule, N.
 * @returns Steps 0 … N − 1, `(B)` int32, and standard normal noise, `(B, H, A)`.
 */
export function drawSteps(
  random: Random,
  shape: number[],
  timesteps: number,
): { readonly steps: tf.Tensor; readonly noise: tf.Tensor } {
  const uniform = random.uniform([shape[0]!], "diffusion.steps");
  const steps = tf.minimum(uniform.mul(timesteps).floor(), timesteps - 1).cast("int32");
  return { steps, noise: random.normal(shape, "diffusion.noise") };
}
