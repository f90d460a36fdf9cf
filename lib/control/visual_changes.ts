import { createHash } from "node:crypto";
import { openCheckpoint, VISUAL_MEMBER } from "../checkpoints/mod.ts";
import type { CheckpointDocument } from "../checkpoints/mod.ts";
import type { JsonValue, QwenAdapter } from "../features/mod.ts";
import { canonicalJson } from "../features/canonical_json.ts";
import { trainedChanges, type VisualDescription } from "../vision_language/trained_changes.ts";

/** What a second stage has made of a visual-language model. */
export interface VisualChanges extends QwenAdapter {
  /** Digest of the model that was changed, as published. */
  readonly base: string;
}

/**
 * What of a checkpoint says which parts of a visual-language model were trained with its policy.
 *
 * @param document `checkpoint.json`; null for other layouts
 * @returns the description; null where the model was not trained
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { visualDescription } from "./mod.ts";
 *
 * assert.equal(visualDescription(null), null);
 * ```
 */
export function visualDescription(document: CheckpointDocument | null): VisualDescription | null {
  const found = document?.extra[VISUAL_MEMBER];
  return found === undefined ? null : found as unknown as VisualDescription;
}

/**
 * What a second stage has made of a visual-language model, from its checkpoint; the running averages
 * where it kept some.
 *
 * @param path of a checkpoint
 * @returns changes that an extractor takes; null where the model was not trained
 * @throws {SyntaxError} when the file of the trained tensors is damaged
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { visualChanges } from "./mod.ts";
 *
 * await assert.rejects(visualChanges(`${Deno.makeTempDirSync()}/none`), /no such file or folder/);
 * ```
 */
export async function visualChanges(path: string): Promise<VisualChanges | null> {
  using checkpoint = openCheckpoint(path);
  const description = visualDescription(checkpoint.document), others = checkpoint.others();
  if (description === null || others === null) return null;
  await checkpoint.verify();
  const isAveraged = [...others.training.keys()].some((name) => name.startsWith("ema."));
  const content = { isAveraged, extra: checkpoint.document!.extra.otherTensors as JsonValue };
  const digest = createHash("sha256")
    .update(canonicalJson({ ...content, description: description as unknown as JsonValue }))
    .digest("hex");
  return {
    ...{ digest, base: description.base.digest },
    changes: (config) => {
      using again = openCheckpoint(path);
      const { tensors, training } = again.others()!;
      return trainedChanges(config, description, (stored) => {
        const found = isAveraged ? training.get(`ema.${stored}`) : tensors.get(stored);
        return found?.read();
      });
    },
  };
}
