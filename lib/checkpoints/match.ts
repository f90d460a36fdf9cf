import type { StoredTensor } from "../formats/tensor_types.ts";
import type { PolicyConfig } from "../policies/config.ts";
import { policyShapes } from "../policies/shapes.ts";

/** What is asked of a tensor to know whether it fits. */
export type TensorDescription = Pick<StoredTensor, "dtype" | "shape">;

/** A tensor whose shape is not the expected one. */
export interface MismatchedShape {
  /** Its key. */
  readonly key: string;
  /** The shape that the policy has. */
  readonly expected: readonly number[];
  /** The shape that the checkpoint has. */
  readonly found: readonly number[];
}

/** A tensor whose numbers are of another kind than the expected ones. */
export interface MismatchedDtype {
  /** Its key. */
  readonly key: string;
  /** The dtype that the policy has; floats of 16 bits are widened to it. */
  readonly expected: string;
  /** The dtype that the checkpoint has. */
  readonly found: string;
}

/** How the tensors of a checkpoint fit a policy. */
export interface MatchReport {
  /** Tensors that fit. */
  readonly loaded: number;
  /** Keys of the policy that the checkpoint has not. */
  readonly missing: readonly string[];
  /** Keys of the checkpoint that the policy has not. */
  readonly unexpected: readonly string[];
  /** Tensors of another shape. */
  readonly mismatched: readonly MismatchedShape[];
  /** Tensors of another dtype. */
  readonly wrongDtype: readonly MismatchedDtype[];
}

/** What is widened to float32 without loss, beside itself. */
const FLOATS: readonly string[] = ["float32", "float16", "bfloat16"];

/**
 * Compares keys, shapes and dtypes of tensors with those of a policy.
 *
 * @param config the policy
 * @param tensors by key; only their descriptions are looked at
 * @returns what fits and what does not
 * @throws {RangeError} when the configuration is wrong
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { policyShapes, preset } from "../policies/mod.ts";
 * import { isMatch, matchPolicy } from "./mod.ts";
 *
 * const config = preset("tiny", { architecture: "reference" });
 * const tensors = new Map(policyShapes(config).map((spec) => [spec.key, spec]));
 * assert(isMatch(matchPolicy(config, tensors)));
 * tensors.delete("action_expert.pos_embed");
 * assert.deepEqual(matchPolicy(config, tensors).missing, ["action_expert.pos_embed"]);
 * ```
 */
export function matchPolicy(
  config: PolicyConfig,
  tensors: ReadonlyMap<string, TensorDescription>,
): MatchReport {
  const specs = policyShapes(config);
  const known = new Set(specs.map(({ key }) => key));
  const missing: string[] = [], mismatched: MismatchedShape[] = [];
  const wrongDtype: MismatchedDtype[] = [];
  let loaded = 0;
  for (const { key, shape, dtype } of specs) {
    const found = tensors.get(key);
    if (found === undefined) missing.push(key);
    else if (!isSameShape(shape, found.shape)) {
      mismatched.push({ key, expected: shape, found: found.shape });
    } else if (!(dtype === "float32" ? FLOATS : [dtype]).includes(found.dtype)) {
      wrongDtype.push({ key, expected: dtype, found: found.dtype });
    } else loaded++;
  }
  const unexpected = [...tensors.keys()].filter((key) => !known.has(key));
  return { loaded, missing, unexpected, mismatched, wrongDtype };
}

/**
 * Whether every tensor of a policy is there as it should be, and no other.
 *
 * @param report of {@linkcode matchPolicy}
 * @returns true for a full match; never for one without tensors
 */
export function isMatch(report: MatchReport): boolean {
  const { loaded, missing, unexpected, mismatched, wrongDtype } = report;
  return loaded > 0 &&
    [missing, unexpected, mismatched, wrongDtype].every((keys) => keys.length === 0);
}

export function isSameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, i) => size === b[i]);
}
