import { resolve } from "node:path";
import { type CommandContext, type CommandResult, formatDuration } from "../cli/mod.ts";
import { pointerPath, readPointer } from "../checkpoints/mod.ts";
import { writeSplit, writeStatistics } from "../datasets/mod.ts";
import { type Engine, startEngine } from "../engine/mod.ts";
import { findEpisodes, type JsonValue } from "../features/mod.ts";
import { writeFileAtomic } from "../formats/mod.ts";
import { isThere } from "../formats/_partial_file.ts";
import type { PolicyConfig } from "../policies/mod.ts";
import {
  augmentPixels,
  type RunConfig,
  RunFolder,
  train,
  type TrainingSettings,
} from "../training/mod.ts";
import { PHANTOM_VIEWS } from "../phantom/mod.ts";
import {
  describeData,
  describeEvaluation,
  describePolicy,
  describeShares,
  describeTraining,
  shownTheAnswer,
} from "./_describe.ts";
import { firstParameters } from "./_first_parameters.ts";
import { buildTrainingFeatures } from "./build_features.ts";
import { evaluateRun } from "./evaluate_run.ts";
import { STAGE1_FLAGS, type Stage1Values } from "./flags.ts";
import { prepareData, type PreparedData } from "./prepare_data.ts";
import { resolveStage1 } from "./resolve.ts";
import { keptFlags, resumedValues } from "./resume.ts";
import { stepLines } from "./step_line.ts";
import { printEnd, printResults, trainingReport } from "./results.ts";
import { runSummary } from "./summary.ts";
import { Warnings } from "./_warnings.ts";

/** Values of the flags with those that every command has. */
export type Stage1Flags = Stage1Values & { readonly quiet: boolean; readonly verbose: boolean };

const PROGRAM = "train:stage1";
/** Settings that suit the few samples of the demonstration. */
const DEMONSTRATION: Partial<TrainingSettings> = { epochs: 40 };
/** The closed loop replans after at most so many actions. */
/** Simulated insertions for each replanning interval. */
const SCENES = 40;

/**
 * Trains a policy that fuses vision, language and sensor while the visual-language model stays as it is.
 *
 * @param given values of the flags
 * @param context of the command
 * @returns the run's summary
 */
export async function trainStage1(
  given: Stage1Flags,
  context: CommandContext,
): Promise<CommandResult> {
  const warnings = new Warnings(context.warn);
  let hasRun = false;
  try {
    return await trainAndEvaluate(given, context, warnings, () => hasRun = true);
  } catch (error) {
    context.progress.clear();
    warnings.flush();
    if (context.signal.aborted) context.note(goesOn(given, hasRun));
    throw error;
  }
}

async function trainAndEvaluate(
  given: Stage1Flags,
  context: CommandContext,
  warnings: Warnings,
  onRun: () => void,
): Promise<CommandResult> {
  const { note, progress, signal } = context;
  const began = performance.now(), lap = stopwatch();
  const values = resumedValues(PROGRAM, STAGE1_FLAGS, given, context.given);
  const paths = values.data.length === 0 ? null : findEpisodes(values.data);
  const resolved = resolveStage1(values, paths === null ? DEMONSTRATION : {});
  const { settings } = resolved;
  const warn = (text: string) => warnings.add(text);
  resolved.warnings.forEach(warn);
  if (values.run !== undefined) RunFolder.assertUsable(values.run);
  if (values.mode === "cache") {
    warnings.end(note);
    return await buildTrainingFeatures(values, paths, context);
  }

  // 1. The engine.
  const engine = await startEngine({ engine: values.engine, quiet: values.quiet, log: note });
  note(`engine ready in ${lap()}`);

  // 2. The data: recordings, episodes, features.
  const prepared = await prepareData(values, paths, resolved.sensorRows, context);
  using data = prepared.data;
  const config = resolved.policy(prepared.extractor.width);
  const features = {
    name: values.features,
    identity: prepared.extractor.identity as unknown as JsonValue,
  };
  describeData(data, context);
  note(`data ready in ${lap()}`);
  if (config.sensorEncoder !== null && data.statistics.force === null) {
    throw new RangeError(
      `Cannot train a policy with sensor: at least one training episode must have one, current ` +
        `value is none of ${data.training.dataset.episodes.length}. Train with --no-sensor, or ` +
        "with other data.",
    );
  }
  const scenes = scenesOf(values, prepared, warn);

  // 3. The run.
  using run = openRun(
    values,
    runConfig(values, config, settings, prepared, features, engine),
    note,
  );
  onRun();
  writeSplit(run.file("split.json"), data.split);
  writeStatistics(run.file("statistics.json"), data.statistics);
  note(describePolicy(config, values.preset));

  // 4. Training.
  const parameters = await firstParameters(config, settings.seed, data, values.features);
  const line = stepLines(settings.epochs);
  lap();
  progress.update("compiling and computing the first step");
  const outcome = await train({
    ...{ run, trainingStage: "stage1", config, settings, data, features, signal, parameters },
    ...(values.features === "pixel-2048" && !values.noAugment ? { augment: augmentPixels } : {}),
    precision: values.precision === "bf16" ? "bfloat16" : "float32",
    onStep: (step) => {
      warnings.tick();
      progress.update(line(step));
    },
    onEpoch: ({ epoch, trainLoss, validationLoss }, isBest) =>
      note(
        `epoch ${epoch}: train ${trainLoss?.toFixed(6)}, validation ${validationLoss?.toFixed(6)}${
          isBest ? ", the best so far" : ""
        }`,
      ),
    onWarning: warn,
  });
  progress.clear();
  note(describeTraining(outcome, lap()));
  if (outcome.stopped === "interrupted") {
    warnings.flush();
    note(goesOn(given, true));
    return {};
  }
  describeShares(outcome, context);

  // 5. Evaluation: on the validation episodes, and in the simulator where that is where they are from.
  const evaluation = await evaluateRun(run.path, data, {
    scenes,
    onProgress: (text) => progress.update(text),
    signal,
  });
  progress.clear();
  note(describeEvaluation(evaluation, lap.seconds()));
  evaluation.openLoop.warnings.forEach(warn);
  if (settings.chunk === "truth") warn(shownTheAnswer(evaluation));

  // 6. What remains.
  const summary = runSummary({
    ...{ program: PROGRAM, stage: "stage1", preset: values.preset, precision: values.precision },
    ...{ config, settings, data, engine, outcome, evaluation, run: run.path },
    ...{ warnings: warnings.texts, checkpoints: checkpointsOf(run.path) },
  });
  writeFileAtomic(run.file("report.html"), trainingReport(run.path, summary, evaluation));
  run.finish(summary);
  printResults(evaluation, context);
  warnings.end(note);
  const seconds = (performance.now() - began) / 1000;
  printEnd({ ...{ run: run.path, summary, evaluation, prepared, values, seconds } }, context);
  return { document: summary };
}

