import { type PolicyConfig, validateConfig } from "./config.ts";
import type { Family, Fusion, ReferenceConfig } from "./reference/config.ts";
import type { TrocarConfig } from "./trocar/config.ts";

/** Names of the presets. */
export type PresetName = "tiny" | "compact" | "reference";

/** The presets, smallest first. */
export const PRESETS: readonly PresetName[] = ["tiny", "compact", "reference"];

/** What to choose besides the size. */
export interface PresetOptions<A extends PolicyConfig["architecture"]> {
  /** `trocar`, or `reference` for weights of the Python reference. @default {"trocar"} */
  readonly architecture?: A;
  /** What the expert predicts with; `no-sensor` with `reference` only. @default {"regression"} */
  readonly family?: A extends "reference" ? Family : TrocarConfig["family"];
  /** How features are joined; `none` has no sensor. @default {"concat"} */
  readonly fusion?: Fusion;
  /** Rows of a sensor window. @default {65} */
  readonly temporalLength?: number;
  /** Channels of a sensor row. @default {1026} */
  readonly inputChannels?: number;
  /** Width of the visual-language tokens. @default {2048} */
  readonly visionDim?: number;
  /** Actions of a chunk. @default {8} */
  readonly horizon?: number;
  /** Numbers of an action. @default {7} */
  readonly actionDim?: number;
  /** Steps of the noise schedule. @default {100} */
  readonly timesteps?: number;
}

/** Channels of the first convolution, widths of sensor features, expert, and layer before it. */
const SIZES: Readonly<Record<PresetName, readonly [number, number, number, number]>> = {
  tiny: [64, 256, 128, 512],
  compact: [232, 768, 416, 416],
  reference: [512, 3072, 1024, 512],
};

/** A policy that is trained for a minute is not regularised; it averages sensor rows to be fast. */
const TINY = {
  sensorEncoder: { pooling: 4, convLayers: 2, transformerLayers: 0, dropout: 0, missingRate: 0 },
  actionExpert: { layers: 1, heads: 4, dropout: 0, missingRate: 0 },
} as const;

/**
 * A configuration of a known size: `tiny` for tests and first steps, `compact` for small machines,
 * `reference` with the Python reference's sizes. `countParameters` says how large each is.
 *
 * @param name Size.
 * @param options Architecture, family, fusion, and what follows from the data.
 * @returns The configuration.
 * @throws {RangeError} If the name is unknown or an option is wrong.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { countParameters, preset } from "./mod.ts";
 *
 * const { total } = countParameters(preset("tiny"));
 * assert(total > 1e6 && total < 3e6);
 * ```
 */
export function preset<A extends PolicyConfig["architecture"] = "trocar">(
  name: PresetName,
  options: PresetOptions<A> = {},
): A extends "reference" ? ReferenceConfig : TrocarConfig {
  const sizes = SIZES[name];
  if (sizes === undefined) {
    throw new RangeError(
      `Cannot choose preset: it must be one of ${PRESETS.join(", ")}, current value is "${name}"`,
    );
  }
  const { architecture = "trocar", family = "regression" } = options;
  const fusion = family === "no-sensor" ? "none" : options.fusion ?? "concat";
  const withSensor = fusion !== "none";
  const [hidden, feature, width, visionHidden] = sizes;
  const { temporalLength = 65, inputChannels = 1026 } = options;
  const { visionDim = 2048, horizon = 8, actionDim = 7, timesteps = 100 } = options;
  const sensor = {
    ...{ inputChannels, temporalLength, hiddenDim: hidden, outputDim: feature },
    ...{ convLayers: 4, transformerLayers: 2, heads: 8, dropout: 0.1 },
  };
  const expert = {
    ...{ visionDim, sensorDim: withSensor ? feature : 0, actionDim, horizon },
    ...{ hiddenDim: width, heads: 8, layers: 4, dropout: 0.1, timesteps },
  };
  const own = name === "tiny" ? TINY : null;
  const config = architecture === "reference"
    ? {
      ...{ architecture, family, fusion },
      sensorEncoder: withSensor ? { ...sensor, interpolation: "linear" } : null,
      actionExpert: expert,
    }
    : {
      ...{ architecture, family, fusion },
      sensorEncoder: withSensor
        ? { ...sensor, pooling: 1, groups: 8, missingRate: 0.1, ...own?.sensorEncoder }
        : null,
      actionExpert: {
        ...{ ...expert, visionHidden, missingRate: 0.1, actionClip: 5 },
        ...own?.actionExpert,
      },
    };
  validateConfig(config as PolicyConfig);
  return config as A extends "reference" ? ReferenceConfig : TrocarConfig;
}
