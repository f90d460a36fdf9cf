import { setImmediate } from "node:timers/promises";
import { WeightedSampler } from "../datasets/mod.ts";
import { ONE_PROCESS, tf } from "../engine/mod.ts";
import { Clock } from "./_clock.ts";
import { batchTensors, microBatches } from "./_micro_batches.ts";
import { RankOrder } from "./_rank_order.ts";
import { RunLog } from "./_run_log.ts";
import { METRICS } from "./run/_json_file.ts";
import { checkpointSubject, stepOptions, trainedGroups } from "./_subject.ts";
import { RunCheckpoints } from "./checkpoints.ts";
import type { TrainingJob, TrainingOutcome } from "./job.ts";
import { type LoadedBatch, Loader } from "./loader/mod.ts";
import { learningRates } from "./schedule.ts";
import { lossOptions, type TrainingSettings } from "./settings.ts";
import { createTrainingStep } from "./step.ts";
import { expectFinite } from "./_divergence.ts";
import { afterEpoch, afterStep, FIRST_STATE, type TrainingState } from "./training_state.ts";
import { createValidation } from "./validation.ts";

const SAVE_EVERY = 600_000;

/**
 * Trains a policy: the loop of all programs. It goes on from the run's latest checkpoint if there is
 * one, and then computes what it would have computed without the interruption.
 *
 * With several processes all must call it. They train one policy: each step adds up over them, all
 * decisions are the same on all, and rank 0 alone reads and writes the run's folder. Checkpoints are
 * written beside the steps.
 *
 * @param job what, on what, where
 * @returns how it ended, when all is written; the run's pointers name its checkpoints
 * @throws {RangeError} when settings, data and the checkpoint to go on from do not fit together
 * @throws {Error} when data or features cannot be read, or a checkpoint cannot be written; the one
 * before it is whole
 */
export async function train(job: TrainingJob): Promise<TrainingOutcome> {
  const { run, config, settings, data, signal, cluster = ONE_PROCESS } = job;
  const { batchSize, accumulation, epochs } = settings;
  expectValidation(job);
  using cleanup = new DisposableStack();

  // What is learnt, in which order, and what it is measured on.
  const groups = trainedGroups(job), visual = job.visual?.model ?? null;
  const step = cleanup.adopt(
    createTrainingStep(stepOptions(job, groups)),
    (made) => made.dispose(),
  );
  tf.dispose(job.parameters);
  const share = batchSize * accumulation, stepSamples = share * cluster.size;
  const order = new WeightedSampler(data.groups, {
    ...{ seed: settings.seed, multiple: stepSamples },
    ...(settings.epochSamples === null ? {} : { epochSamples: settings.epochSamples }),
  });
  const epochSteps = order.length / stepSamples, totalSteps = epochSteps * epochs;
  const sharding = { ranks: cluster.size, rank: cluster.rank };
  const { dataset, features } = data.training, { visionReuse } = dataset;
  const visualParameters = Object.values(visual?.parameters ?? {})
    .reduce((sum, { size }) => sum + size, 0);
  using loader = new Loader(dataset, new RankOrder(order, share, sharding), {
    ...{ batchSize, features, groups: data.groups, visual },
  });
  const judged = { ...step.variables, ...step.averages };
  using validation = data.validation && createValidation(config, judged, data.validation, {
    ...{ loss: lossOptions(settings), batchSize, cluster, visual },
  });
  const tensorsOf = (batch: LoadedBatch) =>
    batchTensors(batch, loader.shape, config, settings.sensorLossWeight);

  // Where it goes on.
  await using checkpoints = run && new RunCheckpoints(
    run.path,
    checkpointSubject(job, run, groups, totalSteps),
    { before: [METRICS] },
  );
  const found = await restore(checkpoints, step);
  await step.synchronise();
  const resumed = await cluster.broadcast(found);
  let state = resumed ?? FIRST_STATE;
  expectWholeStep(state, stepSamples);
  using log = run && new RunLog(run, state.globalStep, job.wandb ?? null);
  const ratesAt = (index: number, epoch: number) =>
    learningRates(groups, settings.scheduleOn === "step" ? index : epoch * epochSteps, {
      ...{ ...settings, total: totalSteps },
    });
  const clock = new Clock(loader);
  let saved = performance.now(), isDue = false;
  const save = (...pointers: ("latest" | "best" | "final")[]) =>
    clock.save(async () => {
      await checkpoints?.save(state, step.snapshot, pointers);
      saved = performance.now();
      isDue = false;
    });

  const firstSample = state.samplesSeen;
  // Of several processes none stops alone: the wish to is added up with the loss. One alone stops at
  // once: what a step or a validation had begun is done again.
  let isStopping = false;
  const own = cluster.size === 1 ? signal : undefined;
  const validate = () => validation?.measure(own, job.onValidation) ?? NO_VALIDATION;
  const wantsToStop = () => isStopping || own?.aborted === true;
  if (job.onStart !== undefined && state.samplesSeen === 0) {
    const start = await unlessStopped(own, validate());
    if (start !== null) {
      log?.start(start.loss);
      job.onStart(start.loss);
    }
  }
  while (state.epoch < epochs && !isStoppedEarly(state, settings) && !wantsToStop()) {
    await using batches = loader.batches(state.epoch, state.consumed / cluster.size);
    while (state.consumed < order.length && !wantsToStop()) {
      const rates = ratesAt(state.globalStep, state.epoch);
      const counted = { sensor: 0, noSensor: 0, reuse: 0 };
      const report = await clock.step(() =>
        unlessStopped(
          own,
          step.update(microBatches(batches, accumulation, tensorsOf, counted, own), {
            ...{ index: state.globalStep, learningRates: rates },
            counts: () => ({ ...counted, stop: Number(signal?.aborted ?? false) }),
          }),
        )
      );
      if (report === null) break;
      isStopping = report.sums["stop"]![0]! > 0;
      state = afterStep(state, report);
      log?.step({ state, report, rates, config, visualParameters, visionReuse });
      job.onStep?.({
        ...{ state, report, epochSteps, totalSteps, seconds: clock.seconds },
        ...{ learningRate: rates[groups[0]!.name]!, samples: state.samplesSeen - firstSample },
      });
      checkpoints?.check();
      isDue ||= performance.now() - saved > (job.saveEvery ?? SAVE_EVERY);
      const isSound = state.consumed < order.length && !report.isSkipped; // it may be diverging
      if (isDue && !checkpoints?.isWriting && isSound) await save("latest");
      await setImmediate(); // lets signals and the end of a write be heard
    }
    if (state.consumed < order.length) break; // interrupted within the epoch

    const found = await unlessStopped(own, validate());
    if (found === null) break; // the epoch is not over before it is validated
    const { totals } = state, { loss: validationLoss, noiseLoss } = found;
    const rates = ratesAt(state.globalStep - 1, state.epoch);
    state = afterEpoch(state, validationLoss);
    log?.epoch({ state, totals, rates, config, visualParameters, validationLoss, noiseLoss });
    await expectFinite(state, totals, validationLoss, step.variables);
    const isBest = state.bestEpoch === state.epoch;
    if (isBest) await save("latest", "best");
    else if (checkpoints?.isWriting) isDue = true; // a later one takes its place
    else await save("latest");
    job.onEpoch?.(state, isBest);
    if (totals.skipped > 0) job.onWarning?.(skippedSteps(state, totals.skipped, epochSteps));
  }

  const isOver = state.epoch >= epochs, isEarly = !isOver && isStoppedEarly(state, settings);
  const isInterrupted = !isOver && !isEarly;
  await (isInterrupted ? save("latest") : save("latest", "final"));
  await clock.save(async () => await checkpoints?.drain());
  log?.finish(isInterrupted);
  return {
    state,
    resumedFrom: resumed?.globalStep ?? null,
    stopped: isInterrupted ? "interrupted" : isEarly ? "early" : null,
    shares: order.shares(0),
    seconds: clock.seconds,
  };
}

