import type { TensorSpec } from "./layers/tensor_spec.ts";
import { type PolicyConfig, validateConfig } from "./config.ts";
import { referenceSpecs, usesSensor } from "./reference/specs.ts";
import { trocarSpecs } from "./trocar/specs.ts";

/** Parameters of the parts of a policy. */
export interface ParameterCounts {
  /** Of keys that begin with `sensor_encoder.`. */
  readonly sensorEncoder: number;
  /** Of keys that begin with `action_expert.`. */
  readonly actionExpert: number;
  /** Of both. */
  readonly total: number;
}

/**
 * Every tensor of a policy: keys, shapes, types and first values, in the order of PyTorch's state
 * dictionary, from which also the order of an optimiser's state follows.
 *
 * @param config The policy.
 * @returns One entry per tensor.
 * @throws {RangeError} If the configuration is wrong.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { policyShapes, preset } from "./mod.ts";
 *
 * const [first] = policyShapes(preset("reference", { architecture: "reference" }));
 * assert.equal(first!.key, "sensor_encoder.conv_backbone.0.weight");
 * assert.deepEqual(first!.shape, [512, 1026, 3]);
 * ```
 */
export function policyShapes(config: PolicyConfig): TensorSpec[] {
  validateConfig(config);
  return config.architecture === "reference" ? referenceSpecs(config) : trocarSpecs(config);
}

/**
 * Counts the numbers in the parameters of a policy; running statistics are none.
 *
 * @param config The policy.
 * @returns Counts by part.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { countParameters, preset } from "./mod.ts";
 *
 * const counts = countParameters(preset("reference", { architecture: "reference" }));
 * assert.equal(counts.sensorEncoder, 47_238_656);
 * ```
 */
export function countParameters(config: PolicyConfig): ParameterCounts {
  const specs = policyShapes(config).filter(({ trainable }) => trainable);
  const count = (part: string) =>
    specs.filter(({ key }) => key.startsWith(part))
      .reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0);
  const [sensorEncoder, actionExpert] = [count("sensor_encoder."), count("action_expert.")];
  return { sensorEncoder, actionExpert, total: sensorEncoder + actionExpert };
}

/**
 * The parameters that a training step changes: not running statistics, nor a sensor encoder whose
 * features the policy does not use.
 *
 * @param config The policy.
 * @returns Keys in the order of {@link policyShapes}.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { preset, trainedKeys } from "./mod.ts";
 *
 * const keys = trainedKeys(preset("tiny", { architecture: "reference", fusion: "none" }));
 * assert(keys.every((key) => key.startsWith("action_expert.")));
 * ```
 */
export function trainedKeys(config: PolicyConfig): string[] {
  const sensor = config.architecture === "trocar" || usesSensor(config);
  return policyShapes(config)
    .filter(({ key, trainable }) => trainable && (sensor || !key.startsWith("sensor_encoder.")))
    .map(({ key }) => key);
}
