import { tf } from "../engine/mod.ts";
import type { TensorSpec } from "./layers/tensor_spec.ts";
import type { Parameters } from "./layers/context.ts";
import type { PolicyConfig } from "./config.ts";
import { policyShapes } from "./shapes.ts";

/**
 * The shape in which the engine holds a tensor: that of the checkpoint, but for kernels of convolutions,
 * which are `[width, in, out]` as TensorFlow wants them.
 *
 * @param spec One of `policyShapes`.
 * @returns The shape.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { engineShape, policyShapes, preset } from "./mod.ts";
 *
 * const [kernel] = policyShapes(preset("reference", { architecture: "reference" }));
 * assert.deepEqual(engineShape(kernel!), [3, 1026, 512]);
 * ```
 */
export function engineShape({ shape, reversed }: TensorSpec): number[] {
  return reversed ? shape.toReversed() : [...shape];
}

/**
 * Brings tensors from a checkpoint's layout into the engine's. Exact: axes are exchanged, no number
 * changes.
 *
 * @param config The policy.
 * @param tensors All tensors of `policyShapes`, float32 or int32, in their checkpoint shapes.
 * @returns The same keys in the order of `policyShapes`, as new tensors of the caller.
 * @throws {RangeError} If a tensor is missing, unexpected, or has another shape or type; all are named.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { startEngine } from "../engine/mod.ts";
 * import { fromCheckpointLayout, initialise, preset, toCheckpointLayout } from "./mod.ts";
 *
 * await startEngine({ engine: "wasm", quiet: true });
 * const config = preset("tiny");
 * const parameters = initialise(config, { seed: 1 });
 * const again = fromCheckpointLayout(config, toCheckpointLayout(config, parameters));
 * const key = "action_expert.output_head.1.weight";
 * assert.deepEqual(await again[key]!.data(), await parameters[key]!.data());
 * ```
 */
export function fromCheckpointLayout(
  config: PolicyConfig,
  tensors: Parameters,
): Record<string, tf.Tensor> {
  return exchange(config, tensors, ({ shape }) => shape, "load");
}

/**
 * Brings tensors from the engine's layout into a checkpoint's; undoes {@link fromCheckpointLayout}.
 *
 * @param config The policy.
 * @param tensors All tensors of `policyShapes` in the engine's shapes.
 * @returns The same keys in the order of `policyShapes`, as new tensors of the caller.
 * @throws {RangeError} If a tensor is missing, unexpected, or has another shape or type; all are named.
 */
export function toCheckpointLayout(
  config: PolicyConfig,
  tensors: Parameters,
): Record<string, tf.Tensor> {
  return exchange(config, tensors, engineShape, "store");
}

/**
 * Exchanges the axes of one tensor between the two layouts, in either direction: also for gradients and
 * moments of an optimiser, which have the layout of their parameter.
 *
 * @param spec One of `policyShapes`.
 * @param tensor In one layout.
 * @returns In the other, a new tensor.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { startEngine, tf } from "../engine/mod.ts";
 * import { exchangeLayout, policyShapes, preset } from "./mod.ts";
 *
 * await startEngine({ engine: "wasm", quiet: true });
 * const [kernel] = policyShapes(preset("tiny", { architecture: "reference" }));
 * assert.deepEqual(exchangeLayout(kernel!, tf.zeros([64, 1026, 3])).shape, [3, 1026, 64]);
 * ```
 */
export function exchangeLayout(spec: TensorSpec, tensor: tf.Tensor): tf.Tensor {
  return spec.reversed ? tf.transpose(tensor) : tensor.clone();
}

function exchange(
  config: PolicyConfig,
  tensors: Parameters,
  shapeOf: (spec: TensorSpec) => readonly number[],
  action: string,
): Record<string, tf.Tensor> {
  const specs = policyShapes(config);
  const problems = [...mismatches(specs, tensors, shapeOf), ...unexpected(specs, tensors)];
  if (problems.length > 0) {
    throw new RangeError(
      `Cannot ${action} parameters: ${problems.length} tensors do not fit the configuration, current value is ${
        problems.slice(0, 10).join("; ")
      }${problems.length > 10 ? "; …" : ""}`,
    );
  }
  return Object.fromEntries(
    specs.map((spec) => [spec.key, exchangeLayout(spec, tensors[spec.key]!)]),
  );
}

function mismatches(
  specs: readonly TensorSpec[],
  tensors: Parameters,
  shapeOf: (spec: TensorSpec) => readonly number[],
): string[] {
  return specs.flatMap((spec) => {
    const found = tensors[spec.key];
    if (found === undefined) return [`"${spec.key}" is missing`];
    const dtype = spec.dtype === "int64" ? "int32" : spec.dtype;
    const expected = `${dtype}[${shapeOf(spec)}]`;
    const is = `${found.dtype}[${found.shape}]`;
    return is === expected ? [] : [`"${spec.key}" is ${is} instead of ${expected}`];
  });
}

function unexpected(specs: readonly TensorSpec[], tensors: Parameters): string[] {
  const known = new Set(specs.map(({ key }) => key));
  return Object.keys(tensors).filter((key) => !known.has(key)).map((key) =>
    `"${key}" is unexpected`
  );
}
