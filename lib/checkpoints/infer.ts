import { type PolicyConfig, validateConfig } from "../policies/config.ts";
import { likePreset } from "./_like_preset.ts";
import { preset, PRESETS } from "../policies/presets.ts";
import type { Family, Fusion } from "../policies/reference/config.ts";

/** What keys and shapes say of a policy. */
export interface InferredPolicy {
  /** The configuration. */
  readonly config: PolicyConfig;
  /** Settings that shapes do not show and for which defaults stand, such as `actionExpert.heads`. */
  readonly assumed: readonly string[];
}

type Shapes = ReadonlyMap<string, readonly number[]>;

/** Widths of visual-language features that are in use, which tell `none` from `concat`. */
const VISION_WIDTHS = [2048, 3072, 3584];
/** What is open where one projection may take vision alone, or vision and sensor. */
const OPEN_FUSION = ["fusion", "actionExpert.visionDim"];

/**
 * Finds out which policy tensors belong to, by their keys and shapes alone.
 *
 * Shapes do not show heads, dropout, the length of sensor windows and the steps of the noise schedule,
 * nor the horizon of the reference's diffusion and no-sensor experts: the values of the preset with
 * these shapes stand for them, or else defaults.
 *
 * @param shapes by key; tensors of other models beside do no harm
 * @returns null when the tensors look like no policy
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { policyShapes, preset } from "../policies/mod.ts";
 * import { inferPolicy } from "./mod.ts";
 *
 * const config = preset("compact", { architecture: "reference", fusion: "gated" });
 * const shapes = new Map(policyShapes(config).map(({ key, shape }) => [key, shape]));
 * assert.deepEqual(inferPolicy(shapes)?.config, config);
 * assert.equal(inferPolicy(new Map()), null);
 * ```
 */
