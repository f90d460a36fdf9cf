import type { NamedTensors, Random } from "../engine/mod.ts";
import type { TrainableFeatures } from "../features/trainable.ts";
import type { PolicyBatch } from "../policies/mod.ts";
import type { TrainingBatch } from "./_batch_tree.ts";

/** Shapes of visual inputs that stay compiled: lengths of prompts, and images that are missing. */
export const SHAPES = 128;

/**
 * A batch with visual tokens: those that it has, or those that the model computes.
 *
 * @param batch of samples
 * @param model that is trained with the policy; null without
 * @param parameters of policy and model
 * @param random makes the random numbers of a training step; without it nothing is dropped
 */
export function withTokens(
  batch: TrainingBatch,
  model: TrainableFeatures | null,
  parameters: NamedTensors,
  random?: () => Random,
): PolicyBatch {
  const { visual, vision, ...rest } = batch;
  if (visual === undefined || model === null) {
    if (vision !== undefined) return { ...rest, vision };
    throw new RangeError(
      "Cannot compute the loss: a batch should have visual tokens, or images and a model to train, " +
        `current value is ${Object.keys(batch).join(", ")}.`,
    );
  }
  const own = Object.fromEntries(model.tensors.map(({ key }) => [key, parameters[key]!]));
  const { tokens, mask } = model.encode(own, visual, random);
  return { ...rest, vision: tokens, visionMask: mask };
}
