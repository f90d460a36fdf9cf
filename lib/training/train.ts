import { type GroupShare, SequentialOrder, WeightedSampler } from "../datasets/mod.ts";
import { tf } from "../engine/mod.ts";
import type { JsonValue } from "../features/canonical_json.ts";
import type { PolicyConfig } from "../policies/mod.ts";
import { Clock } from "./_clock.ts";
import { batchTensors, microBatches } from "./_micro_batches.ts";
import { epochRecord, stepRecord } from "./_records.ts";
import { type CheckpointSubject, RunCheckpoints } from "./checkpoints.ts";
import type { TrainingData } from "./data.ts";
import { parameterGroups, type TrainingGroup } from "./groups.ts";
import { type LoadedBatch, Loader } from "./loader/mod.ts";
import { EventFile } from "./run/event_file.ts";
import { MetricsLog, type MetricsRecord } from "./run/metrics_log.ts";
import type { RunFolder } from "./run/run_folder.ts";
import { learningRates } from "./schedule.ts";
import { lossOptions, type TrainingSettings } from "./settings.ts";
import { createTrainingStep, type StepReport, type TrainingStepOptions } from "./step.ts";
import { afterEpoch, afterStep, FIRST_STATE, type TrainingState } from "./training_state.ts";
import { createValidation } from "./validation.ts";

/** What to train, on what, and where it is written. */
export interface TrainingJob {
  /** The run's folder, held by this process. */
  readonly run: RunFolder;
  /** `stage1`, for instance. */
  readonly trainingStage: string;
  /** The policy. */
  readonly config: PolicyConfig;
  /**
   * Its first tensors, in the engine's layout, with the normalisation of the data; the training disposes
   * of them.
   */
  readonly parameters: Readonly<Record<string, tf.Tensor>>;
  /** How it is trained. */
  readonly settings: TrainingSettings;
  /** The data. */
  readonly data: TrainingData;
  /** Identity of the visual features. */
  readonly features: JsonValue;
  /** Of matrix products in training; parameters and moments are float32. @default {"float32"} */
  readonly precision?: "float32" | "bfloat16";
  /** Changes what the policy sees in training. @default {nothing} */
  readonly augment?: TrainingStepOptions["augment"];
  /** Milliseconds after which a checkpoint is written within an epoch. @default {600,000} */
  readonly saveEvery?: number;
  /** Called after each step. */
  readonly onStep?: (progress: StepProgress) => void;
  /** Called after each epoch. */
  readonly onEpoch?: (state: TrainingState, isBest: boolean) => void;
  /** Called with what should be known. */
  readonly onWarning?: (text: string) => void;
  /** Ends the training after the step in progress, with a checkpoint. */
  readonly signal?: AbortSignal;
}

/** Where a training is, for people to see. */
export interface StepProgress {
  /** After the step. */
  readonly state: TrainingState;
  /** Of the step. */
  readonly report: StepReport;
  /** Steps of an epoch. */
  readonly epochSteps: number;
  /** Steps of the whole training. */
  readonly totalSteps: number;
  /** Learning rate of the first group. */
  readonly learningRate: number;
  /** Of this process so far. */
  readonly seconds: TrainingSeconds;
  /** Samples that this process used so far. */
  readonly samples: number;
}

/** Where the time of a process went. */
export interface TrainingSeconds {
  /** From the first step on, with validation and checkpoints. */
  readonly total: number;
  /** Of these, waiting for data. */
  readonly data: number;
  /** Of these, in optimiser steps. */
  readonly step: number;
}

/** How a training ended. */
export interface TrainingOutcome {
  /** Where it ended. */
  readonly state: TrainingState;
  /** Steps that it went on from; null if it began anew. */
  readonly resumedFrom: number | null;
  /** Why it ended before the last epoch; null if it did not. */
  readonly stopped: "interrupted" | "early" | null;
  /** Requested and realised shares of the collections over the first epoch. */
  readonly shares: readonly GroupShare[];
  /** Of this process. */
  readonly seconds: TrainingSeconds;
}

const SAVE_EVERY = 600_000;

/**
 * Trains a policy: the loop of all programs. It goes on from the run's latest checkpoint if there is
 * one, and then computes what it would have computed without the interruption.
 *
 * @param job what, on what, where
 * @returns how it ended; the run's pointers name its checkpoints
 * @throws {Error} when data or features cannot be read, or the checkpoint does not fit
 */
