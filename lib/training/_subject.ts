import type { RunFolder } from "./run/run_folder.ts";
import type { CheckpointSubject } from "./checkpoints.ts";
import type { TrainingGroup } from "./groups.ts";
import type { TrainingJob } from "./job.ts";
import { lossOptions } from "./settings.ts";
import type { TrainingStepOptions } from "./step.ts";

/** The step of a job. */
export function stepOptions(
  job: TrainingJob,
  groups: readonly TrainingGroup[],
): TrainingStepOptions {
  const { config, parameters, settings, augment, cluster, precision = "float32" } = job;
  const { seed, accumulation, maxNorm, betas, emaDecay: ema } = settings;
  return {
    ...{ config, parameters, groups, seed, accumulation, maxNorm, betas, ema },
    loss: lossOptions(settings),
    compile: { precision },
    ...(augment === undefined ? {} : { augment }),
    ...(cluster === undefined ? {} : { cluster }),
  };
}

/** What all checkpoints of a job say. */
export function checkpointSubject(
  { config, trainingStage, settings, data, features }: TrainingJob,
  run: RunFolder,
  groups: readonly TrainingGroup[],
  total: number,
): CheckpointSubject {
  const { warmupRatio, holdRatio, minLearningRate, scheduleOn, seed, betas } = settings;
  return {
    ...{ config, trainingStage, features, seed },
    program: run.config.program,
    actionRepresentation: data.statistics.actionRepresentation,
    statisticsDigest: data.statistics.digest,
    splitDigest: data.split.digest,
    schedule: {
      ...{ type: "trapezoid", total, warmupRatio, holdRatio, minLearningRate, scheduleOn },
    },
    optimizer: {
      type: "AdamW",
      groups: groups.map(({ name, keys, learningRate: lr, weightDecay }) => ({
        ...{ name, keys },
        settings: {
          ...{ lr, initial_lr: lr, betas: [...betas], eps: 1e-8, weight_decay: weightDecay },
        },
      })),
    },
  };
}
