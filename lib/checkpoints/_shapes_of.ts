import type { OpenCheckpoint } from "./open.ts";

/** Shapes by key. */
export function shapesOf(
  { tensors }: Pick<OpenCheckpoint, "tensors">,
): Map<string, readonly number[]> {
  return new Map([...tensors].map(([key, { shape }]) => [key, shape]));
}
