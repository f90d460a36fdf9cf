/** The training programs. */
import { RECIPES } from "../training/mod.ts";
import type { TrainingProgram } from "./program.ts";
import {
  ASYNC_FLAGS,
  COMMON_FLAGS,
  DIFFUSION_FLAGS,
  REGRESSION_FLAGS,
  SENSOR_FLAGS,
} from "./flags.ts";
import { STAGE2_FLAGS, STAGE_FLAGS } from "./stage_flags.ts";

const GOES_ON =
  `The same command again goes on with an unfinished run of the same settings and ends with the same
policy bit for bit. Ctrl-C writes a checkpoint first. Everything is in the run's folder:
config.json, metrics.jsonl, TensorBoard events, split.json, checkpoints, summary.json, report.html.
Several processes train together with: deno task launch --processes 2 -- train:…`;

const ownData = (name: string) =>
  `Without --data it makes simulated recordings, preprocesses them, computes their features,
trains, evaluates and lets the policy insert in the simulator; a second call finds all but the
training done. With --data it trains on your episodes, whose features must be in the cache:
  deno task preprocess --data recordings --output episodes
  deno task cache:build --data episodes
  deno task ${name} --data episodes
${GOES_ON}`;

/** What programs of a family have in common. */
type Common = Pick<
  TrainingProgram,
  "family" | "hasSensor" | "visionReuse" | "sensorRows" | "recipe" | "demonstration"
>;

const REGRESSION: Common = {
  family: "regression",
  hasSensor: true,
  visionReuse: 1,
  sensorRows: { data: 65, demonstration: 65 },
  recipe: () => ({}),
  demonstration: { epochs: 40 },
};

const DIFFUSION: Common = {
  family: "diffusion",
  hasSensor: true,
  visionReuse: 1,
  sensorRows: { data: 650, demonstration: 65 },
  recipe: (_, architecture) => ({
    epochs: 20,
    loss: "mse",
    ...(architecture === "reference" ? { betas: [0.9, 0.95], dimensionWeights: null } : {}),
  }),
  demonstration: { epochs: 40 },
};

const POLICY = { ...COMMON_FLAGS, ...SENSOR_FLAGS };

/** The policy of stage 1: sensor encoder and action expert on cached features. */
export const STAGE1: TrainingProgram = {
  ...REGRESSION,
  name: "train:stage1",
  stage: "stage1",
  checkpoints: "stage1",
  secondStage: "train:stage2",
  summary: "Trains sensor encoder and action expert on cached visual-language features.",
  details: ownData("train:stage1"),
  flags: { ...POLICY, ...REGRESSION_FLAGS, ...STAGE_FLAGS },
};

/** Stage 1 of a policy that predicts by taking noise away. */
export const DIFFUSION_STAGE1: TrainingProgram = {
  ...DIFFUSION,
  name: "train:diffusion",
  stage: "stage1",
  checkpoints: "diffusion",
  secondStage: "train:diffusion:stage2",
  summary: "Trains a diffusion policy on cached visual-language features.",
  details: `It learns to tell the noise that was mixed into a chunk of actions (DDPM); validation is
the error of that on fixed noise, evaluation samples chunks (DDIM, 10 steps).
${ownData("train:diffusion")}`,
  flags: { ...POLICY, ...DIFFUSION_FLAGS, ...STAGE_FLAGS },
};

/** A policy that acts on visual features of a while ago. */
export const ASYNC: TrainingProgram = {
  ...REGRESSION,
  name: "train:async",
  stage: "stage1",
  checkpoints: "async",
  visionReuse: 3,
  secondStage: null,
  summary: "Trains a policy for a visual-language model that is slower than the control loop.",
  details:
    `Each visual feature serves --vlm-reuse-count control ticks of 100 ms of the same trajectory,
with the sensor window of each tick: as on the robot, where the model needs that long.
${ownData("train:async")}`,
  flags: {
    ...POLICY,
    ...REGRESSION_FLAGS,
    ...ASYNC_FLAGS,
    ...without(STAGE_FLAGS, "trainingStage"),
  },
};

