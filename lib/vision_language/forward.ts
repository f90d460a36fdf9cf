import type { tf } from "../engine/mod.ts";
import type { BatchTensors } from "./batch.ts";
import { placeRows } from "./_gather.ts";
import type { VisionLanguageForward } from "./forward_context.ts";
import { embedTokens, textDecoder } from "./_text_decoder.ts";
import { visionTower } from "./_vision_tower.ts";
import type { VisionRuns } from "./vision_layout.ts";

/**
 * The whole model: visual tokens in the places of their placeholders, and the decoder over all tokens.
 *
 * @param forward weights and adapter
 * @param batch tensors of {@linkcode batchTensors}
 * @param runs which patches see each other; null without images
 * @returns hidden states after the final norm, `(B, S, D)`
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { startEngine } from "../engine/mod.ts";
 * import { batchTensors, hiddenStates, loadWeights, openModelFolder, prepareBatch } from "./mod.ts";
 *
 * await startEngine({ quiet: true });
 * using folder = openModelFolder("data-fixtures/vision_language/model");
 * const { config } = folder, weights = await loadWeights(folder);
 * const batch = batchTensors(prepareBatch([{ ids: [5, 6], images: [] }], config), config);
 * const hidden = hiddenStates({ config, weights }, batch, null);
 * assert.deepEqual(hidden.shape, [1, 2, config.text.hiddenSize]);
 * ```
 */
export function hiddenStates(
  forward: VisionLanguageForward,
  batch: BatchTensors,
  runs: VisionRuns | null,
): tf.Tensor {
  const { tap } = forward, tensor = (name: string) => tensorOf(batch, name);
  const ids = tensor("ids"), words = embedTokens(forward, ids);
  let embeddings = words;
  if (runs !== null) {
    const tokens = visionTower(forward, {
      patches: tensor("patches"),
      order: tensor("order"),
      rows: tensor("rows"),
      cosine: tensor("visionCosine"),
      sine: tensor("visionSine"),
      frameOrder: tensor("frameOrder"),
      framePlaces: tensor("framePlaces"),
    }, runs);
    const width = words.shape[2]!;
    embeddings = placeRows(words.reshape([-1, width]), tokens, {
      index: tensor("placedIndex"),
      places: tensor("placedPlaces"),
      kept: tensor("placedKept"),
    }).reshape(words.shape);
  }
  tap?.("text.inputs_embeds", embeddings);
  return textDecoder(forward, embeddings, {
    mask: tensor("mask"),
    cosine: tensor("textCosine"),
    sine: tensor("textSine"),
  });
}

function tensorOf(batch: BatchTensors, name: string): tf.Tensor {
  const found = batch[name];
  if (found !== undefined) return found;
  throw new Error(
    `Cannot compute the model: the batch should have the tensor "${name}", current value is ` +
      `${Object.keys(batch).join(", ")}. Make it with batchTensors.`,
  );
}
