import type { tf } from "../../engine/mod.ts";
import type { Parameters } from "./context.ts";
import { scaleAndShift, standardise } from "./layer_norm.ts";

/**
 * Group normalisation: each sample's channels are normalised in groups over time. Its tensors are those of
 * `normSpecs`. Wu and He, arXiv:1803.08494.
 *
 * @param x `(B, T, C)`.
 * @param groups Number of groups, which divides C.
 */
export function groupNorm(p: Parameters, name: string, x: tf.Tensor, groups: number): tf.Tensor {
  const [batch, time, channels] = x.shape as [number, number, number];
  const grouped = x.reshape([batch, time, groups, channels / groups]);
  return scaleAndShift(p, name, standardise(grouped, [1, 3]).reshape(x.shape));
}
