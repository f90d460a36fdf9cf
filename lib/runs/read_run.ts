import { basename, join, resolve } from "node:path";
import { pointerPath, readPointer } from "../checkpoints/pointer.ts";
import { folderBytes } from "../formats/_folder_files.ts";
import { isFile, isThere } from "../formats/_path.ts";
import { CONFIG, METRICS, readJsonFile, SUMMARY } from "../training/run/_json_file.ts";
import { isHeld, LOCK } from "../training/run/_lock.ts";
import { isRunConfig, readRunConfig, type RunConfig } from "../training/run/run_config.ts";
import { countAt, listAt, numberAt, textAt } from "./_json.ts";
import { type LastMetrics, lastMetrics } from "./_last_metrics.ts";

/**
 * Whether a run is complete, goes on by the command that began it, belongs to a process that trains
 * now, or cannot be read.
 */
export type RunState = "finished" | "unfinished" | "in progress" | "damaged";

/** Simulated insertions of a run's policy. */
export interface RunInsertions {
  /** Milliseconds between two plans. */
  readonly replanMs: number | null;
  /** Insertions. */
  readonly episodes: number | null;
  /** Share that succeeded, 0 to 1. */
  readonly successRate: number;
}

/** What is known of a run; null where it is not, or cannot be, such as a success rate above 1. */
export interface RunFacts {
  /** Last part of the path. */
  readonly name: string;
  /** Absolute. */
  readonly path: string;
  /** Whether it is complete. */
  readonly state: RunState;
  /** Program, e.g. `train:stage1`. */
  readonly program: string | null;
  /** Stage, e.g. `stage1`. */
  readonly stage: string | null;
  /** Visual features, e.g. `qwen2.5-vl-3b`. */
  readonly features: string | null;
  /** What of their model was trained with the policy: `lora` or `full`. */
  readonly finetune: string | null;
  /** Family of the policy: `regression` or `diffusion`. */
  readonly family: string | null;
  /** How vision and sensor are joined. */
  readonly fusion: string | null;
  /** Size of the policy. */
  readonly preset: string | null;
  /** Seed. */
  readonly seed: number | null;
  /** Epochs that are complete. */
  readonly epochs: number | null;
  /** Epochs that it is to have. */
  readonly plannedEpochs: number | null;
  /** Optimiser steps. */
  readonly steps: number | null;
  /** Validation loss. */
  readonly valLoss: number | null;
  /** Open-loop RMSE on the validation episodes, of the first three dimensions in mm. */
  readonly rmse: number | null;
  /** That RMSE divided by the best baseline's: below 1 is better than every rule without eyes. */
  readonly ratio: number | null;
  /** Closed loop, as often as the policy planned. */
  readonly closedLoop: readonly RunInsertions[];
  /** Of the training process that ended it. */
  readonly seconds: number | null;
  /** Of all its files. */
  readonly bytes: number;
  /** What it was trained with; null if it cannot be read. */
  readonly settings: RunConfig["settings"] | null;
  /** What is wrong with it, in words. */
  readonly problems: readonly string[];
}

/**
 * Whether a folder is that of a run, whole or damaged.
 *
 * @param folder any path
 * @returns false for folders that only have a `config.json` of something else
 */
export function isRun(folder: string): boolean {
  const has = (name: string) => isFile(join(folder, name));
  if (has(LOCK)) return isThere(join(folder, CONFIG)) || has(METRICS);
  return has(METRICS) && (has(CONFIG) || has(SUMMARY)) || isRunConfig(join(folder, CONFIG));
}

/**
 * Reads what is known of a run. Nothing that is damaged or missing is an error: it is named in
 * `problems`.
 *
 * @param folder of the run
 * @returns the facts
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { RunFolder } from "../training/run/run_folder.ts";
 * import { readRun } from "./mod.ts";
 *
 * const settings = { training: { seed: 7, epochs: 40 }, policy: { fusion: "gated" } };
 * const config = { program: "train:stage1", settings, notes: { preset: "tiny" } };
 * using run = RunFolder.create(Deno.makeTempDirSync(), config);
 * const { state, seed, plannedEpochs, fusion, problems } = readRun(run.path);
 * assert.deepEqual([state, seed, plannedEpochs, fusion], ["in progress", 7, 40, "gated"]);
 * assert.deepEqual(problems, []);
 * ```
 */
