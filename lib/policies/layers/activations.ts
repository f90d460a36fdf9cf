import type { tf } from "../../engine/mod.ts";

/** Functions of single numbers that layers apply. */
export type Activation = "gelu" | "relu" | "silu";

/** Applies an activation. GELU is the exact one, x·Φ(x): Hendrycks and Gimpel, arXiv:1606.08415. */
export function activate(x: tf.Tensor, activation: Activation): tf.Tensor {
  if (activation === "relu") return x.relu();
  if (activation === "silu") return x.mul(x.sigmoid());
  return x.mul(0.5).mul(x.mul(Math.SQRT1_2).erf().add(1));
}