/** Sensor encoder and action expert, whatever stage. */
export const ENCODER_ACTION: TrainingProgram = {
  ...REGRESSION,
  name: "train:encoder-action",
  stage: "stage1",
  checkpoints: "encoder-action",
  secondStage: null,
  summary: "Trains sensor encoder and action expert with one learning rate; nothing else, ever.",
  details: ownData("train:encoder-action"),
  flags: { ...POLICY, ...REGRESSION_FLAGS },
  recipe: () => ({ learningRate: 5e-4, sensorLearningRate: 5e-4 }),
};

/** A policy that only sees. */
export const NO_SENSOR: TrainingProgram = {
  ...REGRESSION,
  name: "train:no-sensor",
  stage: "stage1",
  checkpoints: "no-sensor",
  hasSensor: false,
  secondStage: null,
  summary: "Trains a policy that has no sensor.",
  details: `It cannot feel how deep the needle is: what it lacks is what the sensor is worth.
${ownData("train:no-sensor")}`,
  flags: { ...COMMON_FLAGS, ...REGRESSION_FLAGS },
};

const second = (name: string) =>
  `It begins with the policy of a first stage, --stage1-checkpoint, which stays as it is: moments,
schedule and files are new. Of a run it takes the best checkpoint, and says what its validation loss
is before the first step. --finetune-vl none trains that policy further on cached features, on
other data for instance; lora and full train the visual-language model with it, from images in
every step, which no cached feature can follow:
  deno task ${name} --data episodes --features qwen2.5-vl-3b --model DIR \\
    --stage1-checkpoint runs/<run>
lora adds matrices of rank 16 to the attention of the text decoder. --lora-targets with the seven
names q_proj k_proj v_proj o_proj gate_proj up_proj down_proj also hits the MLPs of the vision
tower, whose layers have the last three names, too; a regular expression keeps to the text:
  --lora-targets '.*language_model\\..*\\.(q|k|v|o|gate|up|down)_proj'
Checkpoints hold what was trained and name the model by its digest; the run's folder adapter is one
that peft loads. --no-recompute keeps all intermediate values: faster, with more memory.
${GOES_ON}`;

/** What is learnt already should not be forgotten: a third of the rate, for fewer epochs. */
function gentle({ recipe }: Common): Pick<TrainingProgram, "recipe" | "demonstration"> {
  return {
    recipe: (preset, architecture) => {
      const usual = { ...RECIPES[preset], ...recipe(preset, architecture) };
      const { learningRate, sensorLearningRate } = usual;
      return {
        ...usual,
        learningRate: learningRate / 3,
        sensorLearningRate: sensorLearningRate / 3,
        epochs: 10,
      };
    },
    demonstration: {},
  };
}

/** Stage 2 of {@linkcode STAGE1}. */
export const STAGE2: TrainingProgram = {
  ...REGRESSION,
  name: "train:stage2",
  stage: "stage2",
  checkpoints: "stage2",
  secondStage: null,
  summary: "Trains the policy of a first stage further, with the visual-language model or without.",
  details: second("train:stage2"),
  flags: { ...POLICY, ...REGRESSION_FLAGS, ...STAGE2_FLAGS },
  ...gentle(REGRESSION),
};

/** Stage 2 of {@linkcode DIFFUSION_STAGE1}. */
export const DIFFUSION_STAGE2: TrainingProgram = {
  ...DIFFUSION,
  name: "train:diffusion:stage2",
  stage: "stage2",
  checkpoints: "diffusion-stage2",
  secondStage: null,
  summary: "Trains the diffusion policy of a first stage further.",
  details: second("train:diffusion:stage2"),
  flags: { ...POLICY, ...DIFFUSION_FLAGS, ...STAGE2_FLAGS },
  ...gentle(DIFFUSION),
};

/** All of them, by their tasks' names. */
export const PROGRAMS: Readonly<Record<string, TrainingProgram>> = Object.fromEntries(
  [STAGE1, STAGE2, DIFFUSION_STAGE1, DIFFUSION_STAGE2, ASYNC, ENCODER_ACTION, NO_SENSOR]
    .map((program) => [program.name, program]),
);

function without<T extends object, K extends keyof T>(all: T, key: K): Omit<T, K> {
  const { [key]: _, ...rest } = all;
  return rest;
}
