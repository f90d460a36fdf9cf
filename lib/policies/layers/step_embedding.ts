import { tf } from "../../engine/mod.ts";
import { activate } from "./activations.ts";
import type { Parameters } from "./context.ts";
import { linear, linearSpecs } from "./linear.ts";
import type { TensorSpec } from "./tensor_spec.ts";

const { fround } = Math;
/** Sines and cosines of a diffusion step. */
const STEP_WIDTH = 128;

/**
 * Sines and cosines of steps or positions: frequency i is 10000^(−i / (width/2 − 1)).
 * Ho et al., arXiv:2006.11239, after Vaswani et al., arXiv:1706.03762.
 *
 * @param steps `(B)` int32.
 * @param width Even number of features.
 * @returns `(B, width)`: sines, then cosines.
 */
export function sinusoids(steps: tf.Tensor, width: number): tf.Tensor {
  const half = width / 2;
  const slope = fround(-Math.log(10000) / (half - 1));
  const frequencies = Array.from({ length: half }, (_, i) => Math.exp(fround(i * slope)));
  const angles = steps.cast("float32").expandDims(1).mul(tf.tensor1d(frequencies)); // (B, half)
  return tf.concat([angles.sin(), angles.cos()], 1);
}

/** The tensors of {@link embedStep}. */
export function stepSpecs(name: string, width: number): TensorSpec[] {
  return [
    ...linearSpecs(`${name}.0`, STEP_WIDTH, width),
    ...linearSpecs(`${name}.2`, width, width),
  ];
}

/**
 * Features of diffusion steps.
 *
 * @param steps `(B)` int32.
 * @returns `(B, W)`.
 */
export function embedStep(p: Parameters, name: string, steps: tf.Tensor): tf.Tensor {
  const hidden = activate(linear(p, `${name}.0`, sinusoids(steps, STEP_WIDTH)), "silu");
  return linear(p, `${name}.2`, hidden);
}
