import { createHash } from "node:crypto";
import { tf } from "../engine/mod.ts";
import { canonicalJson } from "../features/canonical_json.ts";
import type { Adapter } from "./adapter_file.ts";
import type { ModelChanges } from "./forward_context.ts";

/**
 * The digest of what an adapter computes: its matrices and its scale α / r, under whichever names and
 * with whichever other settings they are stored.
 *
 * @param adapter read from its folder
 * @returns SHA-256, hexadecimal
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { digestAdapter, readAdapter, readModelConfig, writeAdapter } from "./mod.ts";
 *
 * const config = readModelConfig("data-fixtures/vision_language/model/config.json");
 * const adapter = readAdapter("data-fixtures/vision_language/lora/attn", config);
 * const folder = Deno.makeTempDirSync();
 * writeAdapter(folder, { ...adapter, settings: {} });
 * assert.equal(digestAdapter(readAdapter(folder, config)), digestAdapter(adapter));
 * ```
 */
export function digestAdapter({ lora, tensors }: Adapter): string {
  const hash = createHash("sha256");
  hash.update(canonicalJson({ scale: lora.alpha / lora.rank }));
  for (const key of Object.keys(tensors).sort()) {
    const { shape, data } = tensors[key]!;
    hash.update(canonicalJson({ key, shape: [...shape] }));
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest("hex");
}

/**
 * An adapter as a frozen part of a model.
 *
 * @param adapter read for the model
 * @returns what `qwenFeatures` and `VisionLanguageModel.open` compute with beside the weights; digest,
 * and that of the model it was trained with where it is known
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { startEngine } from "../engine/mod.ts";
 * import { adapterChanges, readAdapter, readModelConfig } from "./mod.ts";
 *
 * await startEngine({ quiet: true });
 * const config = readModelConfig("data-fixtures/vision_language/model/config.json");
 * const adapter = readAdapter("data-fixtures/vision_language/lora/attn", config);
 * const { scale, tensors } = adapterChanges(adapter).changes().adapter!;
 * assert.deepEqual([scale, Object.keys(tensors).length], [2, 24]);
 * ```
 */
export function adapterChanges(
  adapter: Adapter,
): { readonly digest: string; readonly base?: string; readonly changes: () => ModelChanges } {
  const { lora, base } = adapter;
  return {
    digest: digestAdapter(adapter),
    ...(base === undefined ? {} : { base }),
    changes: () => ({
      adapter: { tensors: adapterTensors(adapter), scale: lora.alpha / lora.rank },
    }),
  };
}

/**
 * An adapter's matrices in the engine.
 *
 * @param adapter read from its folder
 * @returns by key, the caller's
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { startEngine } from "../engine/mod.ts";
 * import { adapterTensors, readAdapter, readModelConfig } from "./mod.ts";
 *
 * await startEngine({ quiet: true });
 * const config = readModelConfig("data-fixtures/vision_language/model/config.json");
 * const tensors = adapterTensors(readAdapter("data-fixtures/vision_language/lora/attn", config));
 * assert.deepEqual(tensors["lora.model.layers.0.self_attn.q_proj.lora_A"]!.shape, [2, 48]);
 * ```
 */
export function adapterTensors({ tensors }: Adapter): Record<string, tf.Tensor> {
  return Object.fromEntries(
    Object.entries(tensors).map(([key, { shape, data }]) => [key, tf.tensor(data, [...shape])]),
  );
}
