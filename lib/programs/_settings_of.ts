/** Flags that say how a policy is trained. */
import { UsageError } from "../cli/mod.ts";
import { RECIPES, type TrainingSettings, trainingSettings } from "../training/mod.ts";
import type { TrainingValues } from "./flags.ts";
import type { TrainingProgram } from "./program.ts";
import type { ResumedBatch } from "./resume.ts";

type Given = { -readonly [K in keyof TrainingSettings]?: TrainingSettings[K] | undefined };

/**
 * The settings of a training: what flags say, then what suits the demonstration, the program's recipe,
 * and the preset's.
 *
 * @throws {UsageError} when settings contradict each other
 */
export function settingsOf(
  { family, recipe }: TrainingProgram,
  values: TrainingValues,
  { demonstration, processes, resumed }: {
    readonly demonstration: Partial<TrainingSettings> | null;
    readonly processes: number;
    readonly resumed: ResumedBatch | null;
  },
): TrainingSettings {
  const usual: Partial<TrainingSettings> = {
    ...recipe(values.preset, values.architecture),
    ...demonstration,
  };
  const batch = usual.batchSize ?? RECIPES[values.preset].batchSize;
  const shared = batch % processes === 0 ? batch / processes : undefined;
  const given: Given = {
    seed: values.seed,
    epochs: values.epochs,
    // The recipe's effective batch, whatever the number of processes; of a run that goes on, its own.
    batchSize: values.batchSize ?? resumed?.batchSize ?? shared,
    accumulation: values.gradAccumSteps ?? accumulationOf(resumed, values.batchSize, processes),
    learningRate: values.lr,
    sensorLearningRate: values.sensorLr,
    minLearningRate: values.minLr,
    warmupRatio: values.warmupRatio,
    holdRatio: values.holdRatio,
    scheduleOn: values.schedOn,
    weightDecay: values.weightDecay,
    betas: betasOf(values.betas),
    loss: values.loss,
    lossNormalisation: values.lossNorm,
    sensorLossWeight: values.sensorLossWeight,
    chunk: values.zChunk === "gt" ? "truth" : "zeros",
    emaDecay: values.ema === 0 ? null : values.ema,
    earlyStopPatience: values.earlyStopPatience,
    epochSamples: values.epochSamples,
    // The reference weighs all dimensions the same, and its `mse` stands for its recipe.
    dimensionWeights: family === "regression" && values.loss === "mse" ? null : undefined,
  };
  const known = Object.fromEntries(
    Object.entries(given).filter(([, value]) => value !== undefined),
  ) as Partial<TrainingSettings>;
  if (values.earlyStopPatience > 0 && values.valSplit === 0) {
    throw new UsageError(
      "Cannot use --early-stop-patience with --val-split 0: nothing would be validated.",
    );
  }
  try {
    return trainingSettings(values.preset, { ...usual, ...known });
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(error.message);
    throw error;
  }
}

/** Micro-batches with which a run's effective batch stays, in as many processes as there are now. */
function accumulationOf(
  resumed: ResumedBatch | null,
  batchSize: number | undefined,
  processes: number,
): number | undefined {
  if (resumed === null) return undefined;
  const accumulation = resumed.effectiveBatch / ((batchSize ?? resumed.batchSize) * processes);
  if (Number.isInteger(accumulation)) return accumulation;
  throw new UsageError(
    `Cannot go on in ${processes} processes: its steps of ${resumed.effectiveBatch} samples should be ` +
      `a multiple of ${batchSize ?? resumed.batchSize} samples in each process, current value is ` +
      `${accumulation} of them. Use another number of processes.`,
  );
}

function betasOf(texts: readonly string[]): readonly [number, number] | undefined {
  if (texts.length === 0) return undefined;
  const [first, second, ...others] = texts.map(Number);
  const isRate = (value: number | undefined) => value !== undefined && value >= 0 && value < 1;
  if (isRate(first) && isRate(second) && others.length === 0) return [first!, second!];
  throw new UsageError(
    `Cannot use --betas ${texts.join(" ")}: it should be two numbers from 0 to below 1, such as ` +
      "--betas 0.9 0.999.",
  );
}
