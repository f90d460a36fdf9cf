import { type ParameterCounts, policyShapes } from "../policies/shapes.ts";
import type { PolicyConfig } from "../policies/config.ts";
import type { PresetName } from "../policies/presets.ts";
import { advice, likeness } from "./_advice.ts";
import { readValues, type ValueFindings } from "./_values.ts";
import { visualFacts } from "./_visual.ts";
import { countStored } from "./_count_parameters.ts";
import { type Expectation, expectation, parsePolicyChoice } from "./against.ts";
import type { CheckpointLosses } from "./document.ts";
import { isMatch, matchPolicy, type MatchReport } from "./match.ts";
import {
  type CheckpointLayout,
  type IgnoredTensors,
  type OpenCheckpoint,
  openCheckpoint,
  type OpenCheckpointOptions,
} from "./open.ts";

/** What a checkpoint is checked for. */
export interface CheckCheckpointOptions extends OpenCheckpointOptions {
  /**
   * `FAMILY` or `FAMILY:FUSION` that it must be, as `parsePolicyChoice` reads it.
   * @default {what it says it is; without that, what its shapes look like}
   */
  readonly against?: string;
  /** Sizes that it must have. @default {its own} */
  readonly preset?: PresetName;
  /** Compare the files' digests, and read every value. @default {false: headers only} */
  readonly stats?: boolean;
  /** Stops the reading. */
  readonly signal?: AbortSignal;
  /** Called between tensors. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** What a check found. */
export interface CheckpointCheck extends Omit<MatchReport, "loaded">, ValueFindings {
  /** Whether it is, as a whole, the policy that it should be; duplicated tensors are no fault. */
  readonly ok: boolean;
  /** The file or folder that was read, behind pointers. */
  readonly path: string;
  /** How its tensors lie. */
  readonly layout: CheckpointLayout;
  /** Stage of training, as recorded; null if it is not. */
  readonly stage: string | null;
  /** Of the checkpoint itself, as recorded or as its shapes show; null if it looks like no policy. */
  readonly architecture: PolicyConfig["architecture"] | null;
  /** Likewise. */
  readonly family: PolicyConfig["family"] | null;
  /** Likewise. */
  readonly fusion: PolicyConfig["fusion"] | null;
  /** What it was compared with. */
  readonly against: PolicyConfig;
  /** Where that comes from; `default`: nothing was known, and the reference's sizes were taken. */
  readonly basis: "asked" | "recorded" | "inferred" | "default";
  /** What was asked for, if anything: `architecture`, `family`, `fusion`, `sizes`. */
  readonly asked: readonly string[];
  /** Settings of it that nobody named; defaults stand for them. */
  readonly assumed: readonly string[];
  /** Tensors that fit. */
  readonly matched: number;
  /** Numbers in its parameters. */
  readonly parameters: ParameterCounts;
  /** Tensors of policies in it. */
  readonly tensors: number;
  /** Bytes of these. */
  readonly bytes: number;
  /** How many of these have each dtype. */
  readonly dtypes: Readonly<Record<string, number>>;
  /** Tensors of other models beside. */
  readonly ignored: readonly IgnoredTensors[];
  /** What was trained of a visual-language model with it; null if nothing was. */
  readonly visualLanguage: string | null;
  /** Prefixes that were taken off its keys. */
  readonly wrappers: readonly string[];
  /** Training program; null if unknown. */
  readonly program: string | null;
  /** Completed epochs; null if unknown. */
  readonly epoch: number | null;
  /** Completed optimiser steps; null if unknown. */
  readonly globalStep: number | null;
  /** How far the loss had come down. */
  readonly losses: CheckpointLosses;
  /** Whether `nonFinite`, `allZero` and `duplicated` were looked for. */
  readonly valuesRead: boolean;
  /** What else should be known, and what to do. */
  readonly remarks: readonly string[];
}

/**
 * Checks whether keys, shapes, dtypes and, if asked for, values of a checkpoint are those that a policy
 * needs. Headers are read only unless `stats` is set, however large it is; nothing is executed.
 *
 * @param path of a checkpoint of any layout that `openCheckpoint` knows
 * @param options what it should be
 * @returns what was found
 * @throws {RangeError} when `against` or `preset` is unknown
 * @throws {SyntaxError} when the file is damaged, or is no checkpoint
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { writeTorchCheckpoint } from "../formats/mod.ts";
 * import { policyShapes, preset } from "../policies/mod.ts";
 * import { checkCheckpoint } from "./mod.ts";
 *
 * const config = preset("tiny", { architecture: "reference", family: "no-sensor" });
 * const state = Object.fromEntries(policyShapes(config).map(({ key, shape }) => {
 *   const data = new Float32Array(shape.reduce((product, size) => product * size, 1));
 *   return [key, { dtype: "float32" as const, shape, data }];
 * }));
 * const path = `${Deno.makeTempDirSync()}/qwen_vla.pt`;
 * writeTorchCheckpoint(path, { epoch: 0, model_state_dict: state });
 * assert((await checkCheckpoint(path, { against: "no-sensor:none" })).ok);
 * const { ok, missing } = await checkCheckpoint(path, { against: "regression:concat" });
 * assert(!ok && missing.includes("action_expert.pos_embed"));
 * ```
 */
export async function checkCheckpoint(
  path: string,
  options: CheckCheckpointOptions = {},
): Promise<CheckpointCheck> {
  const choice = options.against === undefined ? undefined : parsePolicyChoice(options.against);
  using checkpoint = openCheckpoint(path, options);
  const expected = expectation(checkpoint, choice, options.preset);
  const { loaded: matched, ...report } = matchPolicy(expected.config, checkpoint.tensors);
  const values = await valuesOf(checkpoint, expected.config, options);
  const isWhole = isMatch({ loaded: matched, ...report });
  const visual = visualFacts(checkpoint), problems = visual?.problems ?? [];
  const own = checkpoint.config ?? expected.inferred?.config;
  const { layout, trainingStage: stage, ignored, wrappers, losses } = checkpoint;
  const { program, epoch, globalStep } = checkpoint;
  return {
    ok: isWhole && problems.length === 0 &&
      values.nonFinite.length + values.allZero.length + values.negative.length === 0,
    path: checkpoint.path,
    layout,
    stage,
    architecture: own?.architecture ?? null,
    family: own?.family ?? null,
    fusion: own?.fusion ?? null,
    against: expected.config,
    basis: expected.basis,
    asked: expected.asked,
    assumed: expected.assumed,
    ...report,
    ...values,
    matched,
    parameters: countStored(checkpoint),
    ...totals(checkpoint),
    ...{ ignored, wrappers, program, epoch, globalStep, losses },
    valuesRead: options.stats ?? false,
    visualLanguage: visual?.text ?? null,
    remarks: [
      ...problems.slice(0, 10).map((problem) => `✗ visual-language model: ${problem}`),
      ...checkpoint.remarks,
      ...(isWhole ? [] : remarksOf(checkpoint, expected, report)),
      ...valueAdvice(values),
    ],
  };
}

async function valuesOf(
  checkpoint: OpenCheckpoint,
  config: PolicyConfig,
  { stats, signal, onProgress }: CheckCheckpointOptions,
): Promise<ValueFindings> {
  if (!stats) return { nonFinite: [], allZero: [], negative: [], duplicated: [] };
  const stop = signal === undefined ? {} : { signal };
  await checkpoint.verify(stop);
  const progress = onProgress === undefined ? {} : { onProgress };
  return await readValues(checkpoint, policyShapes(config), { ...stop, ...progress });
}

function totals({ tensors }: OpenCheckpoint) {
  const dtypes: Record<string, number> = {};
  let bytes = 0;
  for (const tensor of tensors.values()) {
    dtypes[tensor.dtype] = (dtypes[tensor.dtype] ?? 0) + 1;
    bytes += tensor.bytes;
  }
  return { tensors: tensors.size, bytes, dtypes };
}

function remarksOf(
  checkpoint: OpenCheckpoint,
  { config, inferred }: Expectation,
  report: Omit<MatchReport, "loaded">,
): string[] {
  const like = likeness(config, checkpoint, inferred);
  return [...(like === undefined ? [] : [like]), advice(checkpoint, { like, report })];
}

function valueAdvice({ nonFinite, allZero, negative }: ValueFindings): string[] {
  const lines: string[] = [];
  if (nonFinite.length > 0) {
    lines.push(
      "Its training diverged: go back to an older checkpoint, such as the best one, and lower the " +
        "learning rate or look for NaN in the data.",
    );
  }
  if (negative.length > 0) {
    lines.push("A variance below zero was never computed: copy the checkpoint again.");
  }
  if (allZero.length > 0) {
    lines.push("What is zero was lost or never trained: save it again where it was trained.");
  }
  return lines;
}
