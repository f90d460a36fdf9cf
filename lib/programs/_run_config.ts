/** What a run is, and where it lies. */
import { resolve } from "node:path";
import { pointerPath, readPointer } from "../checkpoints/mod.ts";
import type { Engine } from "../engine/mod.ts";
import type { JsonValue } from "../features/mod.ts";
import { isThere } from "../formats/_partial_file.ts";
import { type RunConfig, RunFolder } from "../training/mod.ts";
import type { FirstPolicy } from "./_first_policy.ts";
import type { TrainingValues } from "./flags.ts";
import type { PreparedData } from "./prepare_data.ts";
import type { TrainingProgram } from "./program.ts";
import type { ResolvedTraining } from "./resolve.ts";
import { keptFlags } from "./resume.ts";

/** What a run is made of. */
export interface RunParts {
  readonly resolved: ResolvedTraining;
  readonly first: FirstPolicy;
  readonly prepared: PreparedData;
  readonly engine: Engine;
}

/** Name and identity of the visual features. */
export function featuresOf({ features }: TrainingValues, { extractor }: PreparedData): JsonValue {
  return { name: features, identity: extractor.identity as unknown as JsonValue };
}

/** Everything that the result follows from, and what is good to know besides. */
export function runConfig(
  program: TrainingProgram,
  values: TrainingValues,
  { resolved, first, prepared, engine }: RunParts,
): RunConfig {
  const { data, cache } = prepared, { vision } = resolved;
  const { accumulation, ...training } = resolved.settings;
  const processes = engine.cluster.size;
  return {
    program: program.name,
    settings: JSON.parse(JSON.stringify({
      policy: first.config,
      // A run may go on with other processes, as long as they do the same together.
      training: {
        ...training,
        effectiveBatch: training.batchSize * accumulation * processes,
      },
      data: {
        split: data.split.digest,
        statistics: data.statistics.digest,
        groups: data.groups.map(({ name, weight, confidence, samples }) => ({
          ...{ name, weight, confidence, samples },
        })),
        priorityMode: values.priorityMode,
      },
      augment: !values.noAugment,
      features: featuresOf(values, prepared),
      ...(vision.visionReuse > 1 ? { vision } : {}),
      ...(resolved.tuning === null ? {} : { visionLanguage: resolved.tuning }),
      ...(first.source === null ? {} : { beginsWith: first.source.digest }),
      engine: engine.name,
      precision: values.precision,
    })),
    notes: {
      preset: resolved.preset,
      data: values.data.map((path) => resolve(path)),
      cache,
      flags: keptFlags(program.flags, { ...values, engine: engine.name }),
      ...(first.source === null ? {} : { stage1Checkpoint: resolve(first.source.path) }),
      engine: engine.version,
      threads: engine.threads,
      processes,
      deno: Deno.version.deno,
      command: [...Deno.args],
    },
  };
}

/** The run's folder: the one that was named, an unfinished one of the same settings, or a new one. */
export function openRun(
  { run, runs, resume, noResume }: TrainingValues,
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

/** Paths of a run's checkpoints by pointer. */
export function checkpointsOf(run: string) {
  const path = (name: "latest" | "best" | "final") =>
    isThere(pointerPath(run, name)) ? readPointer(run, name) : null;
  return { latest: path("latest"), best: path("best"), final: path("final") };
}
