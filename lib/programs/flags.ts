import {
  choiceFlag,
  engineFlag,
  type Flag,
  integerFlag,
  listFlag,
  numberFlag,
  seedFlag,
  switchFlag,
  textFlag,
} from "../cli/mod.ts";
import { FEATURE_EXTRACTORS } from "../features/mod.ts";
import { FUSIONS, PRESETS } from "../policies/mod.ts";

/** Data, samples, features. */
export const DATA_FLAGS = {
  data: listFlag(
    "episodes, preprocessed recordings, folders of them, or wildcards; without it the simulated demonstration",
    { placeholder: "ROOT" },
  ),
  valSplit: numberFlag("share of each task's episodes that validates", {
    default: 0.1,
    min: 0.001,
    max: 0.999,
  }),
  weights: listFlag("weights of collections, NAME=WEIGHT or a JSON file", {
    placeholder: "NAME=N",
    defaultText: "3 New_dataset, 2 White_silicone_… and Needle_insertion_…, 1 others",
  }),
  priorityMode: choiceFlag(
    "weight is the probability of a collection, or how often its samples are repeated",
    ["probability", "duplicate"],
    { default: "probability" },
  ),
  features: choiceFlag("visual features", Object.keys(FEATURE_EXTRACTORS), {
    default: "pixel-2048",
  }),
  views: listFlag("cameras in the order in which the policy sees them", {
    placeholder: "VIEW",
    defaultText: "those of the features",
  }),
  import: textFlag("mapping of the files that --features imported takes", { placeholder: "FILE" }),
  cache: textFlag("folder of the feature cache", {
    placeholder: "DIR",
    defaultText: "features in trocar's cache folder",
  }),
  horizon: integerFlag("actions of a chunk", { default: 8, min: 1, max: 64 }),
  sensorWindowSize: integerFlag("sensor rows of a sample, 650 per second", {
    default: 65,
    min: 2,
    max: 6500,
  }),
  demoEpisodes: integerFlag("simulated training episodes, without --data", {
    min: 2,
    max: 400,
    defaultText: "those of the demonstration",
  }),
};

/** The policy. */
export const POLICY_FLAGS = {
  preset: choiceFlag("size of the policy", PRESETS, { default: "tiny" }),
  architecture: choiceFlag(
    "the corrected design, or that of the Python reference",
    ["trocar", "reference"],
    { default: "trocar" },
  ),
  fusionStrategy: choiceFlag("how vision and sensor are joined", FUSIONS, {
    defaultText: "concat",
  }),
  noSensor: switchFlag("a policy without sensor, the same as --fusion-strategy none"),
  sensorEnabled: switchFlag("a policy with sensor; that is the default"),
  sensorTemporalLength: integerFlag("sensor rows that the encoder takes", {
    min: 2,
    defaultText: "--sensor-window-size",
  }),
  sensorInputChannels: integerFlag("values of a sensor row", { default: 1026, min: 2 }),
  sensorOutputDim: integerFlag("width of the sensor's features", {
    min: 1,
    defaultText: "the preset's",
  }),
};

