import { createHash } from "node:crypto";
import {
  type OpenCheckpoint,
  openCheckpoint,
  type OtherTensorMaps,
  VISUAL_MEMBER,
} from "../checkpoints/mod.ts";
import type { CheckpointNotes } from "../checkpoints/mod.ts";
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
 * @param notes of the checkpoint, or its document; null where it says nothing
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
export function visualDescription(
  notes: Pick<CheckpointNotes, "extra"> | null,
): VisualDescription | null {
  const found = notes?.extra[VISUAL_MEMBER];
  return found === undefined ? null : found as unknown as VisualDescription;
}

/** What tells trained tensors from others: the digest of their file, or their own. */
function contentDigest(
  { document }: OpenCheckpoint,
  { tensors, training }: OtherTensorMaps,
): JsonValue {
  if (document !== null) return document.extra.otherTensors as JsonValue;
  const hash = createHash("sha256");
  for (const [key, tensor] of [...tensors, ...training]) {
    hash.update(`${key}\n${tensor.dtype}\n${tensor.shape}\n`);
    const { buffer, byteOffset, byteLength } = tensor.read().data;
    hash.update(new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength));
  }
  return hash.digest("hex");
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
  const description = visualDescription(checkpoint.notes), others = checkpoint.others();
  if (description === null || others === null) return null;
  await checkpoint.verify();
  const isAveraged = [...others.training.keys()].some((name) => name.startsWith("ema."));
  const content = { isAveraged, extra: contentDigest(checkpoint, others) };
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
