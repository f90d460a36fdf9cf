import type { JsonValue } from "../../features/canonical_json.ts";
import { qwenFeatures } from "../../features/qwen.ts";
import { openModelFolder } from "../../vision_language/model_folder.ts";
import type { KnownModel } from "./_reference_visual.ts";

/** A model with what is known of it, and the features that the Python reference's programs make by it. */
export interface OpenedModel extends KnownModel, Disposable {
  readonly features: JsonValue;
}

/** Opens a model's folder; its weights are digested unless they are known from earlier. */
export async function openKnownModel(path: string, signal?: AbortSignal): Promise<OpenedModel> {
  const folder = openModelFolder(path);
  try {
    using extractor = await qwenFeatures({ model: path, ...(signal && { signal }) });
    const { name, identity } = extractor, { model, revision: digest } = identity;
    return {
      ...{ folder, base: { model, digest } },
      features: { name, identity: identity as unknown as JsonValue },
      [Symbol.dispose]: () => folder.close(),
    };
  } catch (error) {
    folder.close();
    throw error;
  }
}

/**
 * Refuses another model than the one that something was trained with.
 *
 * @throws {RangeError} when the digests differ
 */
export function expectBase(path: string, digest: string, { folder, base }: KnownModel): void {
  if (base.digest === digest) return;
  throw new RangeError(
    `Cannot convert ${path} with the model ${folder.path}: it was trained with the model ` +
      `${digest.slice(0, 12)}, current value is ${
        base.digest.slice(0, 12)
      }. Name the right one with ` +
      "--model.",
  );
}
