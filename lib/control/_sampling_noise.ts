import { tf } from "../engine/mod.ts";
import { numberedNoise } from "../policies/diffusion/_numbered_noise.ts";
import type { PolicyConfig, SamplingOptions } from "../policies/mod.ts";

/** `SamplingNoise` as an argument of a compiled function. */
export type Noise = Readonly<Record<string, tf.Tensor>>;

/** The noise of samples, of each by its number. */
export function samplingNoise(
  { family, actionExpert: { horizon, actionDim, timesteps } }: PolicyConfig,
  index: ArrayLike<number>,
  seed: number,
  { sampler }: SamplingOptions,
): Noise {
  if (family !== "diffusion") return {};
  const draw = (shape: readonly number[], stream: string) => {
    const size = shape.reduce((product, side) => product * side, 1);
    const values = numberedNoise(index, size, seed, stream);
    return tf.tensor(values, [index.length, ...shape], "float32");
  };
  const noise = draw([horizon, actionDim], "sampling.start");
  if (sampler !== "ddpm") return { noise };
  return { noise, stepNoise: draw([timesteps - 1, horizon, actionDim], "sampling.steps") };
}