const NO_VALIDATION = { loss: null, noiseLoss: null };

/** What comes of it; null if the signal ended it. */
async function unlessStopped<T>(
  signal: AbortSignal | undefined,
  working: T | Promise<T>,
): Promise<T | null> {
  try {
    return await working;
  } catch (error) {
    if (signal?.aborted && error === signal.reason) return null;
    throw error;
  }
}

/** Goes on from the latest checkpoint, if there is one. */
async function restore(
  checkpoints: RunCheckpoints | null,
  step: ReturnType<typeof createTrainingStep>,
): Promise<TrainingState | null> {
  const found = await checkpoints?.latest() ?? null;
  if (found !== null) step.restore(found.snapshot);
  return found?.state ?? null;
}

/** Whether validation has not improved for too long; asked between two epochs. */
function isStoppedEarly(
  { epoch, consumed, bestEpoch }: TrainingState,
  { earlyStopPatience: patience }: TrainingSettings,
): boolean {
  return patience > 0 && consumed === 0 && epoch - (bestEpoch ?? 0) >= patience;
}

function expectValidation({ data, settings: { earlyStopPatience } }: TrainingJob): void {
  if (data.validation !== null || earlyStopPatience === 0) return;
  throw new RangeError(
    "Cannot stop early: there must be validation episodes, current value is none with a patience of " +
      `${earlyStopPatience} epochs. Validate on some, or do not stop early.`,
  );
}

/** Another number of processes goes on where this one stopped, if a step is as large. */
function expectWholeStep({ consumed }: TrainingState, stepSamples: number): void {
  if (consumed % stepSamples === 0) return;
  throw new RangeError(
    `Cannot go on within an epoch: the ${consumed} samples of it that are used must be whole steps, ` +
      `current value is ${stepSamples} samples per step. Choose processes and accumulation so that a ` +
      "step is as large as before.",
  );
}

function skippedSteps({ epoch }: TrainingState, skipped: number, steps: number): string {
  return `epoch ${epoch}: ${skipped} of ${steps} steps changed nothing, because loss or gradient ` +
    "were not finite. Look at the data, or lower the learning rate.";
}