/** Tells the time since the last call, in words or in seconds. */
function stopwatch() {
  let last = performance.now();
  const seconds = () => {
    const now = performance.now(), spent = (now - last) / 1000;
    last = now;
    return spent;
  };
  return Object.assign(() => formatDuration(seconds()), { seconds });
}

/** What Ctrl-C leaves. */
function goesOn({ noResume }: Stage1Flags, hasRun: boolean): string {
  return hasRun && noResume
    ? "Interrupted: the same command without --no-resume goes on from there."
    : "Interrupted: the same command goes on from there.";
}

/** Scenes of the closed loop; it shows the policy five cameras, and asks for a plan of 8 actions. */
function scenesOf(
  { noClosedLoop }: Stage1Values,
  { demonstration, extractor }: PreparedData,
  warn: (text: string) => void,
): number {
  if (demonstration === null || noClosedLoop) return 0;
  const { views } = extractor.identity;
  if (views.join() !== PHANTOM_VIEWS.join()) {
    warn(
      `No insertions in the simulator: it shows ${PHANTOM_VIEWS.join(", ")}, the policy sees ` +
        `${views.join(", ")}.`,
    );
    return 0;
  }
  return SCENES;
}

/** The run's folder: the one that was named, an unfinished one of the same settings, or a new one. */
function openRun(
  { run, runs, resume, noResume }: Stage1Values,
  config: RunConfig,
  note: (text: string) => void,
): RunFolder {
  if (resume !== undefined) {
    return announce(RunFolder.open(resume, config, { extend: true }), note);
  }
  if (run !== undefined) return announce(RunFolder.open(run, config), note);
  const unfinished = noResume ? null : RunFolder.unfinished(runs, config);
  return unfinished === null
    ? announce(RunFolder.create(runs, config), note)
    : announce(unfinished, note, "; --no-resume begins anew");
}

function announce(run: RunFolder, note: (text: string) => void, hint = ""): RunFolder {
  note(`run: ${run.path}${isThere(pointerPath(run.path, "latest")) ? `, going on${hint}` : ""}`);
  return run;
}

function runConfig(
  values: Stage1Values,
  config: PolicyConfig,
  settings: TrainingSettings,
  { data, cache }: PreparedData,
  features: JsonValue,
  engine: Engine,
): RunConfig {
  return {
    program: PROGRAM,
    settings: JSON.parse(JSON.stringify({
      policy: config,
      training: settings,
      data: {
        split: data.split.digest,
        statistics: data.statistics.digest,
        groups: data.groups.map(({ name, weight, confidence, samples }) => ({
          ...{ name, weight, confidence, samples },
        })),
        priorityMode: values.priorityMode,
      },
      augment: !values.noAugment,
      features,
      engine: engine.name,
      precision: values.precision,
    })),
    notes: {
      preset: values.preset,
      data: values.data.map((path) => resolve(path)),
      cache,
      flags: keptFlags(STAGE1_FLAGS, { ...values, engine: engine.name }),
      engine: engine.version,
      threads: engine.threads,
      deno: Deno.version.deno,
      command: [...Deno.args],
    },
  };
}

function checkpointsOf(run: string) {
  const path = (name: "latest" | "best" | "final") =>
    isThere(pointerPath(run, name)) ? readPointer(run, name) : null;
  return { latest: path("latest"), best: path("best"), final: path("final") };
}
