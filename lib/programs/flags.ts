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
import { CACHE_MODE, MODEL_FLAGS } from "./feature_flags.ts";
import { SAMPLING_FLAGS } from "./sampling_flags.ts";
import { STAGE2_FLAGS } from "./stage_flags.ts";

/** Data, samples, features. */
export const DATA_FLAGS = {
  data: listFlag(
    "episodes, preprocessed recordings, folders of them, or wildcards; without it the simulated demonstration",
    { placeholder: "ROOT" },
  ),
  valSplit: numberFlag("share of each task's episodes that validates; 0 validates on none", {
    default: 0.1,
    min: 0,
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
  ...MODEL_FLAGS,
  import: textFlag("mapping of the files that --features imported takes", { placeholder: "FILE" }),
  cache: textFlag("folder of the feature cache", {
    placeholder: "DIR",
    defaultText: "features in trocar's cache folder",
  }),
  cacheMode: CACHE_MODE,
  horizon: integerFlag("actions of a chunk", { default: 8, min: 1, max: 64 }),
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
};

/** The sensor, of programs that have one. */
export const SENSOR_FLAGS = {
  fusionStrategy: choiceFlag("how vision and sensor are joined", FUSIONS, {
    defaultText: "concat",
  }),
  noSensor: switchFlag("a policy without sensor, the same as --fusion-strategy none"),
  sensorEnabled: switchFlag("a policy with sensor; that is the default"),
  sensorWindowSize: integerFlag("sensor rows of a sample, 650 per second", {
    min: 2,
    max: 6500,
    defaultText: "65; 650 of diffusion with --data",
  }),
  sensorTemporalLength: integerFlag("sensor rows that the encoder takes", {
    min: 2,
    defaultText: "--sensor-window-size",
  }),
  sensorInputChannels: integerFlag("values of a sensor row", { default: 1026, min: 2 }),
  sensorOutputDim: integerFlag("width of the sensor's features", {
    min: 1,
    defaultText: "the preset's",
  }),
  sensorLr: numberFlag("peak learning rate of the sensor encoder", {
    min: 0,
    defaultText: "the recipe's",
  }),
  sensorLossWeight: numberFlag("how much more a sample with sensor counts", { default: 2, min: 0 }),
};

/** The optimisation. */
export const OPTIMISER_FLAGS = {
  epochs: integerFlag("passes over the training samples, in all", {
    min: 1,
    defaultText: "the program's; the demonstration's without --data",
  }),
  batchSize: integerFlag("samples of a micro-batch, in each process", {
    min: 1,
    max: 65_536,
    defaultText: "the recipe's",
  }),
  gradAccumSteps: integerFlag("micro-batches of an optimiser step, in each process", {
    min: 1,
    max: 65_536,
    defaultText: "the recipe's",
  }),
  epochSamples: integerFlag("samples of an epoch", { min: 1, defaultText: "as many as there are" }),
  lr: numberFlag("peak learning rate of the action expert", {
    min: 0,
    defaultText: "the recipe's",
  }),
  minLr: numberFlag("learning rate at the end", { min: 0, defaultText: "the recipe's" }),
  warmupRatio: numberFlag("share of the steps in which the learning rate rises", {
    min: 0,
    max: 1,
    defaultText: "the recipe's",
  }),
  holdRatio: numberFlag("share of the steps in which it then stays", {
    min: 0,
    max: 1,
    defaultText: "the recipe's",
  }),
  schedOn: choiceFlag("whether the learning rate changes each step or each epoch", [
    "step",
    "epoch",
  ], { default: "step" }),
  weightDecay: numberFlag("decoupled weight decay", { default: 0.01, min: 0 }),
  betas: listFlag("decay rates of AdamW's two moments", {
    placeholder: "B",
    defaultText: "the recipe's",
  }),
  loss: choiceFlag("error of a normalised action; of diffusion, of what it predicts", [
    "smooth-l1",
    "mse",
  ], {
    defaultText: "the recipe's",
  }),
  lossNorm: choiceFlag(
    "what weighted errors are divided by: the whole effective batch, each micro-batch as in the Python reference, or the number of samples",
    ["global", "batch", "none"],
    { default: "global" },
  ),
  noAugment: switchFlag("features as they are, without changes of light"),
  ema: numberFlag(
    "decay of an average of the parameters, which is then validated and used; 0 keeps none",
    { min: 0, max: 0.99999, defaultText: "the recipe's" },
  ),
  earlyStopPatience: integerFlag("epochs without improvement after which training stops, 0 never", {
    default: 0,
    min: 0,
  }),
};

/** Programs whose policy predicts actions at once. */
export const REGRESSION_FLAGS = {
  zChunk: choiceFlag(
    "gt repeats the Python reference's mistake: the policy is shown the answer while it learns",
    ["zeros", "gt"],
    { default: "zeros" },
  ),
};

/** Programs whose policy takes noise away. */
export const DIFFUSION_FLAGS = {
  diffusionTimesteps: integerFlag("steps of the noise schedule", {
    default: 100,
    min: 2,
    max: 10_000,
  }),
  ...SAMPLING_FLAGS,
};

/** Programs that use a visual feature several times. */
export const ASYNC_FLAGS = {
  vlmReuseCount: integerFlag("control ticks of 100 ms that one visual feature serves", {
    min: 1,
    max: 100,
    defaultText: "3, or what --vlm-latency-ms needs",
  }),
  vlmLatencyMs: numberFlag(
    "measured time of the visual-language model, from which the count follows",
    {
      min: 0,
      max: 10_000,
    },
  ),
};

/** The run. */
export const RUN_FLAGS = {
  mode: choiceFlag("train, or only build the features", ["train", "cache"], { default: "train" }),
  dryRun: switchFlag(
    "print the plan, measured by a few steps, and train nothing; no run is written",
  ),
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
  exportPt: switchFlag("also write the checkpoints as .pt files with the Python reference's names"),
  wandb: switchFlag("also write the metrics as an offline run of Weights & Biases"),
  engine: engineFlag(),
  precision: choiceFlag("of matrix products", ["f32", "bf16"], { default: "f32" }),
  seed: seedFlag(),
};

/** Flags of the Python reference's programs that have nothing to do here. */
export const LEGACY_FLAGS = {
  imageResizeHeight: integerFlag("no effect: features choose their own size", { min: 1 }),
  imageResizeWidth: integerFlag("no effect: features choose their own size", { min: 1 }),
  numWorkers: integerFlag("no effect: batches are always read ahead", { min: 0 }),
};

/** Flags of all training programs. */
export const COMMON_FLAGS = {
  ...DATA_FLAGS,
  ...POLICY_FLAGS,
  ...OPTIMISER_FLAGS,
  ...RUN_FLAGS,
  ...LEGACY_FLAGS,
};

/** Other names of these flags. */
export const TRAINING_ALIASES = {
  datasetDir: "data",
  valRatio: "valSplit",
  cacheDir: "cache",
  gradAccum: "gradAccumSteps",
  learningRate: "lr",
  loraRank: "loraR",
  emaDecay: "ema",
} as const;

/** Values of flags. */
export type ValuesOf<F extends Readonly<Record<string, Flag<unknown>>>> = {
  readonly [K in keyof F]: F[K] extends Flag<infer T> ? T : never;
};

/** Values of flags that not every program has. */
type Some<F extends Readonly<Record<string, Flag<unknown>>>> = {
  readonly [K in keyof F]?: ValuesOf<F>[K] | undefined;
};

/** Values of the flags of a training program: those of its kind, and of the others none. */
export type TrainingValues =
  & ValuesOf<typeof COMMON_FLAGS>
  & Some<typeof SENSOR_FLAGS>
  & Some<typeof REGRESSION_FLAGS>
  & Some<typeof DIFFUSION_FLAGS>
  & Some<typeof ASYNC_FLAGS>
  & Some<typeof STAGE2_FLAGS>;
