import { kebab } from "../cli/_kebab.ts";
import { UsageError } from "../cli/mod.ts";
import {
  type Fusion,
  type PolicyConfig,
  preset,
  type PresetName,
  validateConfig,
} from "../policies/mod.ts";
import type { TrainingSettings } from "../training/mod.ts";
import { LEGACY_FLAGS, type TrainingValues } from "./flags.ts";
import type { TrainingProgram } from "./program.ts";
import type { ResumedBatch } from "./resume.ts";
import { settingsOf } from "./_settings_of.ts";
import { type VisionUse, visionUse } from "./vision_use.ts";
import {
  type Finetune,
  finetuneOf,
  TUNED_DEMONSTRATION,
  tuningOf,
  type VisualTuning,
} from "./visual_tuning.ts";

/** What flags mean together. */
export interface ResolvedTraining {
  /** Size of the policy. */
  readonly preset: PresetName;
  /** How it is trained. */
  readonly settings: TrainingSettings;
  /** The policy, once the width of the visual tokens is known. */
  readonly policy: (visionDim: number) => PolicyConfig;
  /** Sensor rows of a sample; null for policies without a sensor. */
  readonly sensorRows: number | null;
  /** Actions of a chunk. */
  readonly horizon: number;
  /** How visual features are used. */
  readonly vision: VisionUse;
  /** What of the visual-language model is trained. */
  readonly finetune: Finetune;
  /** How it is trained; null where nothing of it is. */
  readonly tuning: VisualTuning | null;
  /** Checkpoint whose policy the training begins with; null for a new policy. */
  readonly beginsWith: string | null;
  /** What the user should know. */
  readonly warnings: readonly string[];
}

/** Sensor rows per second. */
const SENSOR_HZ = 650;
/** Values of a sensor row: force, then the A-line. */
const SENSOR_CHANNELS = 1026;

/** Flags of the Python reference's programs that have nothing to do here. */
const WITHOUT_EFFECT = ["imageResizeHeight", "imageResizeWidth", "numWorkers"] as const;

/** What a training depends on besides its flags. */
export interface Circumstances {
  /** Processes that train together. @default {1} */
  readonly processes?: number;
  /** The policy that it begins with. @default {a new one} */
  readonly beginning?: { readonly config: PolicyConfig } | null;
  /** Batch of the run that goes on; its processes may have been others. @default {a new run} */
  readonly resumed?: ResumedBatch | null;
}

/**
 * What the flags of a training program mean together.
 *
 * @param program whose flags
 * @param values of the flags
 * @param circumstances processes, policy to begin with, run to go on with
 * @returns policy, settings and warnings
 * @throws {UsageError} when flags contradict each other
 */
export function resolveTraining(
  program: TrainingProgram,
  values: TrainingValues,
  { processes = 1, beginning = null, resumed = null }: Circumstances = {},
): ResolvedTraining {
  const warnings: string[] = [];
  expectStage(program, values);
  const finetune = finetuneOf(program, values, warnings);
  const beginsWith = beginningOf(program, values, warnings);
  for (const name of WITHOUT_EFFECT) {
    if (values[name] !== undefined) {
      warnings.push(`--${kebab(name)} has ${LEGACY_FLAGS[name].summary}.`);
    }
  }
  if (values.sensorLossWeight === 0) {
    throw new UsageError(
      "Cannot use --sensor-loss-weight 0: it should be above 0, or samples with a sensor would not " +
        "count at all. To train without the sensor use --no-sensor.",
    );
  }
  const fusion = fusionOf(program, values);
  const rows = sensorRowsOf(program, values);
  const suited = finetune === "none" ? program.demonstration : TUNED_DEMONSTRATION;
  const demonstration = values.data.length === 0 ? suited : null;
  const settings = settingsOf(program, values, { demonstration, processes, resumed });
  const { epochSamples, batchSize, accumulation } = settings;
  const effective = batchSize * accumulation * processes;
  if (epochSamples !== null && epochSamples % effective !== 0) {
    warnings.push(
      `--epoch-samples ${epochSamples} becomes ${
        effective * Math.max(1, Math.floor(epochSamples / effective))
      }: whole steps of ${effective} samples (--batch-size × --grad-accum-steps${
        processes > 1 ? ` × ${processes} processes` : ""
      }).`,
    );
  }
  return {
    ...{ preset: values.preset, settings, finetune, beginsWith, warnings },
    tuning: tuningOf(finetune, values, warnings),
    policy: (visionDim) => beginning?.config ?? policyOf(program, values, visionDim),
    sensorRows: fusion === "none" ? null : rows,
    horizon: values.horizon,
    vision: visionUse(program, values),
  };
}

/**
 * Milliseconds of so many sensor rows.
 *
 * @param rows of a window
 * @returns ms
 */
export function sensorMilliseconds(rows: number): number {
  return 1000 * rows / SENSOR_HZ;
}

