import { tf } from "../engine/mod.ts";
import { initialise, type PolicyConfig, trocar } from "../policies/mod.ts";
import {
  featureTokens,
  pixelWeights,
  type TrainingData,
  visionStatistics,
} from "../training/mod.ts";

/** Parameters as they are drawn, and what the policy must know of its data. */
export async function firstParameters(
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
