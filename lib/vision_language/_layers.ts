/** Layers that the vision tower and the text decoder share. */
import { Bfloat16Tensor, tf } from "../engine/mod.ts";
import type { ForwardAdapter, VisionLanguageForward } from "./forward_context.ts";
import type { Weight } from "./weights.ts";

/** The tensor of a name; float32. */
export function parameter(forward: VisionLanguageForward, name: string): tf.Tensor {
  const found = weight(forward, name);
  return found instanceof Bfloat16Tensor ? found.toFloat32() : found;
}

/** The constant of a name, or what replaces it. */
export function weight(
  { weights, replaced }: VisionLanguageForward,
  name: string,
): Weight {
  const found = replaced?.[name] ?? weights.get(name);
  if (found !== undefined) return found;
  throw new Error(
    `Cannot compute the model: it should have the tensor "${name}", current value is ` +
      `${weights.size} others. Load all tensors of modelTensors(config).`,
  );
}

/**
 * A linear layer, with its bias and adapter if it has them.
 *
 * @param forward weights and adapter
 * @param x `(..., in)`
 * @param module name of the layer
 * @returns `(..., out)`
 */
export function linear(
  forward: VisionLanguageForward,
  x: tf.Tensor,
  module: string,
): tf.Tensor {
  const inputs = x.shape.at(-1)!;
  const rows = x.reshape([-1, inputs]);
  const matrix = weight(forward, `${module}.weight`);
  let y = matrix instanceof Bfloat16Tensor
    ? matrix.linear(rows, forward.precision ?? "bfloat16")
    : tf.matMul(rows as tf.Tensor2D, matrix.reshape([-1, inputs]) as tf.Tensor2D, false, true);
  const bias = `${module}.bias`;
  if (forward.weights.has(bias)) y = y.add(parameter(forward, bias));
  const added = adapted(forward.adapter, rows, module);
  if (added !== undefined) y = y.add(added);
  return y.reshape([...x.shape.slice(0, -1), y.shape[1]!]);
}

function adapted(
  adapter: ForwardAdapter | undefined,
  x: tf.Tensor,
  module: string,
): tf.Tensor | undefined {
  const down = adapter?.tensors[`lora.${module}.lora_A`];
  const up = adapter?.tensors[`lora.${module}.lora_B`];
  if (adapter === undefined || down === undefined || up === undefined) return undefined;
  const { random, dropout = 0, scale } = adapter;
  const input = random === undefined || dropout === 0
    ? x
    : random().dropout(x, dropout, `lora.${module}`);
  const low = tf.matMul(input as tf.Tensor2D, down as tf.Tensor2D, false, true);
  return tf.matMul(low, up as tf.Tensor2D, false, true).mul(scale);
}

/**
 * Division by the root mean square.
 *
 * @param forward weights
 * @param x `(..., width)`
 * @param name of the layer
 * @param epsilon added to the mean square
 * @returns the shape of `x`
 */
export function rootMeanSquareNorm(
  forward: VisionLanguageForward,
  x: tf.Tensor,
  name: string,
  epsilon: number,
): tf.Tensor {
  const scale = x.square().mean(-1, true).add(epsilon).rsqrt();
  return x.mul(scale).mul(parameter(forward, `${name}.weight`));
}

/** `down(silu(gate(x)) · up(x))`. */
export function gatedMlp(forward: VisionLanguageForward, x: tf.Tensor, module: string): tf.Tensor {
  const gate = linear(forward, x, `${module}.gate_proj`);
  const up = linear(forward, x, `${module}.up_proj`);
  return linear(forward, gate.mul(gate.sigmoid()).mul(up), `${module}.down_proj`);
}

/**
 * Turns the two halves of each head by the angles of its row.
 *
 * @param x `(..., rows, heads, width)`
 * @param cosine of the angles, `(..., rows, 1, width / 2)`
 * @param sine of the same
 * @returns the shape of `x`
 */
export function rotate(x: tf.Tensor, cosine: tf.Tensor, sine: tf.Tensor): tf.Tensor {
  const [first, second] = tf.split(x, 2, -1) as [tf.Tensor, tf.Tensor];
  return tf.concat([
    first.mul(cosine).sub(second.mul(sine)),
    second.mul(cosine).add(first.mul(sine)),
  ], -1);
}
