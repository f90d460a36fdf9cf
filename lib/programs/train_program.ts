import type { CommandContext, CommandResult } from "../cli/mod.ts";
import { writeSplit, writeStatistics } from "../datasets/mod.ts";
import { clusterFromEnvironment, type Engine, startEngine } from "../engine/mod.ts";
import { expectTrainable, type FeatureExtractor, findEpisodes } from "../features/mod.ts";
import { writeFileAtomic } from "../formats/mod.ts";
import { PHANTOM_VIEWS } from "../phantom/mod.ts";
import {
  augmentPixels,
  RunFolder,
  train,
  type TrainingJob,
  type TrainingOutcome,
  wandbConfig,
  wandbProject,
} from "../training/mod.ts";
import {
  describeData,
  describeEvaluation,
  describeInputs,
  describePolicy,
  describeShares,
  describeTraining,
  shownTheAnswer,
} from "./_describe.ts";
import { findBeginning } from "./_beginning.ts";
import { expectSensor, warnOfRepeats } from "./_fit.ts";
import { type FirstPolicy, firstPolicy } from "./_first_policy.ts";
import { checkpointsOf, featuresOf, openRun, runConfig } from "./_run_config.ts";
import { chief, quietContext } from "./_ranks.ts";
import { expectSeen } from "./_seen_features.ts";
import { stopwatch } from "./_stopwatch.ts";
import {
  describeVisual,
  disposeModel,
  expectNoCache,
  exportAdapter,
  trainedData,
  visualTraining,
} from "./_visual_training.ts";
import { buildTrainingFeatures } from "./build_features.ts";
import { dryRun } from "./dry_run.ts";
import { evaluateRun } from "./evaluate_run.ts";
import { exportPt } from "./export_pt.ts";
import { namedAdapter } from "./feature_flags.ts";
import type { TrainingValues } from "./flags.ts";
import { extractorOf, prepareData, type PreparedData } from "./prepare_data.ts";
import type { TrainingProgram } from "./program.ts";
import { withMeasuredLatency } from "./measured_latency.ts";
import { type ResolvedTraining, resolveTraining } from "./resolve.ts";
import { expectLonger, resumedBatch, resumedValues } from "./resume.ts";
import { printEnd, printResults, trainingReport } from "./results.ts";
import { samplingOptions } from "./sampling_flags.ts";
import { startLoss, withoutGain } from "./stage2_start.ts";
import { stepLines, validationLine } from "./step_line.ts";
import { runSummary } from "./summary.ts";
import { Warnings } from "./_warnings.ts";

/** Values of the flags with those that every command has. */
export type TrainingFlags = TrainingValues & { readonly quiet: boolean; readonly verbose: boolean };

/** Simulated insertions for each replanning interval. */
const SCENES = 40;

/**
 * Trains and evaluates a policy: what all training programs do.
 *
 * @param program which of them
 * @param given values of its flags
 * @param context of the command
 * @returns the run's summary
 */
export async function trainProgram(
  program: TrainingProgram,
  given: TrainingFlags,
  context: CommandContext,
): Promise<CommandResult> {
  const isChief = (clusterFromEnvironment()?.rank ?? 0) === 0;
  const heard = isChief ? context : quietContext(context);
  const warnings = new Warnings(heard.warn);
  let hasRun = false;
  try {
    return await new Training(program, given, heard, warnings).run(() => hasRun = true);
  } catch (error) {
    context.progress.clear();
    warnings.flush();
    if (context.signal.aborted && (error as Error).name === "AbortError") {
      heard.note(goesOn(given, hasRun));
    }
    throw error;
  }
}

/** One call of a program: flags, what they mean, and the steps from data to a report. */
class Training {
  readonly #program: TrainingProgram;
  readonly #given: TrainingFlags;
  #values: TrainingFlags;
  readonly #context: CommandContext;
  readonly #warnings: Warnings;
  readonly #lap = stopwatch();
  readonly #began = performance.now();

  constructor(
    program: TrainingProgram,
    given: TrainingFlags,
    context: CommandContext,
    warnings: Warnings,
  ) {
    this.#program = program;
    this.#given = given;
    this.#context = context;
    this.#warnings = warnings;
    this.#values = resumedValues(program.name, program.flags, given, context.given);
  }

