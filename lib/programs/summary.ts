import { dataFacts } from "./_data_facts.ts";
import { openCheckpoint } from "../checkpoints/mod.ts";
import type { Engine } from "../engine/mod.ts";
import type { ErrorSummary } from "../evaluation/mod.ts";
import { countParameters, type PolicyConfig, type SamplingOptions } from "../policies/mod.ts";
import type { TrainingData, TrainingOutcome, TrainingSettings } from "../training/mod.ts";
import type { FirstPolicy } from "./_first_policy.ts";
import type { RunEvaluation } from "./evaluate_run.ts";
import type { TrainingProgram } from "./program.ts";
import type { VisualTuning } from "./visual_tuning.ts";
import type { VisionUse } from "./vision_use.ts";

/** What a summary is made of. */
export interface SummaryInput {
  /** What trained. */
  readonly program: TrainingProgram;
  /** Size of the policy. */
  readonly preset: string;
  /** The policy. */
  readonly config: PolicyConfig;
  /** How it was trained. */
  readonly settings: TrainingSettings;
  /** How it was given visual features. */
  readonly vision: VisionUse;
  /** How the visual-language model was trained with it; null if it was not. */
  readonly tuning: VisualTuning | null;
  /** The policy that it began with; null for a new one. */
  readonly beginsWith:
    | NonNullable<FirstPolicy["source"]> & { readonly validationLoss: number | null }
    | null;
  /** How a diffusion policy drew; only what was chosen. */
  readonly sampling: SamplingOptions;
  /** Processes that trained together. */
  readonly processes: number;
  /** What it was trained on. */
  readonly data: TrainingData;
  /** What computed. */
  readonly engine: Engine;
  /** Of matrix products. */
  readonly precision: string;
  /** How the training ended. */
  readonly outcome: TrainingOutcome;
  /** What became of it. */
  readonly evaluation: RunEvaluation;
  /** Paths of the checkpoints by pointer. */
  readonly checkpoints: Readonly<Record<"latest" | "best" | "final", string | null>>;
  /** Paths of `.pt` files that were written. */
  readonly exported: readonly string[];
  /** The run's folder. */
  readonly run: string;
  /** What the user should know. */
  readonly warnings: readonly string[];
}

/**
 * The document `summary.json` of a run. Errors are in mm for the first three dimensions, in degrees for
 * the next three; `rmse` is over the first three.
 *
 * @param input what it is made of
 * @returns plain data
 */
export function runSummary(input: SummaryInput) {
  const { config, settings, data, outcome, evaluation, engine, program } = input;
  const { openLoop } = evaluation;
  const decision = openLoop?.decision ?? null;
  const { state, shares } = outcome;
  const { sensorEncoder, actionExpert, total } = countParameters(config);
  return {
    program: program.name,
    stage: program.stage,
    family: config.family,
    fusion: config.fusion,
    architecture: config.architecture,
    preset: input.preset,
    seed: settings.seed,
    engine: engine.name,
    precision: input.precision,
    processes: input.processes,
    parameters: { sensorEncoder, actionExpert, total },
    data: dataFacts(data, shares),
    steps: state.globalStep,
    epochs: state.epoch,
    samplesSeen: state.samplesSeen,
    seconds: outcome.seconds,
    train: { loss: state.trainLoss },
    val: {
      // Of the checkpoint that was evaluated: the final one, or the best of a run that stopped early.
      loss: outcome.stopped === "early" ? state.bestLoss : state.validationLoss,
      bestLoss: state.bestLoss,
      bestEpoch: state.bestEpoch,
      ...figures(openLoop?.model),
      decision: decision && figures(decision.model),
      visionAges: openLoop?.visionAges ?? null,
    },
    baselines: {
      zero: figures(openLoop?.baselines.zero),
      mean: figures(openLoop?.baselines.mean),
      holdLast: figures(openLoop?.baselines.holdLast),
      decision: decision && {
        zero: figures(decision.baselines.zero),
        mean: figures(decision.baselines.mean),
        holdLast: figures(decision.baselines.holdLast),
      },
    },
    beatsBaselines: openLoop?.beatsBaselines ?? null,
    closedLoop: evaluation.closedLoop.map(withoutScenes),
    closedLoopBaselines: evaluation.baselines && {
      expert: withoutScenes(evaluation.baselines.expert),
      hold: withoutScenes(evaluation.baselines.hold),
      zero: withoutScenes(evaluation.baselines.zero),
    },
    checkpoints: input.checkpoints,
    exported: input.exported,
    vision: input.vision,
    visionLanguage: tunedModel(input),
    sampling: config.family === "diffusion"
      ? { sampler: "ddim", ...input.sampling } as SamplingOptions
      : null,
    beginsWith: input.beginsWith,
    run: input.run,
    resumedFrom: outcome.resumedFrom,
    stopped: outcome.stopped,
    settings,
    warnings: input.warnings,
  };
}

/** How the model was trained, and how many of its numbers; null where it was not. */
function tunedModel({ tuning, checkpoints }: SummaryInput) {
  if (tuning === null) return null;
  const path = checkpoints.final ?? checkpoints.latest;
  if (path === null) return { ...tuning, parameters: null };
  using checkpoint = openCheckpoint(path);
  const tensors = [...checkpoint.others()?.tensors.values() ?? []];
  const parameters = tensors.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
  return { ...tuning, parameters };
}

/** `summary.json` of a run. */
export type RunSummary = ReturnType<typeof runSummary>;

/** Errors; null where nothing was validated. */
function figures(errors: ErrorSummary | undefined) {
  const { rmse = null, perDimension = null, perStep = null } = errors ?? {};
  return { rmse, perDimension, perStep };
}

function withoutScenes({ scenes: _, ...report }: RunEvaluation["closedLoop"][number]) {
  return report;
}
