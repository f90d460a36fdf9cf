import { tf } from "../../engine/mod.ts";
import type { EpisodeStatistics } from "../../datasets/mod.ts";
import { type Parameters, tensorOf } from "../layers/context.ts";
import type { TrocarConfig } from "./config.ts";

/**
 * The buffers of a policy that say how its inputs and outputs are normalised, from the statistics of the
 * training episodes: force and A-line apart, each action dimension by itself, constant dimensions
 * masked; visual features about their means, in one unit, so that pixels which hardly change stay small.
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
  const { vision } = statistics;
  if (vision) {
    if (vision.mean.length !== actionExpert.visionDim) {
      missing(`${actionExpert.visionDim} visual features`);
    }
    buffers["action_expert.vision_mean"] = vision.mean;
    const { std, weights } = vision;
    buffers["action_expert.vision_std"] = vision.mean.map((_, i) =>
      (std || 1) / (weights?.[i] ?? 1)
    );
  }
  return Object.fromEntries(
    Object.entries(buffers).map(([key, values]) => [key, tf.tensor1d([...values])]),
  );
}

/** What is known of visual features. */
export interface VisionStatistics {
  /** Mean of each feature, `(visionDim)`. */
  readonly mean: readonly number[];
  /** Root mean square over all features that vary, about their means. */
  readonly std: number;
  /** How large each feature is to be, above 0, `(visionDim)`. @default {all the same} */
  readonly weights?: readonly number[];
}

/** What {@link normalisation} needs of an `EpisodeStatistics`, and of the features of its samples. */
export interface NormalisationStatistics {
  /** Of each action dimension. */
  readonly action:
    | Pick<NonNullable<EpisodeStatistics["action"]>, "mean" | "std" | "constant">
    | null;
  /** Of the force; null without a sensor. */
  readonly force: Pick<NonNullable<EpisodeStatistics["force"]>, "mean" | "std"> | null;
  /** Of the A-line as one group; null without a sensor. */
  readonly aline: Pick<NonNullable<EpisodeStatistics["aline"]>, "mean" | "std"> | null;
  /** Of the visual features. @default {they are taken as they are} */
  readonly vision?: VisionStatistics | null;
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
  return masked(p, actions.sub(tensorOf(p, "action_expert.action_mean")));
}

/** Actions in standard deviations from zero, `(B, H, A)`. */
export function actionsOverStd(p: Parameters, actions: tf.Tensor): tf.Tensor {
  return masked(p, actions);
}

/** In standard deviations; constant dimensions are 0 whatever they hold. */
function masked(p: Parameters, actions: tf.Tensor): tf.Tensor {
  const scaled = actions.div(tensorOf(p, "action_expert.action_std"));
  return tf.where(actionMask(p).greater(0), scaled, tf.zerosLike(scaled));
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
