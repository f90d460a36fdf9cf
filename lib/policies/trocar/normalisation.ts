import { tf } from "../../engine/mod.ts";
import type { EpisodeStatistics } from "../../datasets/mod.ts";
import { type Parameters, tensorOf } from "../layers/context.ts";
import type { TrocarConfig } from "./config.ts";

/**
 * The buffers of a policy that say how its inputs and outputs are normalised, from the statistics of the
 * training episodes: force and A-line apart, each action dimension by itself, constant dimensions
 * masked.
 *
 * @param config The policy.
 * @param statistics Of the training episodes.
 * @returns Tensors by their keys, to put in the place of those that `initialise` made.
 * @throws {RangeError} If the statistics lack what the policy needs.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { startEngine } from "../../engine/mod.ts";
 * import { preset } from "../mod.ts";
 * import { normalisation } from "./normalisation.ts";
 *
 * await startEngine({ engine: "wasm", quiet: true });
 * const config = preset("tiny", { fusion: "none" });
 * const action = { mean: [0, 0, 0, 0, 0, 0, 1], std: [2, 2, 2, 1, 1, 1, 0], constant: [6] };
 * const buffers = normalisation(config, { action, force: null, aline: null });
 * assert.deepEqual([...await buffers["action_expert.action_mask"]!.data()], [1, 1, 1, 1, 1, 1, 0]);
 * ```
 */
export function normalisation(
  { sensorEncoder, actionExpert }: TrocarConfig,
  statistics: NormalisationStatistics,
): Record<string, tf.Tensor> {
  const action = statistics.action ?? missing("actions");
  const { actionDim } = actionExpert;
  if (action.mean.length !== actionDim) missing(`${actionDim} action dimensions`);
  const constant = new Set(action.constant);
  const buffers: Record<string, readonly number[]> = {
    "action_expert.action_mean": action.mean,
    "action_expert.action_std": action.std.map((std, i) => constant.has(i) ? 1 : std),
    "action_expert.action_mask": action.mean.map((_, i) => constant.has(i) ? 0 : 1),
  };
  if (sensorEncoder !== null) {
    const force = statistics.force ?? missing("force");
    const aline = statistics.aline ?? missing("the A-line");
    buffers["sensor_encoder.input_mean"] = [force.mean[0]!, aline.mean];
    buffers["sensor_encoder.input_std"] = [force.std[0]! || 1, aline.std || 1];
  }
  return Object.fromEntries(
    Object.entries(buffers).map(([key, values]) => [key, tf.tensor1d([...values])]),
  );
}

/** What {@link normalisation} needs of an `EpisodeStatistics`. */
export interface NormalisationStatistics {
  /** Of each action dimension. */
  readonly action:
    | Pick<NonNullable<EpisodeStatistics["action"]>, "mean" | "std" | "constant">
    | null;
  /** Of the force; null without a sensor. */
  readonly force: Pick<NonNullable<EpisodeStatistics["force"]>, "mean" | "std"> | null;
  /** Of the A-line as one group; null without a sensor. */
  readonly aline: Pick<NonNullable<EpisodeStatistics["aline"]>, "mean" | "std"> | null;
}

function missing(what: string): never {
  throw new RangeError(
    `Cannot normalise: the statistics must have ${what}, current value has none; compute them from the training episodes`,
  );
}

/**
 * Standardises actions.
 *
 * @param p The tensors of `policyShapes`.
 * @param actions Physical units, `(B, H, A)`.
 * @returns Standard deviations from the mean, 0 in constant dimensions.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { startEngine, tf } from "../../engine/mod.ts";
 * import { denormaliseActions, normaliseActions } from "./normalisation.ts";
 *
 * await startEngine({ engine: "wasm", quiet: true });
 * const p = {
 *   "action_expert.action_mean": tf.tensor1d([2, 1]),
 *   "action_expert.action_std": tf.tensor1d([4, 1]),
 *   "action_expert.action_mask": tf.tensor1d([1, 0]),
 * };
 * const normalised = normaliseActions(p, tf.tensor3d([[[10, 1]]]));
 * assert.deepEqual([...await normalised.data()], [2, 0]);
 * assert.deepEqual([...await denormaliseActions(p, normalised).data()], [10, 1]);
 * ```
 */
export function normaliseActions(p: Parameters, actions: tf.Tensor): tf.Tensor {
  return actions.sub(tensorOf(p, "action_expert.action_mean"))
    .div(tensorOf(p, "action_expert.action_std")).mul(actionMask(p));
}

/**
 * Undoes {@link normaliseActions}.
 *
 * @param p The tensors of `policyShapes`.
 * @param actions Standard deviations from the mean, `(B, H, A)`.
 * @returns Physical units; constant dimensions have their constant.
 */
export function denormaliseActions(p: Parameters, actions: tf.Tensor): tf.Tensor {
  return actions.mul(actionMask(p)).mul(tensorOf(p, "action_expert.action_std"))
    .add(tensorOf(p, "action_expert.action_mean"));
}

/**
 * Which dimensions of an action are predicted.
 *
 * @param p The tensors of `policyShapes`.
 * @returns `(actionDim)`: 1, or 0 for constant ones.
 */
export function actionMask(p: Parameters): tf.Tensor {
  return tensorOf(p, "action_expert.action_mask");
}
