import { Random, tf } from "../engine/mod.ts";
import type { TensorSpec } from "./layers/tensor_spec.ts";
import { engineShape } from "./checkpoint_layout.ts";
import type { PolicyConfig } from "./config.ts";
import { policyShapes } from "./shapes.ts";

/**
 * First values of all tensors of a policy, drawn as PyTorch's layers draw theirs:
 * linear and convolution layers, weights and biases, uniformly in ±1/√fan-in; packed attention weights
 * by Glorot and Bengio's rule, ±√(6 / 4W), and their biases 0; normalisations 1 and 0; running means 0,
 * variances 1. `reference` draws learned positions from N(0, 1), and all layers of a stack start as
 * copies of the first, as PyTorch's do; `trocar` draws each layer for itself.
 *
 * A tensor's values depend on the seed and its key only.
 *
 * @param config The policy.
 * @param options `seed`: 0 … 2⁵³ − 1.
 * @returns Parameters and running statistics in the engine's layout, in the order of `policyShapes`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { startEngine } from "../engine/mod.ts";
 * import { initialise, preset } from "./mod.ts";
 *
 * await startEngine({ engine: "wasm", quiet: true });
 * const parameters = initialise(preset("tiny"), { seed: 1 });
 * const head = await parameters["action_expert.output_head.1.weight"]!.abs().max().data();
 * assert(head[0]! <= 1 / Math.sqrt(128) && head[0]! > 0);
 * ```
 */
export function initialise(
  config: PolicyConfig,
  { seed }: { readonly seed: number },
): Record<string, tf.Tensor> {
  return Object.fromEntries(policyShapes(config).map((spec) => [spec.key, draw(spec, seed)]));
}

function draw(spec: TensorSpec, seed: number): tf.Tensor {
  const shape = engineShape(spec);
  const { initial, stream } = spec;
  return tf.tidy(() => {
    if (initial.distribution === "constant") {
      return tf.fill(shape, initial.value, spec.dtype === "int64" ? "int32" : "float32");
    }
    const random = new Random({ seed, counter: 0 });
    if (initial.distribution === "normal") {
      return random.normal(shape, stream).mul(initial.deviation);
    }
    return random.uniform(shape, stream).mul(2 * initial.bound).sub(initial.bound);
  });
}
