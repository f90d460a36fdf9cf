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