  async run(onRun: () => void): Promise<CommandResult> {
    const context = this.#context, { note, signal } = context, { data: roots } = this.#values;
    const warn = (text: string) => this.#warnings.add(text);
    const paths = roots.length === 0 ? null : findEpisodes(roots);
    const processes = clusterFromEnvironment()?.size ?? 1;
    if (processes === 1) {
      this.#values = await withMeasuredLatency(this.#program, this.#values, paths, context);
    }
    const values = this.#values;
    const beginning = findBeginning(this.#program, values, context.given);
    const resolved = resolveTraining(this.#program, beginning?.values ?? values, {
      ...{ processes, beginning, resumed: resumedBatch(values.resume) },
    });
    resolved.warnings.forEach(warn);
    if (resolved.finetune !== "none") {
      expectNoCache(resolved.finetune, values, context);
      expectTrainable(await extractorOf(values, context), resolved.finetune);
    }
    if (values.run !== undefined) RunFolder.assertUsable(values.run);
    if (values.resume !== undefined) expectLonger(values.resume, resolved.settings.epochs);
    if (values.mode === "cache") {
      this.#warnings.end(note);
      return await buildTrainingFeatures(values, paths, resolved.vision, context);
    }

    // 1. The engine.
    const engine = await startEngine({ engine: values.engine, quiet: values.quiet, log: note });
    const { cluster } = engine;
    note(`engine ready in ${this.#lap()}`);
    if (processes > 1) note(`${processes} processes train together`);

    // 2. The data: recordings, episodes, features. Rank 0 makes what is missing.
    const expectFits = (extractor: FeatureExtractor) =>
      expectSeen(beginning?.seen ?? null, extractor, resolved.finetune);
    const prepared = await chief(
      cluster,
      () => prepareData(values, paths, resolved, context, expectFits),
    );
    using data = prepared.data;
    describeData(data, context);
    warnOfRepeats(resolved, prepared, cluster.size, warn);
    note(`data ready in ${this.#lap()}`);

    // 3. The policy.
    expectSensor(resolved, prepared);
    const first = await firstPolicy(resolved, prepared, values.features, beginning);
    note(describePolicy(first.config, resolved.preset));
    describeInputs(this.#program, first, resolved, note);
    const visual = await visualTraining(resolved, prepared.extractor, namedAdapter(values));
    if (visual !== null) note(describeVisual(visual, values.adapter));

    // 4. The run.
    const job = { ...this.#job(resolved, prepared, first, engine, warn), visual };
    if (values.dryRun) {
      this.#warnings.end(note);
      return { document: await dryRun(this.#program, resolved, job, prepared, engine, context) };
    }
    const config = runConfig(this.#program, values, { resolved, first, prepared, engine });
    using run = cluster.rank === 0 ? openRun(values, config, note) : null;
    if (run !== null) {
      writeSplit(run.file("split.json"), data.split);
      writeStatistics(run.file("statistics.json"), data.statistics);
    }
    onRun();

    // 5. Training.
    this.#lap();
    context.progress.update("compiling and computing the first step");
    const wandb = {
      project: wandbProject(this.#program.name),
      config: wandbConfig(config),
    };
    const outcome = await train({ ...job, run, signal, ...(values.wandb ? { wandb } : {}) });
    context.progress.clear();
    if (visual !== null) disposeModel(visual, prepared.extractor);
    note(describeTraining(outcome, this.#lap()));
    if (outcome.stopped === "interrupted") {
      this.#warnings.flush();
      note(goesOn(this.#given, true));
      return { exitCode: 130 }; // it may have been another process that was interrupted
    }
    if (run === null) return {};
    describeShares(outcome, context);
    return await this.#judge(run, { resolved, prepared, first, engine, outcome });
  }

  /** Evaluation: on the validation episodes, and in the simulator where that is where they are from. */
  async #judge(run: RunFolder, { resolved, prepared, first, engine, outcome }: Trained) {
    const values = this.#values, context = this.#context, { note, progress, signal } = context;
    const warn = (text: string) => this.#warnings.add(text);
    const sampling = samplingOptions({
      ...{ samplingSteps: values.samplingSteps, sampler: values.sampler },
      ddimLegacyLadder: values.ddimLegacyLadder ?? false,
    });
    using opened = new DisposableStack();
    const { data } = prepared;
    const judged = resolved.tuning === null
      ? data
      : await trainedData(run.path, data, { ...prepared, values }, opened, context);
    const evaluation = await evaluateRun(run.path, judged, {
      ...{ scenes: this.#scenes(prepared), vision: resolved.vision, signal },
      sampling,
      onProgress: (text) => progress.update(text),
    });
    progress.clear();
    note(describeEvaluation(evaluation, this.#lap.seconds()));
    evaluation.openLoop?.warnings.forEach(warn);
    if (resolved.settings.chunk === "truth") warn(shownTheAnswer(evaluation));
    const start = startLoss(run.path), { state, stopped } = outcome;
    const gain = withoutGain(start, stopped === "early" ? state.bestLoss : state.validationLoss, {
      ...{ loss: state.bestLoss, epoch: state.bestEpoch },
    });
    if (gain !== null) warn(gain);
    const adapter = exportAdapter(run.path);
    if (adapter !== null) note(`adapter in peft's format: ${adapter}`);
    const exported = values.exportPt ? await exportPt(this.#program, run, context) : [];
    const summary = runSummary({
      ...{ program: this.#program, preset: resolved.preset, precision: values.precision },
      ...{ config: first.config, settings: resolved.settings, vision: resolved.vision },
      tuning: resolved.tuning,
      ...{ data: prepared.data, engine, outcome, evaluation, run: run.path, exported },
      ...{
        beginsWith: first.source && { ...first.source, validationLoss: start },
        processes: engine.cluster.size,
        sampling,
      },
      ...{ warnings: this.#warnings.texts, checkpoints: checkpointsOf(run.path) },
    });
    writeFileAtomic(run.file("report.html"), trainingReport(run.path, summary, evaluation));
    run.finish(summary);
    printResults(evaluation, context);
    this.#warnings.end(note);
    const seconds = (performance.now() - this.#began) / 1000;
    printEnd({ run: run.path, summary, evaluation, prepared, values, seconds }, context);
    return { document: summary };
  }

  #job(
    { settings, vision }: ResolvedTraining,
    prepared: PreparedData,
    first: FirstPolicy,
    { cluster }: Engine,
    onWarning: (text: string) => void,
  ): Omit<TrainingJob, "run"> {
    const { features, noAugment, precision } = this.#values;
    const { note, progress } = this.#context;
    const line = stepLines(settings.epochs, vision.visionReuse);
    return {
      ...{ trainingStage: this.#program.stage, settings, cluster, data: prepared.data },
      ...{ config: first.config, parameters: first.parameters, onWarning },
      features: featuresOf(this.#values, prepared),
      ...(features === "pixel-2048" && !noAugment ? { augment: augmentPixels } : {}),
      precision: precision === "bf16" ? "bfloat16" : "float32",
      ...(first.source === null ? {} : {
        onStart: (loss: number | null) => {
          if (loss !== null) note(`before the first step: validation ${loss.toFixed(6)}`);
        },
      }),
      onValidation: (done) => progress.update(validationLine(done)),
      onStep: (step) => {
        this.#warnings.tick();
        progress.update(line(step));
      },
      onEpoch: ({ epoch, trainLoss, validationLoss }, isBest) => {
        const validation = validationLoss === null
          ? ""
          : `, validation ${validationLoss.toFixed(6)}${isBest ? ", the best so far" : ""}`;
        note(`epoch ${epoch}: train ${trainLoss?.toFixed(6)}${validation}`);
      },
    };
  }

  /** Scenes of the closed loop; it shows the policy five cameras, and asks for a plan of 8 actions. */
  #scenes({ demonstration, extractor }: PreparedData): number {
    if (demonstration === null || this.#values.noClosedLoop) return 0;
    const { views } = extractor.identity;
    if (extractor.name !== "pixel-2048") {
      this.#warnings.add(
        "No insertions in the simulator, where a model would look at each picture: deno task simulate " +
          "--run RUN shows some.",
      );
      return 0;
    }
    if (views.join() === PHANTOM_VIEWS.join()) return SCENES;
    this.#warnings.add(
      `No insertions in the simulator: it shows ${PHANTOM_VIEWS.join(", ")}, the policy sees ` +
        `${views.join(", ")}.`,
    );
    return 0;
  }
}

/** A policy that was trained, and what it was trained with. */
interface Trained {
  readonly resolved: ResolvedTraining;
  readonly prepared: PreparedData;
  readonly first: FirstPolicy;
  readonly engine: Engine;
  readonly outcome: TrainingOutcome;
}

/** What Ctrl-C leaves. */
function goesOn({ noResume, dryRun }: TrainingFlags, hasRun: boolean): string {
  if (dryRun) return "Interrupted.";
  return hasRun && noResume
    ? "Interrupted: the same command without --no-resume goes on from there."
    : "Interrupted: the same command goes on from there.";
}