/** The policy that flags describe. */
export function policyOf(
  program: TrainingProgram,
  values: TrainingValues,
  visionDim: number,
): PolicyConfig {
  const { family } = program, { architecture, horizon, diffusionTimesteps } = values;
  const fusion = fusionOf(program, values), rows = sensorRowsOf(program, values);
  // The reference has a network of its own for policies that never had a sensor.
  const isOriginal = architecture === "reference" && fusion === "none" && family === "regression";
  const config = preset(
    values.preset,
    {
      ...{ architecture, fusion, visionDim, temporalLength: rows, horizon },
      family: isOriginal ? "no-sensor" : family,
      ...(diffusionTimesteps === undefined ? {} : { timesteps: diffusionTimesteps }),
    } as Parameters<typeof preset>[1],
  ) as PolicyConfig;
  return withSensorWidth(config, values.sensorOutputDim);
}

/** Guides call one script for both stages; here each is a program. */
function expectStage(program: TrainingProgram, { trainingStage }: TrainingValues): void {
  if (trainingStage === undefined || trainingStage === program.stage) return;
  if (trainingStage === "stage1") {
    throw new UsageError(
      `Cannot train stage 1 with ${program.name}: use deno task ${
        program.name === "train:stage2" ? "train:stage1" : "train:diffusion"
      }.`,
    );
  }
  throw new UsageError(
    `Cannot train stage 2 with ${program.name}: use deno task ${program.secondStage}. ` +
      STAGE1_MISSING,
  );
}

const STAGE1_MISSING = "Stage 2 training requires --stage1-checkpoint";

/** The checkpoint that a training begins with. */
function beginningOf(
  { stage, name, flags }: TrainingProgram,
  { stage1Checkpoint, allowScratchStage2 }: TrainingValues,
  warnings: string[],
): string | null {
  if (stage === "stage2" && stage1Checkpoint === undefined) {
    if (allowScratchStage2 === true) {
      warnings.push("Stage 2 begins with a new policy: no first stage trained it.");
      return null;
    }
    throw new UsageError(
      `${STAGE1_MISSING}: the run of a first stage, one of its checkpoints, or a .pt file. ` +
        "To begin without one use --allow-scratch-stage2.",
    );
  }
  if (stage === "stage2" && allowScratchStage2 === true) {
    throw new UsageError(
      "Cannot use --allow-scratch-stage2 with --stage1-checkpoint: leave one of them out.",
    );
  }
  // Programs without stages may begin with the policy of stage 1; a first stage may not.
  const takesOne = stage === "stage2" || !("trainingStage" in flags);
  if (stage1Checkpoint !== undefined && !takesOne) {
    warnings.push(`--stage1-checkpoint has no effect in stage 1 (${name}).`);
    return null;
  }
  return stage1Checkpoint ?? null;
}

function sensorRowsOf(
  { sensorRows }: TrainingProgram,
  values: TrainingValues,
): number {
  const usual = values.data.length === 0 ? sensorRows.demonstration : sensorRows.data;
  const rows = values.sensorWindowSize ?? usual;
  const { sensorTemporalLength = rows, sensorInputChannels = SENSOR_CHANNELS } = values;
  if (sensorTemporalLength !== rows) {
    throw new UsageError(
      `Cannot use --sensor-temporal-length ${sensorTemporalLength} with --sensor-window-size ${rows}: ` +
        "the encoder takes the window as it is, rows squeezed to another number would change the " +
        "time base. Give both the same value.",
    );
  }
  if (sensorInputChannels !== SENSOR_CHANNELS) {
    throw new UsageError(
      `Expected ${SENSOR_CHANNELS} channels, got ${sensorInputChannels}: a sensor row is force and ` +
        "1025 depths. Leave --sensor-input-channels out.",
    );
  }
  return rows;
}

function fusionOf(
  { hasSensor }: TrainingProgram,
  { fusionStrategy, noSensor, sensorEnabled }: TrainingValues,
): Fusion {
  if (!hasSensor) return "none";
  if (noSensor && sensorEnabled) {
    throw new UsageError("Cannot use --no-sensor with --sensor-enabled: leave one of them out.");
  }
  if (noSensor && fusionStrategy !== undefined && fusionStrategy !== "none") {
    throw new UsageError(
      `Cannot use --no-sensor with --fusion-strategy ${fusionStrategy}: leave one of them out.`,
    );
  }
  if (sensorEnabled && fusionStrategy === "none") {
    throw new UsageError(
      "Cannot use --sensor-enabled with --fusion-strategy none: leave one of them out.",
    );
  }
  return noSensor ? "none" : fusionStrategy ?? "concat";
}

function withSensorWidth(config: PolicyConfig, width: number | undefined): PolicyConfig {
  if (width === undefined || config.sensorEncoder === null) return config;
  const changed = {
    ...config,
    sensorEncoder: { ...config.sensorEncoder, outputDim: width },
    actionExpert: { ...config.actionExpert, sensorDim: width },
  } as PolicyConfig;
  validateConfig(changed);
  return changed;
}
