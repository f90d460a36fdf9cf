/** What a network says of each of its tensors: key, shape, layout, first values. */

/** Distribution of a tensor's first values. */
export type Initial =
  /** Uniform in [−bound, bound]. */
  | { readonly distribution: "uniform"; readonly bound: number }
  /** Normal with mean 0. */
  | { readonly distribution: "normal"; readonly deviation: number }
  /** The same value everywhere. */
  | { readonly distribution: "constant"; readonly value: number };

/** One tensor of a network. */
export interface TensorSpec {
  /** Its name, in checkpoints and in records of parameters. */
  readonly key: string;
  /** Its shape in a checkpoint: PyTorch's, linear weights `[out, in]`, kernels `[out, in, width]`. */
  readonly shape: readonly number[];
  /** Its type in a checkpoint; int64 is int32 on the engine. */
  readonly dtype: "float32" | "int64";
  /** Whether the engine holds it with its axes in reverse order: kernels as `[width, in, out]`. */
  readonly reversed: boolean;
  /** Whether an optimiser changes it; running statistics are not trained. */
  readonly trainable: boolean;
  /** Its first values. */
  readonly initial: Initial;
  /** Stream of random numbers that its first values are drawn from; equal streams give copies. */
  readonly stream: string;
}

/** A trained float32 tensor. */
export function parameterSpec(
  key: string,
  shape: readonly number[],
  initial: Initial,
  reversed = false,
): TensorSpec {
  return { key, shape, dtype: "float32", reversed, trainable: true, initial, stream: key };
}

/** A float32 tensor that is stored but not trained. */
export function bufferSpec(key: string, shape: readonly number[], value: number): TensorSpec {
  return { ...parameterSpec(key, shape, constant(value)), trainable: false };
}

/** The same value everywhere. */
export function constant(value: number): Initial {
  return { distribution: "constant", value };
}

/** Uniform in ±1/√inputs: what PyTorch draws weights and biases from. */
export function fanIn(inputs: number): Initial {
  return { distribution: "uniform", bound: 1 / Math.sqrt(inputs) };
}

/**
 * The tensors of a stack of equal layers, named `NAME.layers.0`, `NAME.layers.1`, …
 *
 * @param name Name of the stack.
 * @param layers How many.
 * @param copies Whether all layers start as copies of the first, as PyTorch's stacks do.
 * @param layerSpecs The tensors of a layer by its name.
 */
export function stackSpecs(
  name: string,
  layers: number,
  copies: boolean,
  layerSpecs: (name: string) => TensorSpec[],
): TensorSpec[] {
  const specs = (i: number) => layerSpecs(`${name}.layers.${i}`);
  const first = specs(0);
  return Array.from(
    { length: layers },
    (_, i) => specs(i).map((spec, j) => copies ? { ...spec, stream: first[j]!.stream } : spec),
  ).flat();
}