export function inferPolicy(shapes: ReadonlyMap<string, readonly number[]>): InferredPolicy | null {
  const assumed: string[] = [];
  const config = isTrocar(shapes) ? inferTrocar(shapes, assumed) : inferReference(shapes, assumed);
  if (config === null) return null;
  restoreEncoder(config, assumed);
  try {
    validateConfig(config);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
  return { config: likePreset(config), assumed };
}

/**
 * The reference's policy of an encoder alone, for files that hold no expert: the expert is one of the
 * usual size.
 *
 * @returns null when the tensors have no encoder of the reference either
 */
export function policyAround(shapes: ReadonlyMap<string, readonly number[]>): PolicyConfig | null {
  const sensorEncoder = referenceEncoder(shapes, []);
  if (sensorEncoder === null) return null;
  const { actionExpert, ...usual } = preset("reference", { architecture: "reference" });
  const config = {
    ...usual,
    sensorEncoder,
    actionExpert: { ...actionExpert, sensorDim: sensorEncoder.outputDim },
  } as PolicyConfig;
  try {
    validateConfig(config);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
  return config;
}

function isTrocar(shapes: Shapes): boolean {
  return [
    "action_expert.memory_token",
    "action_expert.missing_view",
    "sensor_encoder.force_stem.weight",
  ]
    .some((key) => shapes.has(key));
}

function inferReference(shapes: Shapes, assumed: string[]): PolicyConfig | null {
  const family = familyOf(shapes);
  const expert = expertSizes(shapes, family);
  if (family === null || expert === null) return null;
  const encoder = referenceEncoder(shapes, assumed);
  const { fusion, visionDim, sensorDim } = referenceFusion(
    shapes,
    family,
    encoder?.outputDim ?? null,
    assumed,
  );
  const horizon = shapes.get("action_expert.pos_embed")?.[1];
  if (horizon === undefined) assumed.push("actionExpert.horizon");
  return {
    ...{ architecture: "reference", family, fusion, sensorEncoder: encoder },
    actionExpert: {
      ...{ visionDim, sensorDim, actionDim: expert.actionDim, horizon: horizon ?? 8 },
      ...{ hiddenDim: expert.hiddenDim, ...assumedExpert(expert.hiddenDim, family, assumed) },
      layers: expert.layers,
    },
  } as PolicyConfig;
}

function inferTrocar(shapes: Shapes, assumed: string[]): PolicyConfig | null {
  const family = shapes.has("action_expert.time_embed.0.weight") ? "diffusion" : "regression";
  const expert = expertSizes(shapes, family);
  if (expert === null) return null;
  const encoder = trocarEncoder(shapes, assumed);
  const sensorDim = size(shapes, "action_expert.sensor_proj.weight", 1) ?? 0;
  const fusion = jointFusion(shapes) ?? (sensorDim === 0 ? "none" : "concat");
  const settings = assumedExpert(expert.hiddenDim, family, assumed);
  assumed.push("actionExpert.missingRate", "actionExpert.actionClip");
  return {
    ...{ architecture: "trocar", family, fusion, sensorEncoder: encoder },
    actionExpert: {
      visionDim: size(shapes, "action_expert.vl_proj.0.weight", 1) ?? 0,
      visionHidden: size(shapes, "action_expert.vl_proj.0.weight", 0) ?? 0,
      sensorDim,
      actionDim: expert.actionDim,
      horizon: size(shapes, "action_expert.pos_embed", 1) ?? 0,
      hiddenDim: expert.hiddenDim,
      layers: expert.layers,
      ...settings,
      ...{ missingRate: 0.1, actionClip: 5 },
    },
  } as PolicyConfig;
}

/** A policy that joins sensor features has an encoder, also where the file lacks it. */
function restoreEncoder(
  config: { -readonly [K in keyof PolicyConfig]: PolicyConfig[K] },
  assumed: string[],
): void {
  const { architecture, fusion, sensorEncoder, actionExpert: { sensorDim } } = config;
  if (fusion === "none" || sensorEncoder !== null) return;
  const likely = PRESETS.map((name) => preset(name, { architecture }))
    .find(({ sensorEncoder }) => sensorEncoder?.outputDim === sensorDim);
  const { sensorEncoder: encoder } = likely ?? preset("reference", { architecture });
  config.sensorEncoder = { ...encoder!, outputDim: sensorDim } as never;
  assumed.push("sensorEncoder");
}

function familyOf(shapes: Shapes): Family | null {
  if (shapes.has("action_expert.context_proj.0.weight")) return "no-sensor";
  if (shapes.has("action_expert.time_embed.0.weight")) return "diffusion";
  if (shapes.has("action_expert.action_embed.weight")) return "diffusion";
  return shapes.has("action_expert.pos_embed") ||
      shapes.has("action_expert.temporal_decoder.layers.0.linear1.weight")
    ? "regression"
    : null;
}

/** Width, layers and numbers of an action, wherever the family's head and stack are. */
function expertSizes(shapes: Shapes, family: Family | null) {
  const heads: Record<Family, string> = {
    "regression": "output_head.1",
    "diffusion": "output_head.3",
    "no-sensor": "delta_head.3",
  };
  if (family === null) return null;
  const [actionDim, hiddenDim] = shapes.get(`action_expert.${heads[family]}.weight`) ?? [];
  if (actionDim === undefined || hiddenDim === undefined) return null;
  const stack = isStack(shapes, "action_expert.temporal_decoder")
    ? "action_expert.temporal_decoder"
    : "action_expert.temporal_encoder";
  return { actionDim, hiddenDim, layers: countLayers(shapes, stack) };
}

function assumedExpert(width: number, family: Family, assumed: string[]) {
  assumed.push("actionExpert.heads", "actionExpert.dropout");
  if (family === "diffusion") assumed.push("actionExpert.timesteps");
  return { heads: likelyHeads(width), dropout: 0.1, timesteps: 100 };
}

/** Eight, unless the width does not allow it. */
function likelyHeads(width: number): number {
  return [8, 4, 2].find((heads) => width % heads === 0) ?? 1;
}

function jointFusion(shapes: Shapes): Fusion | null {
  if (shapes.has("action_expert.cross_attn.in_proj_weight")) return "cross_attention";
  if (shapes.has("action_expert.gate.0.weight")) return "gated";
  return null;
}

function referenceFusion(
  shapes: Shapes,
  family: Family,
  sensorWidth: number | null,
  assumed: string[],
): { fusion: Fusion; visionDim: number; sensorDim: number } {
  if (family === "no-sensor") {
    const visionDim = size(shapes, "action_expert.context_proj.0.weight", 1) ?? 0;
    return { fusion: "none", visionDim, sensorDim: 0 };
  }
  const joint = jointFusion(shapes);
  if (joint !== null) {
    return {
      fusion: joint,
      visionDim: size(shapes, "action_expert.vl_proj.weight", 1) ?? 0,
      sensorDim: size(shapes, "action_expert.sensor_proj.weight", 1) ?? 0,
    };
  }
  const output = family === "regression" ? "fusion_proj" : "cond_proj";
  const inputs = size(shapes, `action_expert.${output}.weight`, 1) ?? 0;
  const isKnown = (width: number) => VISION_WIDTHS.includes(width);
  const visionAlone = { fusion: "none", visionDim: inputs, sensorDim: 0 } as const;
  if (sensorWidth === null) {
    if (inputs <= 2048) return visionAlone;
    assumed.push(...OPEN_FUSION);
    // Two features in one projection: the sensor encoder is not there.
    return isKnown(inputs)
      ? visionAlone
      : { fusion: "concat", visionDim: 2048, sensorDim: inputs - 2048 };
  }
  const visionDim = inputs - sensorWidth;
  if (visionDim <= 0) return visionAlone;
  if (!isKnown(visionDim) || isKnown(inputs)) assumed.push(...OPEN_FUSION);
  return isKnown(inputs) && !isKnown(visionDim)
    ? visionAlone
    : { fusion: "concat", visionDim, sensorDim: sensorWidth };
}

function referenceEncoder(shapes: Shapes, assumed: string[]) {
  const name = "sensor_encoder.conv_backbone";
  const [hiddenDim, inputChannels] = shapes.get(`${name}.0.weight`) ?? [];
  const outputDim = size(shapes, "sensor_encoder.projection.4.weight", 0);
  if (hiddenDim === undefined || inputChannels === undefined || outputDim === undefined) {
    return null;
  }
  let convLayers = 1;
  while (shapes.has(`${name}.${4 * convLayers}.weight`)) convLayers++;
  assumed.push("sensorEncoder.interpolation");
  return {
    ...{ inputChannels, hiddenDim, outputDim, convLayers, interpolation: "linear" },
    ...encoderRest(shapes, hiddenDim * (convLayers > 1 ? 2 : 1), assumed),
  };
}

function trocarEncoder(shapes: Shapes, assumed: string[]) {
  const [force] = shapes.get("sensor_encoder.force_stem.weight") ?? [];
  const [, others] = shapes.get("sensor_encoder.aline_stem.weight") ?? [];
  const hiddenDim = size(shapes, "sensor_encoder.norm.0.weight", 0);
  const outputDim = size(shapes, "sensor_encoder.projection.4.weight", 0);
  if (!force || others === undefined || hiddenDim === undefined || outputDim === undefined) {
    return null;
  }
  let convLayers = 1;
  while (shapes.has(`sensor_encoder.conv.${convLayers}.weight`)) convLayers++;
  assumed.push("sensorEncoder.missingRate", "sensorEncoder.pooling");
  return {
    pooling: 1,
    ...{ inputChannels: others + 1, hiddenDim, outputDim, convLayers, groups: hiddenDim / force },
    ...{ ...encoderRest(shapes, hiddenDim * (convLayers > 1 ? 2 : 1), assumed), missingRate: 0.1 },
  };
}

function encoderRest(shapes: Shapes, width: number, assumed: string[]) {
  assumed.push(...["temporalLength", "heads", "dropout"].map((name) => `sensorEncoder.${name}`));
  const transformerLayers = countLayers(shapes, "sensor_encoder.transformer");
  return { temporalLength: 65, transformerLayers, heads: likelyHeads(width), dropout: 0.1 };
}

function isStack(shapes: Shapes, name: string): boolean {
  return shapes.has(`${name}.layers.0.linear1.weight`);
}

function countLayers(shapes: Shapes, name: string): number {
  let layers = 0;
  while (shapes.has(`${name}.layers.${layers}.linear1.weight`)) layers++;
  return layers;
}

function size(shapes: Shapes, key: string, axis: number): number | undefined {
  return shapes.get(key)?.[axis];
}
