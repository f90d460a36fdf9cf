import type { RunFolder } from "./run/run_folder.ts";
import type { CheckpointSubject } from "./checkpoints.ts";
import { parameterGroups, type TrainingGroup, visualGroups } from "./groups.ts";
import type { TrainingJob } from "./job.ts";
import { lossOptions } from "./settings.ts";
import type { TrainingStepOptions } from "./step.ts";

/** What a job trains. */
export function trainedGroups({ config, settings, visual }: TrainingJob): TrainingGroup[] {
  const { weightDecay } = settings;
  return [
    ...parameterGroups(config, settings),
    ...(visual == null ? [] : visualGroups(visual.model.tensors, { weightDecay, ...visual })),
  ];
}

/** The step of a job. */
export function stepOptions(
  job: TrainingJob,
  groups: readonly TrainingGroup[],
): TrainingStepOptions {
  const { config, parameters, settings, augment, cluster, precision = "float32" } = job;
  const visual = job.visual?.model ?? null;
  const { seed, accumulation, maxNorm, betas, emaDecay: ema } = settings;
  return {
    ...{ config, parameters, groups, seed, accumulation, maxNorm, betas, ema, visual },
    loss: lossOptions(settings),
    compile: { precision },
    ...(augment === undefined ? {} : { augment }),
    ...(cluster === undefined ? {} : { cluster }),
  };
}

/** What all checkpoints of a job say. */
export function checkpointSubject(
  { config, trainingStage, settings, data, features, visual }: TrainingJob,
  run: RunFolder,
  groups: readonly TrainingGroup[],
  total: number,
): CheckpointSubject {
  const { warmupRatio, holdRatio, minLearningRate, scheduleOn, seed, betas } = settings;
  const stored = new Map(visual?.model.tensors.map(({ key, stored }) => [key, stored]));
  return {
    ...{ config, trainingStage, features, seed },
    visual: visual?.model.description ?? null,
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
        ...{ name, keys: keys.map((key) => stored.get(key) ?? key) },
        settings: {
          ...{ lr, initial_lr: lr, betas: [...betas], eps: 1e-8, weight_decay: weightDecay },
        },
      })),
    },
  };
}
