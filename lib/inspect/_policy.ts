import { countStored } from "../checkpoints/_count_parameters.ts";
import { inferPolicy } from "../checkpoints/infer.ts";
import { VISUAL_MEMBER } from "../checkpoints/document.ts";
import { type OpenCheckpoint, openCheckpoint } from "../checkpoints/open.ts";

/** As {@linkcode describePolicy}, of a file that need not be a checkpoint. */
export function describeFile(path: string): Record<string, unknown> {
  let checkpoint: OpenCheckpoint;
  try {
    checkpoint = openCheckpoint(path);
  } catch (error) {
    if (error instanceof SyntaxError) return {}; // tensors in an order of their own
    throw error;
  }
  using opened = checkpoint;
  return describePolicy(opened);
}

/** What is said about the policy in a checkpoint of any layout; nothing where there is none. */
export function describePolicy(checkpoint: OpenCheckpoint): Record<string, unknown> {
  const { layout, tensors, config, wrappers, ignored, losses } = checkpoint;
  const shapes = new Map([...tensors].map(([key, { shape }]) => [key, shape]));
  const inferred = config === null ? inferPolicy(shapes) : null;
  const policy = config ?? inferred?.config;
  if (policy === undefined) return {};
  const assumed = inferred?.assumed ?? checkpoint.assumed;
  const { architecture, family, fusion } = policy;
  const known = {
    program: checkpoint.program,
    trainingStage: checkpoint.trainingStage,
    epoch: checkpoint.epoch,
    globalStep: checkpoint.globalStep,
    trainingLoss: losses.train,
    validationLoss: losses.validation,
    bestValidationLoss: losses.bestValidation,
    bestEpoch: losses.bestEpoch,
  };
  const visual = checkpoint.notes?.extra[VISUAL_MEMBER];
  const facts = Object.entries(known).filter(([, value]) => value !== null);
  return {
    layout,
    architecture,
    family,
    fusion,
    configuration: config === null ? "none; architecture by keys and shapes" : "recorded",
    ...(assumed.length > 0 ? { assumed } : {}),
    parameters: countStored(checkpoint),
    ...Object.fromEntries(facts),
    ...(wrappers.length > 0 ? { wrappers } : {}),
    ...(ignored.length > 0 ? { otherModels: ignored } : {}),
    ...(visual === undefined ? {} : { [VISUAL_MEMBER]: visual }),
  };
}
