import { inferPolicy } from "../checkpoints/infer.ts";
import { type OpenCheckpoint, openCheckpoint } from "../checkpoints/open.ts";
import type { StoredTensor } from "../formats/tensor_types.ts";

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

/** Running statistics are no parameters. */
const BUFFER = /\.(running_mean|running_var|num_batches_tracked)$/;

/** What is said about the policy in a checkpoint of any layout; nothing where there is none. */
export function describePolicy(checkpoint: OpenCheckpoint): Record<string, unknown> {
  const { layout, tensors, config, wrappers, ignored, losses } = checkpoint;
  const shapes = new Map([...tensors].map(([key, { shape }]) => [key, shape]));
  const policy = config ?? inferPolicy(shapes)?.config;
  if (policy === undefined) return {};
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
  const facts = Object.entries(known).filter(([, value]) => value !== null);
  return {
    layout,
    architecture,
    family,
    fusion,
    configuration: config === null ? "none; architecture by keys and shapes" : "recorded",
    parameters: countByPart(tensors),
    ...Object.fromEntries(facts),
    ...(wrappers.length > 0 ? { wrappers } : {}),
    ...(ignored.length > 0 ? { otherModels: ignored } : {}),
  };
}

function countByPart(tensors: ReadonlyMap<string, StoredTensor>): Record<string, number> {
  const parameters = [...tensors].filter(([key]) => !BUFFER.test(key));
  const count = (part: string) =>
    parameters.filter(([key]) => key.startsWith(part))
      .reduce((sum, [, { shape }]) => sum + shape.reduce((product, size) => product * size, 1), 0);
  return {
    sensorEncoder: count("sensor_encoder."),
    actionExpert: count("action_expert."),
    total: count(""),
  };
}