export function readRun(folder: string): RunFacts {
  const path = resolve(folder), problems: string[] = [];
  const attempt = <T>(read: () => T): T | null => {
    try {
      return read();
    } catch (error) {
      problems.push((error as Error).message);
      return null;
    }
  };
  const config = attempt(() => configOf(path));
  const hasSummary = attempt(() => isThere(join(path, SUMMARY))) === true;
  const summary = hasSummary ? attempt(() => readSummary(join(path, SUMMARY))) : null;
  const metrics = attempt(() =>
    isFile(join(path, METRICS)) ? lastMetrics(join(path, METRICS)) : null
  );
  if (metrics?.problem) problems.push(metrics.problem);
  // What is finished needs no checkpoint to go on from, and its metrics are not read again.
  const canGoOn = summary !== null ||
    attempt(() => !isFile(pointerPath(path, "latest")) || readPointer(path, "latest")) !== null;
  const isDamaged = config === null || (hasSummary && summary === null) ||
    (summary === null && (!canGoOn || Boolean(metrics?.problem)));
  const rest = isDamaged ? "damaged" : hasSummary ? "finished" : "unfinished";
  return {
    ...{ name: basename(path), path, state: isHeld(path) ? "in progress" : rest },
    ...identity(config, summary),
    ...progress(config, summary, metrics),
    ...results(summary),
    bytes: attempt(() => folderBytes(path)) ?? 0,
    settings: config?.settings ?? null,
    problems,
  };
}

function identity(config: RunConfig | null, summary: unknown) {
  const either = (inSummary: string, inConfig: string) =>
    textAt(summary, inSummary) ?? textAt(config, inConfig);
  return {
    program: either("program", "program"),
    stage: either("stage", "notes.flags.trainingStage"),
    features: textAt(config, "settings.features.name"),
    finetune: textAt(config, "settings.visionLanguage.parts"),
    family: either("family", "settings.policy.family"),
    fusion: either("fusion", "settings.policy.fusion"),
    preset: either("preset", "notes.preset"),
    seed: countAt(summary, "seed") ?? countAt(config, "settings.training.seed"),
  };
}

/** Whoever trains longer changes the configuration first. */
function progress(config: RunConfig | null, summary: unknown, metrics: LastMetrics | null) {
  return {
    epochs: countAt(summary, "epochs") ?? metrics?.epochs ?? (metrics === null ? null : 0),
    plannedEpochs: countAt(config, "settings.training.epochs") ??
      countAt(summary, "settings.epochs"),
    steps: countAt(summary, "steps") ?? metrics?.steps ?? (metrics === null ? null : 0),
    valLoss: numberAt(summary, "val.loss") ?? metrics?.validationLoss ?? null,
    seconds: numberAt(summary, "seconds.total"),
  };
}

function results(summary: unknown) {
  const rmse = numberAt(summary, "val.rmse");
  const baselines = ["zero", "mean", "holdLast"]
    .map((name) => numberAt(summary, `baselines.${name}.rmse`))
    .filter((value) => value !== null);
  const best = Math.min(...baselines);
  return {
    rmse,
    ratio: rmse === null || baselines.length === 0 || best <= 0 ? null : rmse / best,
    closedLoop: listAt(summary, "closedLoop").flatMap((report): RunInsertions[] => {
      const successRate = numberAt(report, "successRate", { most: 1 });
      if (successRate === null) return [];
      const replanMs = numberAt(report, "replanMs"), episodes = countAt(report, "episodes");
      return [{ replanMs, episodes, successRate }];
    }),
  };
}

function configOf(path: string): RunConfig {
  if (isThere(join(path, CONFIG))) return readRunConfig(path);
  throw new RangeError(`Cannot read ${join(path, CONFIG)}: it must be there for the run to go on.`);
}

function readSummary(path: string): unknown {
  const bad = (what: string) =>
    new SyntaxError(
      `Cannot read ${path}: it must be the summary of a run, ${what}. Remove it, and the same ` +
        "command writes it anew.",
    );
  let value: unknown;
  try {
    value = readJsonFile(path);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw bad(error.message);
  }
  if (textAt(value, "program") !== null) return value;
  throw bad("current value is of something else, without its program");
}
