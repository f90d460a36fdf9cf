import {
  canonicalJson,
  createExtractor,
  type ExtractorOptions,
  type FeatureExtractor,
  type FeatureIdentity,
  type JsonValue,
  qwenSettings,
} from "../features/mod.ts";
import { isFile } from "../formats/_path.ts";
import type { Policy } from "./open_policy.ts";
import { visualChanges, visualDescription } from "./visual_changes.ts";

/** What one moment looks like. */
export interface Moment {
  /** Image of each camera: a file's path or its contents; null where there is none. */
  readonly views: Readonly<Record<string, string | Uint8Array | null>>;
  /** What the policy is told. */
  readonly instruction: string;
  /**
   * `(temporalLength, inputChannels)` force and A-line, raw, oldest row first.
   * @default {the sensor is missing}
   */
  readonly sensor?: Float32Array | null;
  /** `(temporalLength)` 1 for recorded rows of it. @default {all are} */
  readonly sensorMask?: Uint8Array;
}

/**
 * Predicts the actions that follow a moment, from images as cameras make them.
 *
 * @param policy an open policy; its checkpoint must name the features it was trained on
 * @param moment images, instruction, sensor window
 * @param extractor of the policy's features, see {@linkcode policyExtractor}; to be given where it loads
 * a model, which is else loaded anew at each call. @default {made}
 * @returns `(horizon, actionDim)` in physical units: mm, degrees
 * @throws {RangeError} when a view is missing or unknown, or the features are
 * @throws {Deno.errors.NotFound} when the file of an image is not there
 * @throws {SyntaxError} when an image cannot be decoded
 */
export async function predictChunk(
  policy: Policy,
  moment: Moment,
  extractor?: FeatureExtractor | null,
): Promise<Float32Array> {
  extractor ??= await policyExtractor(policy);
  if (extractor === null) {
    throw new RangeError(
      `Cannot predict from images: ${policy.path} must name its visual features, current value ` +
        "is nothing. Name its run or a checkpoint that trocar wrote, or give features to " +
        "policy.predict().",
    );
  }
  const { views } = extractor.identity;
  const unknown = Object.keys(moment.views).find((name) => !views.includes(name));
  const missing = views.find((name) => moment.views[name] === undefined);
  if (unknown !== undefined || missing !== undefined) {
    throw new RangeError(
      `Cannot predict: the views must be ${views.join(", ")}, current value is ` +
        `${Object.keys(moment.views).join(", ") || "none"}. Give null for a camera without image.`,
    );
  }
  for (const name of views) expectFile(name, moment.views[name]!);
  const [feature] = await extractor.extract([{
    views: views.map((name) => ({ name, image: moment.views[name]! })),
    instruction: moment.instruction,
  }]);
  const { sensorEncoder } = policy.config;
  const sensor = moment.sensor ?? null, { sensorMask } = moment;
  return await policy.predict({
    size: 1,
    vision: feature!.values,
    ...(sensor === null || sensorEncoder === null
      ? {}
      : { sensor, ...(sensorMask === undefined ? {} : { sensorMask }) }),
  });
}

function expectFile(view: string, image: string | Uint8Array | null): void {
  if (typeof image !== "string" || isFile(image)) return;
  throw new Deno.errors.NotFound(
    `Cannot predict: there is no file ${image}, which should be the image of ${view}. Copy it ` +
      "there, or give null for a camera without image.",
  );
}

/**
 * The extractor of the features that a policy was trained on.
 *
 * @param policy an open policy
 * @param options folder of the model, where the features come from one
 * @returns the extractor; null if its checkpoint does not say which
 * @throws {RangeError} when there is no such extractor, or it would make other features
 * @throws {Deno.errors.NotFound} naming the file that the model's folder lacks
 */
export async function policyExtractor(
  { notes, path }: Policy,
  options: ExtractorOptions = {},
): Promise<FeatureExtractor | null> {
  const features = notes?.features as { readonly [name: string]: JsonValue } | null | undefined;
  const name = features?.name, identity = features?.identity as unknown as FeatureIdentity;
  if (typeof name !== "string" || !Array.isArray(identity?.views)) return null;
  const settings = name === "qwen2.5-vl-3b" ? qwenSettings(identity) : { views: identity.views };
  const changes = visualDescription(notes) === null ? null : await visualChanges(path);
  const extractor = await createExtractor(name, {
    ...{ ...options, ...settings },
    ...(changes === null ? {} : { adapter: changes }),
  });
  const { model, revision, adapter } = extractor.identity;
  const expected = {
    model: identity.model,
    revision: identity.revision,
    adapter: changes?.digest ?? identity.adapter,
  };
  if (canonicalJson({ model, revision, adapter }) === canonicalJson(expected)) return extractor;
  throw new RangeError(
    `Cannot make features for ${path}: they should be those of the model that it was trained with, ` +
      `${describe(identity)}, current value is ${describe(extractor.identity)}. Name its folder ` +
      "with --model.",
  );
}

function describe({ model, revision, adapter }: FeatureIdentity): string {
  return `${model} ${revision.slice(0, 12)}` +
    (adapter === null ? "" : ` with adapter ${adapter.slice(0, 12)}`);
}
