import type { PolicyConfig } from "../policies/config.ts";
import { preset, PRESETS } from "../policies/presets.ts";
import { policyShapes } from "../policies/shapes.ts";

/**
 * What shapes do not show of a policy, as the preset has it that gives the same shapes; the policy as it
 * is where there is none.
 */
export function likePreset(config: PolicyConfig): PolicyConfig {
  if (config.architecture !== "trocar") return config;
  const { family, fusion, sensorEncoder, actionExpert } = config;
  const { visionDim, horizon, actionDim } = actionExpert;
  const shapes = shapesText(config);
  for (const name of PRESETS) {
    const candidate = preset(name, {
      ...{ family, fusion, visionDim, horizon, actionDim },
      ...(sensorEncoder && { inputChannels: sensorEncoder.inputChannels }),
    });
    if (shapesText(candidate) === shapes) return candidate;
  }
  return config;
}

function shapesText(config: PolicyConfig): string {
  return policyShapes(config).map(({ key, shape }) => `${key} ${shape.join(",")}`).join("\n");
}
