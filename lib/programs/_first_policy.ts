/** The policy that a training begins with: a new one, or that of a first stage. */
import { fileDigest } from "../checkpoints/_file_digest.ts";
import { openPolicyParameters } from "../control/mod.ts";
import { tf } from "../engine/mod.ts";
import { openRandomAccess } from "../formats/random_access_file.ts";
import { isFile } from "../formats/_path.ts";
import { expectFeatureWidth, initialise, type PolicyConfig, trocar } from "../policies/mod.ts";
import {
  featureTokens,
  pixelWeights,
  type TrainingData,
  visionStatistics,
} from "../training/mod.ts";
import type { Beginning } from "./_beginning.ts";
import type { PreparedData } from "./prepare_data.ts";
import type { ResolvedTraining } from "./resolve.ts";
import { startPointer } from "./stage2_start.ts";

/** A policy before its first step. */
export interface FirstPolicy {
  readonly config: PolicyConfig;
  /** Its tensors; the caller's. */
  readonly parameters: Record<string, tf.Tensor>;
  /** Where it is from; null for a new one. */
  readonly source: { readonly path: string; readonly digest: string } | null;
}

/**
 * The policy that a training begins with.
 *
 * @throws {RangeError} when the checkpoint, the features and the program do not fit together
 */
export async function firstPolicy(
  { beginsWith, policy, settings }: ResolvedTraining,
  { extractor, data }: PreparedData,
  features: string,
  beginning: Beginning | null,
): Promise<FirstPolicy> {
  const config = policy(extractor.width);
  expectFeatureWidth(config, { name: features, width: extractor.width });
  if (beginsWith === null) {
    const parameters = await newParameters(config, settings.seed, data, features);
    return { config, parameters, source: null };
  }
  if (beginning?.source != null) {
    // The run's own checkpoint holds the policy: where it began need not be there any more.
    return { config, parameters: initialise(config, { seed: 0 }), source: beginning.source };
  }
  const { parameters, path, document } = await openPolicyParameters(beginsWith, {
    ...{ config, which: startPointer(beginsWith) },
  });
  return { config, parameters, source: { path, digest: document?.digest ?? await digestOf(path) } };
}

async function digestOf(path: string): Promise<string> {
  if (!isFile(path)) throw new RangeError(`Cannot begin with ${path}: it has no checkpoint.json.`);
  using file = openRandomAccess(path);
  return await fileDigest(file);
}

/** Parameters as they are drawn, and what the policy must know of its data. */
async function newParameters(
  config: PolicyConfig,
  seed: number,
  data: TrainingData,
  features: string,
) {
  const parameters = initialise(config, { seed });
  if (config.architecture === "reference") return parameters;
  const { visionDim } = config.actionExpert;
  const vision = await visionStatistics(featureTokens(data.training), visionDim);
  const weights = features === "pixel-2048" ? { weights: pixelWeights() } : {};
  const buffers = trocar.normalisation(config, {
    ...data.statistics,
    vision: { ...vision, ...weights },
  });
  tf.dispose(Object.keys(buffers).map((key) => parameters[key]!));
  return { ...parameters, ...buffers };
}
