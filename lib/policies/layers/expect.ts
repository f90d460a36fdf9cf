import type { tf } from "../../engine/mod.ts";

/** Checks visual-language tokens. @throws {RangeError} If they are not `(B, S, width)`. */
export function expectVision(vision: tf.Tensor, width: number): void {
  if (vision.rank === 3 && vision.shape[2] === width) return;
  throw new RangeError(
    `Cannot compute actions: visual-language tokens must be (B, S, ${width}), current value is (${
      vision.shape.join(", ")
    })`,
  );
}

/** Checks an action chunk. @throws {RangeError} If it is not `(B, horizon, actionDim)`. */
export function expectChunk(
  chunk: tf.Tensor,
  { horizon, actionDim }: { readonly horizon: number; readonly actionDim: number },
): void {
  if (chunk.rank === 3 && chunk.shape[1] === horizon && chunk.shape[2] === actionDim) return;
  throw new RangeError(
    `Cannot compute actions: the chunk must be (B, ${horizon}, ${actionDim}), current value is (${
      chunk.shape.join(", ")
    })`,
  );
}

/** Checks that tensors are of the same samples. @throws {RangeError} If their first sizes differ. */
export function expectSameSamples(tensors: Readonly<Record<string, tf.Tensor | undefined>>): void {
  const sizes = Object.entries(tensors).flatMap(([name, tensor]) =>
    tensor === undefined ? [] : [[name, tensor.shape[0]] as const]
  );
  if (sizes.every(([, size]) => size === sizes[0]![1])) return;
  throw new RangeError(
    `Cannot compute actions: all inputs must have the same number of samples, current value is ${
      sizes.map(([name, size]) => `${name} ${size}`).join(", ")
    }`,
  );
}
