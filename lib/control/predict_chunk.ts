import type { JsonValue } from "../features/canonical_json.ts";
import { createExtractor, type FeatureExtractor } from "../features/mod.ts";
import { isFile } from "../formats/_path.ts";
import type { Policy } from "./open_policy.ts";

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
 * @returns `(horizon, actionDim)` in physical units: mm, degrees
 * @throws {RangeError} when a view is missing or unknown, or the features are
 * @throws {Deno.errors.NotFound} when the file of an image is not there
 * @throws {SyntaxError} when an image cannot be decoded
 */
export async function predictChunk(policy: Policy, moment: Moment): Promise<Float32Array> {
  const extractor = policyExtractor(policy);
  if (extractor === null) {
    throw new RangeError(
      `Cannot predict from images: ${policy.path} must name its visual features, current value ` +
        "is nothing. Give features to policy.predict() instead.",
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
 * @returns the extractor; null if its checkpoint does not say which
 * @throws {RangeError} when there is no such extractor
 */
export function policyExtractor({ document }: Policy): FeatureExtractor | null {
  const features = document?.features as { readonly [name: string]: JsonValue } | null | undefined;
  const name = features?.name, identity = features?.identity as { views?: unknown } | undefined;
  if (typeof name !== "string" || !Array.isArray(identity?.views)) return null;
  return createExtractor(name, { views: identity.views as string[] });
}