/** The optimisation. */
export const OPTIMISER_FLAGS = {
  epochs: integerFlag("passes over the training samples, in all", {
    min: 1,
    defaultText: "100; the demonstration's without --data",
  }),
  batchSize: integerFlag("samples of a micro-batch", { min: 1, defaultText: "the preset's" }),
  gradAccumSteps: integerFlag("micro-batches of an optimiser step", {
    min: 1,
    defaultText: "the preset's",
  }),
  epochSamples: integerFlag("samples of an epoch", { min: 1, defaultText: "as many as there are" }),
  lr: numberFlag("peak learning rate of the action expert", {
    min: 0,
    defaultText: "the preset's",
  }),
  sensorLr: numberFlag("peak learning rate of the sensor encoder", {
    min: 0,
    defaultText: "the preset's",
  }),
  minLr: numberFlag("learning rate at the end", { min: 0, defaultText: "the preset's" }),
  warmupRatio: numberFlag("share of the steps in which the learning rate rises", {
    min: 0,
    max: 1,
    defaultText: "the preset's",
  }),
  holdRatio: numberFlag("share of the steps in which it then stays", {
    min: 0,
    max: 1,
    defaultText: "the preset's",
  }),
  schedOn: choiceFlag("whether the learning rate changes each step or each epoch", [
    "step",
    "epoch",
  ], { default: "step" }),
  weightDecay: numberFlag("decoupled weight decay", { default: 0.01, min: 0 }),
  loss: choiceFlag("error of a normalised action", ["smooth-l1", "mse"], { default: "smooth-l1" }),
  lossNorm: choiceFlag(
    "what weighted errors are divided by: the whole effective batch, each micro-batch as in the Python reference, or the number of samples",
    ["global", "batch", "none"],
    { default: "global" },
  ),
  sensorLossWeight: numberFlag("how much more a sample with sensor counts", { default: 2, min: 0 }),
  zChunk: choiceFlag(
    "gt repeats the Python reference's mistake: the policy is shown the answer while it learns",
    ["zeros", "gt"],
    { default: "zeros" },
  ),
  noAugment: switchFlag("features as they are, without changes of light"),
  ema: numberFlag("decay of an average of the parameters, which is then validated and used", {
    min: 0,
    max: 0.99999,
  }),
  earlyStopPatience: integerFlag("epochs without improvement after which training stops, 0 never", {
    default: 0,
    min: 0,
  }),
};

/** The run. */
export const RUN_FLAGS = {
  run: textFlag("folder of the run, new or unfinished", {
    placeholder: "DIR",
    defaultText: "a new one in --runs",
  }),
  runs: textFlag("folder of all runs", { placeholder: "DIR", default: "runs" }),
  resume: textFlag(
    "run that goes on from its latest state; flags that are not given are those it was made with",
    { placeholder: "RUN" },
  ),
  noResume: switchFlag("begin anew even if an unfinished run has the same settings"),
  noClosedLoop: switchFlag("no simulated insertions after training on the demonstration"),
  engine: engineFlag(),
  precision: choiceFlag("of matrix products", ["f32", "bf16"], { default: "f32" }),
  seed: seedFlag(),
};

/** Flags of later stages that the guides' commands carry along; a first stage has no use for them. */
export const STAGE_FLAGS = {
  mode: choiceFlag("train, or only build the features", ["train", "cache"], { default: "train" }),
  trainingStage: choiceFlag("this program is stage1", ["stage1", "stage2"], { default: "stage1" }),
  finetuneVl: choiceFlag("stage 1 trains nothing of the visual-language model", [
    "none",
    "lora",
    "full",
  ], { defaultText: "none" }),
  stage1Checkpoint: textFlag("for stage 2 only", { placeholder: "PATH" }),
  vlLr: numberFlag("for stage 2 only", { min: 0 }),
  visionLr: numberFlag("for stage 2 only", { min: 0 }),
  loraR: integerFlag("for stage 2 only", { min: 1 }),
  loraAlpha: integerFlag("for stage 2 only", { min: 1 }),
  loraDropout: numberFlag("for stage 2 only", { min: 0, max: 1 }),
  unfreezeLastN: integerFlag("for stage 2 only", { min: 0 }),
  imageResizeHeight: integerFlag("features choose their own size", { min: 1 }),
  imageResizeWidth: integerFlag("features choose their own size", { min: 1 }),
  numWorkers: integerFlag("batches are always read ahead", { min: 0 }),
};

/** All flags of `train:stage1`. */
export const STAGE1_FLAGS = {
  ...DATA_FLAGS,
  ...POLICY_FLAGS,
  ...OPTIMISER_FLAGS,
  ...RUN_FLAGS,
  ...STAGE_FLAGS,
};

/** Other names of these flags. */
export const TRAINING_ALIASES = {
  datasetDir: "data",
  fusion: "fusionStrategy",
  gradAccum: "gradAccumSteps",
  learningRate: "lr",
  emaDecay: "ema",
} as const;

/** Values of flags. */
export type ValuesOf<F extends Readonly<Record<string, Flag<unknown>>>> = {
  readonly [K in keyof F]: F[K] extends Flag<infer T> ? T : never;
};

/** Values of {@linkcode STAGE1_FLAGS}. */
export type Stage1Values = ValuesOf<typeof STAGE1_FLAGS>;
