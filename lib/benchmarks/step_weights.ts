/** The policies of the `step` benchmark, and the first values of their parameters. */
import {
  type Family,
  type PolicyConfig,
  policyShapes,
  preset,
  type PresetName,
  type ReferenceConfig,
} from "../policies/mod.ts";
import { fill } from "./fill.ts";

/** Of biases and of the scales of normalisations. */
const SMALL = 0.02;

/** A parameter, and where its first values lie. */
export interface StepWeight {
  readonly key: string;
  /** Shape in a checkpoint. */
  readonly shape: readonly number[];
  /** 1 for the scales of normalisations, else 0. */
  readonly centre: number;
  /**
   * Largest distance from the centre: of matrices √(3 / inputs), so that outputs vary as inputs do and
   * every part of the network counts in the loss.
   */
  readonly scale: number;
}

/** Families of policies whose steps are timed. */
export type StepFamily = Extract<Family, "regression" | "diffusion">;

/**
 * The policy that is timed: with concatenated features, of the architecture that PyTorch's modules have,
 * without dropout, for which the libraries draw different numbers.
 *
 * @param size Which preset.
 * @param window Rows of the sensor window.
 * @param family What the policy learns. Default `regression`.
 * @returns The configuration.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { countParameters } from "../policies/mod.ts";
 * import { stepPolicy } from "./step_weights.ts";
 * assert.equal(countParameters(stepPolicy("reference", 65)).total, 119_686_663);
 * ```
 */
export function stepPolicy(
  size: PresetName,
  window: number,
  family: StepFamily = "regression",
): ReferenceConfig {
  const { sensorEncoder, actionExpert, ...rest } = preset(size, {
    architecture: "reference",
    family,
    temporalLength: window,
  });
  return {
    ...rest,
    sensorEncoder: sensorEncoder && { ...sensorEncoder, dropout: 0 },
    actionExpert: { ...actionExpert, dropout: 0 },
  };
}

/**
 * The parameters of a policy in order; the i-th begins with `fill(i, count, scale)` plus its centre.
 *
 * @param policy The policy.
 * @returns Keys, shapes, centres and scales.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { stepPolicy, stepWeights } from "./step_weights.ts";
 * const [first] = stepWeights(stepPolicy("tiny", 65));
 * assert.equal(first!.key, "sensor_encoder.conv_backbone.0.weight");
 * ```
 */
export function stepWeights(policy: PolicyConfig): StepWeight[] {
  return policyShapes(policy).filter(({ trainable }) => trainable)
    .map(({ key, shape, initial }) => ({
      key,
      shape,
      centre: initial.distribution === "constant" ? initial.value : 0,
      scale: shape.length > 1 ? Math.sqrt(3 / sizeOf(shape.slice(1))) : SMALL,
    }));
}

/**
 * First values of one of {@link stepWeights}.
 *
 * @param index Its place.
 * @param weight The parameter.
 * @returns Values in the order of a checkpoint.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { weightValues } from "./step_weights.ts";
 * const values = weightValues(3, { key: "norm.weight", shape: [8], centre: 1, scale: 0.02 });
 * assert(values.every((value) => Math.abs(value - 1) < 0.021));
 * ```
 */
export function weightValues(index: number, { shape, centre, scale }: StepWeight): Float32Array {
  const values = fill(index, sizeOf(shape), scale);
  if (centre !== 0) { for (let k = 0; k < values.length; k++) values[k]! += centre; }
  return values;
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
