import { kebab } from "../cli/_kebab.ts";
import { UsageError } from "../cli/mod.ts";
import { type PolicyConfig, preset, type PresetName, validateConfig } from "../policies/mod.ts";
import { type TrainingSettings, trainingSettings } from "../training/mod.ts";
import { type Stage1Values, STAGE_FLAGS } from "./flags.ts";

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
  /** What the user should know. */
  readonly warnings: readonly string[];
}

/** Sensor rows per second. */
const SENSOR_HZ = 650;
/** Values of a sensor row: force, then the A-line. */
const SENSOR_CHANNELS = 1026;

/** Flags that mean something to stage 2 only. */
const STAGE2_ONLY = [
  "stage1Checkpoint",
  "vlLr",
  "visionLr",
  "loraR",
  "loraAlpha",
  "loraDropout",
  "unfreezeLastN",
] as const;

/** Flags of the Python reference's programs that have nothing to do here. */
const WITHOUT_EFFECT = ["imageResizeHeight", "imageResizeWidth", "numWorkers"] as const;

/**
 * What the flags of `train:stage1` mean together.
 *
 * @param values of the flags
 * @param defaults settings that hold where no flag says otherwise
 * @returns policy, settings and warnings
 * @throws {UsageError} when flags contradict each other
 */
export function resolveStage1(
  values: Stage1Values,
  defaults: Partial<TrainingSettings> = {},
): ResolvedTraining {
  const warnings: string[] = [];
  if (values.trainingStage === "stage2") {
    throw new UsageError(
      "Cannot train stage 2 with train:stage1: use deno task train:stage2. " +
        "Stage 2 training requires --stage1-checkpoint",
    );
  }
  if (values.finetuneVl !== undefined && values.finetuneVl !== "none") {
    warnings.push("Stage 1 should use finetune-vl=none. Overriding to 'none'.");
  }
  for (const name of STAGE2_ONLY) {
    if (values[name] !== undefined) warnings.push(`--${kebab(name)} has no effect in stage 1.`);
  }
  for (const name of WITHOUT_EFFECT) {
    if (values[name] !== undefined) {
      warnings.push(`--${kebab(name)} has no effect: ${STAGE_FLAGS[name].summary}.`);
    }
  }
  if (values.sensorLossWeight === 0) {
    throw new UsageError(
      "Cannot use --sensor-loss-weight 0: it should be above 0, or samples with a sensor would not " +
        "count at all. To train without the sensor use --no-sensor.",
    );
  }
  const fusion = fusionOf(values);
  const rows = values.sensorWindowSize;
  const { sensorTemporalLength = rows, sensorInputChannels } = values;
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
  const policy = (visionDim: number) => {
    const config = preset(values.preset, {
      ...{ architecture: values.architecture, fusion, visionDim },
      ...{ temporalLength: rows, horizon: values.horizon },
    }) as PolicyConfig;
    return withSensorWidth(config, values.sensorOutputDim);
  };
  const settings = settingsOf(values, defaults);
  const { epochSamples, batchSize, accumulation } = settings;
  const effective = batchSize * accumulation;
  if (epochSamples !== null && epochSamples % effective !== 0) {
    warnings.push(
      `--epoch-samples ${epochSamples} becomes ${
        effective * Math.max(1, Math.floor(epochSamples / effective))
      }: whole steps of ${effective} samples (--batch-size × --grad-accum-steps).`,
    );
  }
  return {
    preset: values.preset,
    settings,
    policy,
    sensorRows: fusion === "none" ? null : rows,
    warnings,
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

function fusionOf({ fusionStrategy, noSensor, sensorEnabled }: Stage1Values) {
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

function settingsOf(values: Stage1Values, defaults: Partial<TrainingSettings>): TrainingSettings {
  const given: { -readonly [K in keyof TrainingSettings]?: TrainingSettings[K] | undefined } = {
    seed: values.seed,
    epochs: values.epochs,
    batchSize: values.batchSize,
    accumulation: values.gradAccumSteps,
    learningRate: values.lr,
    sensorLearningRate: values.sensorLr,
    minLearningRate: values.minLr,
    warmupRatio: values.warmupRatio,
    holdRatio: values.holdRatio,
    scheduleOn: values.schedOn,
    weightDecay: values.weightDecay,
    loss: values.loss,
    lossNormalisation: values.lossNorm,
    sensorLossWeight: values.sensorLossWeight,
    chunk: values.zChunk === "gt" ? "truth" : "zeros",
    emaDecay: values.ema,
    earlyStopPatience: values.earlyStopPatience,
    epochSamples: values.epochSamples,
    // The reference weighs all dimensions the same, and its `mse` stands for its recipe.
    dimensionWeights: values.loss === "mse" ? null : undefined,
  };
  const known = Object.fromEntries(
    Object.entries(given).filter(([, value]) => value !== undefined),
  ) as Partial<TrainingSettings>;
  try {
    return trainingSettings(values.preset, { ...defaults, ...known });
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(error.message);
    throw error;
  }
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
