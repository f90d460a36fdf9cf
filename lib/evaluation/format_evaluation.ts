import { BASELINES, type Comparison } from "./comparison.ts";
import type { ErrorSummary } from "./error_summary.ts";
import type { Evaluation } from "./evaluation.ts";
import { BASELINE_TITLES, formatNumber, MEASURES } from "./_words.ts";

/** A table: heading, then rows, numbers as text. */
export type Rows = readonly (readonly string[])[];

/**
 * An evaluation as tables for people.
 *
 * @param evaluation from `evaluateChunks`
 * @returns lines
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { exampleChunks } from "./_example.ts";
 * import { evaluateChunks } from "./evaluation.ts";
 * import { formatEvaluation } from "./format_evaluation.ts";
 *
 * assert.match(formatEvaluation(evaluateChunks(exampleChunks())), /policy +0\.05774/);
 * ```
 */
export function formatEvaluation(evaluation: Evaluation): string {
  const { windows, horizon, groups } = evaluation;
  const parts = [
    `${windows} windows of ${horizon} actions. RMSE is over ${describeCounted(evaluation)}.`,
    table(comparisonRows(evaluation, evaluation)),
    MEASURES,
    `RMSE of each dimension`,
    table(dimensionRows(evaluation)),
    `RMSE of each step`,
    table(stepRows(evaluation)),
  ];
  const rows = partRows(evaluation);
  if (rows.length > 0) parts.push(`RMSE of parts of the windows`, table(rows));
  parts.push(permutationSentence(evaluation));
  if (evaluation.decision === null) parts.push(DECISION_UNKNOWN);
  if (groups.length > 12) parts.push("All groups are in the report and under --json.");
  return parts.join("\n\n");
}

/** Where nobody knows which windows are decision windows. */
export const DECISION_UNKNOWN =
  "Decision windows: not known, the recordings carry no ground truth of events.";

/** `dx, dy, dz (mm)`. */
export function describeCounted({ rmseDimensions, rmseUnit }: Evaluation): string {
  const unit = rmseUnit === "mixed" ? "units mixed" : rmseUnit || "units not known";
  return `${rmseDimensions.join(", ")} (${unit})`;
}

/** What the permutation test says. */
export function permutationSentence({ permutation }: Evaluation): string {
  const { rmse, permutedRmse, permutations, pValue } = permutation;
  return `Permutation test: RMSE ${formatNumber(rmse)}, ${
    formatNumber(permutedRmse)
  } with labels of ` +
    `other moments, p = ${
      Number(pValue.toPrecision(2))
    } (${permutations} permutations): the predictions ` +
    `${pValue <= 0.05 ? "follow" : "do not follow"} the moment.`;
}

/** The policy and the baselines. */
export function comparisonRows(
  { model, baselines }: Comparison,
  { meanSource }: Evaluation,
): Rows {
  const row = (name: string, errors: ErrorSummary, skill?: number) => [
    name,
    formatNumber(errors.rmse),
    formatNumber(errors.mae),
    formatNumber(errors.path?.mean),
    formatNumber(errors.path?.p95),
    formatNumber(errors.pathRotation?.mean),
    skill === undefined ? "" : formatNumber(skill),
    String(errors.windows),
  ];
  return [
    ["method", "RMSE", "MAE", "path mm", "path mm p95", "path deg", "policy's skill", "windows"],
    row("policy", model),
    ...BASELINES.map((name) => {
      const title = BASELINE_TITLES[name] + (name === "mean" ? ` (${meanSource})` : "");
      return row(title, baselines[name], baselines[name].skill);
    }),
  ];
}

/** Each dimension, with its unit. */
export function dimensionRows(evaluation: Evaluation): Rows {
  const { dimensions, units, model, baselines } = evaluation;
  return [
    ["dimension", "unit", "policy", ...BASELINES.map((name) => BASELINE_TITLES[name])],
    ...dimensions.map((name, d) => [
      name,
      units[d]!,
      formatNumber(model.perDimension[d]),
      ...BASELINES.map((baseline) => formatNumber(baselines[baseline].perDimension[d])),
    ]),
  ];
}

/** Each step of the chunk. */
export function stepRows({ horizon, model, baselines }: Evaluation): Rows {
  return [
    ["step", "policy", ...BASELINES.map((name) => BASELINE_TITLES[name])],
    ...Array.from({ length: horizon }, (_, step) => [
      String(step + 1),
      formatNumber(model.perStep[step]),
      ...BASELINES.map((name) => formatNumber(baselines[name].perStep[step])),
    ]),
  ];
}

/**
 * All windows, decision windows, with and without sensor, by age of what was seen, groups. Parts that
 * are all windows are left out; there are no rows if nothing but all remains.
 */
export function partRows(
  { decision, sensor, visionAges, groups, ...all }: Evaluation,
  most = 12,
): Rows {
  const row = (name: string, part: Comparison | null | undefined) =>
    part === null || part === undefined ? [] : [[
      name,
      formatNumber(part.model.rmse),
      ...BASELINES.map((baseline) => formatNumber(part.baselines[baseline].rmse)),
      String(part.windows),
    ]];
  const proper = (name: string, part: Comparison | null | undefined) =>
    part?.windows === all.windows ? [] : row(name, part);
  const parts = [
    ...row("decision windows", decision),
    ...proper("with sensor", sensor?.with),
    ...row("without sensor", sensor?.without),
    ...visionAges.slice(0, most).flatMap((part) => proper(`seen ${part.age} actions before`, part)),
    ...groups.slice(0, most).flatMap((group) => proper(group.name, group)),
  ];
  if (parts.length === 0) return [];
  return [
    ["part", "policy", ...BASELINES.map((name) => BASELINE_TITLES[name]), "windows"],
    ...row("all", all),
    ...parts,
  ];
}

/** Lines of aligned columns; numbers, which are texts here, stand to the right. */
function table(rows: Rows): string {
  const columns = [...rows[0]!.keys()];
  const widths = columns.map((column) => Math.max(...rows.map((row) => row[column]!.length)));
  const isNumeric = columns.map((column) =>
    rows.slice(1).every((row) => /^[-–\d.e+]*$/.test(row[column]!))
  );
  return rows.map((row) =>
    row.map((cell, i) => isNumeric[i] ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!))
      .join("  ").trimEnd()
  ).join("\n");
}