export async function train(job: TrainingJob): Promise<TrainingOutcome> {
  const { run, config, settings, data, signal } = job;
  const { batchSize, accumulation, epochs } = settings;

  // What is learnt, in which order, and what it is measured on.
  const groups = parameterGroups(config, settings);
  const step = createTrainingStep(stepOptions(job, groups));
  tf.dispose(job.parameters);
  const order = new WeightedSampler(data.groups, {
    ...{ seed: settings.seed, multiple: batchSize * accumulation },
    ...(settings.epochSamples === null ? {} : { epochSamples: settings.epochSamples }),
  });
  const epochSteps = order.length / (batchSize * accumulation), totalSteps = epochSteps * epochs;
  await using loader = new Loader(data.training.dataset, order, {
    ...{ batchSize, features: data.training.features, groups: data.groups },
  });
  const samples = new SequentialOrder(data.validation.dataset.length);
  await using heldOut = new Loader(data.validation.dataset, samples, {
    ...{ batchSize, features: data.validation.features },
  });
  const judged = { ...step.variables, ...step.averages };
  using validation = createValidation(config, judged, heldOut, lossOptions(settings));
  const tensorsOf = (batch: LoadedBatch) =>
    batchTensors(batch, loader.shape, config, settings.sensorLossWeight);

  // Where it goes on.
  const checkpoints = new RunCheckpoints(run.path, checkpointSubject(job, groups, totalSteps));
  const found = await checkpoints.latest();
  if (found !== null) step.restore(found.snapshot);
  let state = found?.state ?? FIRST_STATE;
  using metrics = MetricsLog.open(run.file("metrics.jsonl"), { upToStep: state.globalStep });
  using events = EventFile.create(run.path, { fromStep: state.globalStep });
  const log = (record: MetricsRecord) => {
    metrics.append(record);
    events.scalars(state.globalStep, record);
  };
  let saved = performance.now();
  const save = async (...pointers: ("latest" | "best" | "final")[]) => {
    metrics.sync();
    await checkpoints.save(state, await step.snapshot(), pointers);
    saved = performance.now();
  };

  const clock = new Clock(loader);
  const firstSample = state.samplesSeen;
  while (state.epoch < epochs && !isStoppedEarly(state, settings) && !signal?.aborted) {
    await using batches = loader.batches(state.epoch, state.consumed);
    let rates: Record<string, number> = {};
    while (state.consumed < order.length && !signal?.aborted) {
      const at = settings.scheduleOn === "step" ? state.globalStep : state.epoch * epochSteps;
      rates = learningRates(groups, at, { ...settings, total: totalSteps });
      const counted = { sensor: 0, noSensor: 0 };
      const report = await clock.step(() =>
        step.update(microBatches(batches, accumulation, tensorsOf, counted), {
          ...{ index: state.globalStep, learningRates: rates },
        })
      );
      state = afterStep(state, report, counted);
      log(stepRecord(state, report, rates));
      job.onStep?.({
        ...{ state, report, epochSteps, totalSteps, seconds: clock.seconds },
        ...{ learningRate: rates[groups[0]!.name]!, samples: state.samplesSeen - firstSample },
      });
      const isDue = performance.now() - saved > (job.saveEvery ?? SAVE_EVERY);
      if (isDue && state.consumed < order.length) await save("latest");
    }
    if (state.consumed < order.length) break; // interrupted within the epoch

    const { totals } = state;
    state = afterEpoch(state, await validation.loss());
    log(epochRecord(state, totals, rates, config));
    const isBest = state.bestEpoch === state.epoch;
    await (isBest ? save("latest", "best") : save("latest"));
    job.onEpoch?.(state, isBest);
    if (totals.skipped > 0) job.onWarning?.(skippedSteps(state, totals.skipped, epochSteps));
  }

  const isOver = state.epoch === epochs, isEarly = !isOver && isStoppedEarly(state, settings);
  const isInterrupted = !isOver && !isEarly;
  await (isInterrupted ? save("latest") : save("latest", "final"));
  step.dispose();
  return {
    state,
    resumedFrom: found?.state.globalStep ?? null,
    stopped: isInterrupted ? "interrupted" : isEarly ? "early" : null,
    shares: order.shares(0),
    seconds: clock.seconds,
  };
}

/** Whether validation has not improved for too long; asked between two epochs. */
function isStoppedEarly(
  { epoch, consumed, bestEpoch }: TrainingState,
  { earlyStopPatience: patience }: TrainingSettings,
): boolean {
  return patience > 0 && consumed === 0 && epoch - (bestEpoch ?? 0) >= patience;
}

function stepOptions(job: TrainingJob, groups: readonly TrainingGroup[]): TrainingStepOptions {
  const { config, parameters, settings, augment, precision = "float32" } = job;
  const { seed, accumulation, maxNorm, emaDecay: ema } = settings;
  return {
    ...{ config, parameters, groups, seed, accumulation, maxNorm, ema },
    loss: lossOptions(settings),
    compile: { precision },
    ...(augment === undefined ? {} : { augment }),
  };
}

function checkpointSubject(
  { run, config, trainingStage, settings, data, features }: TrainingJob,
  groups: readonly TrainingGroup[],
  total: number,
): CheckpointSubject {
  const { warmupRatio, holdRatio, minLearningRate, scheduleOn, seed } = settings;
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
        settings: { lr, initial_lr: lr, betas: [0.9, 0.999], eps: 1e-8, weight_decay: weightDecay },
      })),
    },
  };
}

function skippedSteps({ epoch }: TrainingState, skipped: number, steps: number): string {
  return `epoch ${epoch}: ${skipped} of ${steps} steps changed nothing, because loss or gradient ` +
    "were not finite. Look at the data, or lower the learning rate.";
}
