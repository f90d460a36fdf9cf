import {
  type CheckpointDocument,
  type CheckpointNotes,
  type LoadedPolicy,
  loadPolicy,
  openCheckpoint,
  type PointerName,
} from "../checkpoints/mod.ts";
import { tf } from "../engine/mod.ts";
import type { PolicyConfig } from "../policies/mod.ts";
import { useAverages } from "./_averages.ts";
import { usualCheckpoint } from "./usual_checkpoint.ts";

/** What {@linkcode openPolicyParameters} should find. */
export interface PolicyParametersOptions {
  /** Which checkpoint of a run. @default {what usualCheckpoint says} */
  readonly which?: PointerName;
  /** What the policy must be. @default {what the checkpoint says} */
  readonly config?: PolicyConfig;
}

/** The parameters that a policy is used with. */
export interface PolicyParameters extends LoadedPolicy {
  /** `checkpoint.json`; null for other layouts. */
  readonly document: CheckpointDocument | null;
  /** The features that it was trained on, and what of their model was; null where it says neither. */
  readonly notes: CheckpointNotes | null;
  /** Whether the running averages of the training are used. */
  readonly isAveraged: boolean;
}

/**
 * Loads the parameters that a policy is judged by and used with: those of the usual checkpoint of a run,
 * and its running averages where the training kept some. The engine must have been started.
 *
 * @param path run folder, checkpoint folder, `.safetensors` or `.pt` file
 * @param options which checkpoint, which policy
 * @returns configuration and parameters, which are the caller's
 * @throws {RangeError} when tensors are missing, unexpected, or of another shape
 * @throws {SyntaxError} when a file is damaged
 */
export async function openPolicyParameters(
  path: string,
  { which = usualCheckpoint(path), config }: PolicyParametersOptions = {},
): Promise<PolicyParameters> {
  const loaded = await loadPolicy(path, { which, ...(config === undefined ? {} : { config }) });
  try {
    using checkpoint = openCheckpoint(loaded.path);
    const averages = await useAverages(checkpoint, loaded.config, loaded.parameters);
    const { document, notes } = checkpoint;
    return { ...loaded, document, notes, isAveraged: averages > 0 };
  } catch (error) {
    tf.dispose(loaded.parameters);
    throw error;
  }
}
