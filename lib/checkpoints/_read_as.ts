import type { PolicyConfig } from "../policies/config.ts";
import type { InferredPolicy } from "./infer.ts";

/**
 * The other reading of a policy whose fusion shapes do not show: one projection takes vision alone, or
 * vision and sensor.
 *
 * @param width of the sensor's features, where they are joined
 * @returns the policy as it is where the fusion is shown, or that reading is impossible
 */
export function readAs(
  { config, assumed }: InferredPolicy,
  { family, fusion }: Pick<PolicyConfig, "family" | "fusion">,
  width: number,
): PolicyConfig {
  const { actionExpert } = config;
  const inputs = actionExpert.visionDim + actionExpert.sensorDim;
  const sensorDim = fusion === "none" ? 0 : width, visionDim = inputs - sensorDim;
  const isOpen = assumed.includes("fusion") && config.family === family && visionDim > 0 &&
    (fusion === "none" || fusion === "concat");
  if (!isOpen) return config;
  const isThere = fusion !== "none" || !assumed.includes("sensorEncoder");
  return {
    ...config,
    fusion,
    sensorEncoder: isThere ? config.sensorEncoder : null,
    actionExpert: { ...actionExpert, visionDim, sensorDim },
  } as PolicyConfig;
}
