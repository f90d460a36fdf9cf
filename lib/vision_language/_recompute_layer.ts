import { recompute, tf } from "../engine/mod.ts";
import type { VisionLanguageForward } from "./forward_context.ts";
import type { Weight } from "./weights.ts";

/**
 * Runs a layer, computed again for its gradient where the forward pass asks for that.
 *
 * @param forward weights and adapter
 * @param name of the layer, with which the names of its tensors begin
 * @param x its input
 * @param body the layer
 */
export function runLayer(
  forward: VisionLanguageForward,
  name: string,
  x: tf.Tensor,
  body: (forward: VisionLanguageForward, x: tf.Tensor) => tf.Tensor,
): tf.Tensor {
  const { recomputes, adapter, replaced = {} } = forward;
  if (recomputes !== true) return body(forward, x);
  const added = tensorsOf(adapter?.tensors ?? {}, `lora.${name}.`);
  const changed = tensorsOf(replaced, `${name}.`);
  return recompute(([input, ...rest]) => {
    const given = (names: readonly (readonly [string, tf.Tensor])[], from: number) =>
      Object.fromEntries(names.map(([key], i) => [key, rest[from + i]!]));
    return body({
      ...forward,
      replaced: { ...replaced, ...given(changed, added.length) },
      ...(adapter === undefined ? {} : { adapter: { ...adapter, tensors: given(added, 0) } }),
    }, input!);
  }, [x, ...[...added, ...changed].map(([, tensor]) => tensor)]);
}

function tensorsOf(all: Readonly<Record<string, Weight>>, prefix: string) {
  return Object.entries(all).filter((entry): entry is [string, tf.Tensor] =>
    entry[0].startsWith(prefix) && entry[1] instanceof tf.Tensor
  );
}
