import { formatNumber } from "../evaluation/_words.ts";
import { formatDuration } from "../cli/format_duration.ts";
import { formatBytes } from "../formats/format_bytes.ts";
import { formatPercent } from "../plots/_percent.ts";
import type { RunFacts } from "./read_run.ts";

/** Names of the columns of the table of runs. */
export const RUN_COLUMNS = [
  "name",
  "program",
  "policy",
  "preset",
  "seed",
  "epochs",
  "steps",
  "state",
  "loss",
  "rmse",
  "ratio",
  "success",
  "time",
  "size",
] as const;

/** A column of the table of runs. */
export type RunColumn = typeof RUN_COLUMNS[number];

/** Columns of what a run was to do; the others say what came out. */
const IDENTITY: readonly RunColumn[] = ["name", "program", "policy", "preset", "seed"];

/** Columns of what came out. */
export const RESULT_COLUMNS: readonly RunColumn[] = RUN_COLUMNS.filter((column) =>
  !IDENTITY.includes(column)
);

const TITLES: Readonly<Partial<Record<RunColumn, string>>> = {
  loss: "val loss",
  rmse: "RMSE",
  ratio: "of baseline",
};

/**
 * Heading of a column.
 *
 * @param column its name
 * @returns text
 */
export function columnTitle(column: RunColumn): string {
  return TITLES[column] ?? column;
}

/**
 * What a column says of a run.
 *
 * @param run its facts
 * @param column name of the column
 * @returns text; `–` for what is not known
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { RunFolder } from "../training/run/run_folder.ts";
 * import { columnText, readRun } from "./mod.ts";
 *
 * const config = { program: "train:stage1", settings: { training: { epochs: 3 } }, notes: {} };
 * using run = RunFolder.create(Deno.makeTempDirSync(), config);
 * assert.equal(columnText(readRun(run.path), "epochs"), "–/3");
 * ```
 */
export function columnText(run: RunFacts, column: RunColumn): string {
  switch (column) {
    case "name":
    case "state":
      return run[column];
    case "program":
      return [run.program ?? "–", ...visualPart(run)].join(" ");
    case "preset":
      return run.preset ?? "–";
    case "policy":
      return [run.family, run.fusion].filter((part) => part !== null).join(" ") || "–";
    case "epochs":
      return `${run.epochs ?? "–"}/${run.plannedEpochs ?? "–"}`;
    case "seed":
    case "steps":
      return String(run[column] ?? "–");
    case "loss":
      return formatNumber(run.valLoss);
    case "rmse":
    case "ratio":
      return formatNumber(run[column]);
    case "success":
      return run.closedLoop.map(({ successRate }) => formatPercent(successRate)).join(", ") || "–";
    case "time":
      return run.seconds === null ? "–" : formatDuration(run.seconds);
    case "size":
      return formatBytes(run.bytes);
  }
}

/** What of the model was trained, or which features it had where they are not the usual ones. */
function visualPart({ finetune, features }: RunFacts): string[] {
  if (finetune !== null) return [finetune];
  return features === null || features === "pixel-2048" ? [] : [features];
}

/**
 * Sorts runs: numbers and texts rise, success falls, so that the best of a measure come first; runs of
 * which nothing is known come last.
 *
 * @param runs their facts
 * @param column name of the column
 * @param options `reverse`: the other way round, what is unknown still last; default false
 * @returns a new list; equal runs keep their order
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { RunFolder } from "../training/run/run_folder.ts";
 * import { readRun, sortRuns } from "./mod.ts";
 *
 * const runs = [2, 10, 1].map((seed) => {
 *   const config = { program: "train:stage1", settings: { training: { seed } }, notes: {} };
 *   using run = RunFolder.create(Deno.makeTempDirSync(), config);
 *   return readRun(run.path);
 * });
 * assert.deepEqual(sortRuns(runs, "seed").map(({ seed }) => seed), [1, 2, 10]);
 * ```
 */
export function sortRuns(
  runs: readonly RunFacts[],
  column: RunColumn,
  { reverse = false }: { readonly reverse?: boolean } = {},
): RunFacts[] {
  const sign = (column === "success" ? -1 : 1) * (reverse ? -1 : 1);
  return [...runs].sort((first, second) => {
    const a = sortKey(first, column), b = sortKey(second, column);
    if (a === null || b === null) return Number(a === null) - Number(b === null);
    return sign * (a < b ? -1 : a > b ? 1 : 0);
  });
}

function sortKey(run: RunFacts, column: RunColumn): number | string | null {
  switch (column) {
    case "loss":
      return run.valLoss;
    case "time":
      return run.seconds;
    case "size":
      return run.bytes;
    case "policy": {
      const text = columnText(run, column);
      return text === "–" ? null : text;
    }
    case "success":
      return run.closedLoop.length === 0
        ? null
        : run.closedLoop.reduce((sum, { successRate }) => sum + successRate, 0) /
          run.closedLoop.length;
    default:
      return run[column];
  }
}

/**
 * Names of runs for people; runs of one name have their folder before it.
 *
 * @param runs their paths and names
 * @returns a name of each
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { shownNames } from "./mod.ts";
 *
 * const runs = ["/x/a/1", "/x/b/1", "/x/b/2"].map((path) => ({ path, name: path.slice(5) }));
 * assert.deepEqual(shownNames(runs), ["a/1", "b/1", "2"]);
 * ```
 */
export function shownNames(runs: readonly Pick<RunFacts, "name" | "path">[]): string[] {
  const counts = Map.groupBy(runs, ({ name }) => name);
  return runs.map(({ name, path }) =>
    counts.get(name)!.length === 1 ? name : path.split(/[\\/]/).slice(-2).join("/")
  );
}

/**
 * The table of runs.
 *
 * @param runs their facts
 * @returns rows of cells, headings first
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { runRows } from "./mod.ts";
 *
 * assert.deepEqual(runRows([])[0]!.slice(0, 3), ["name", "program", "policy"]);
 * ```
 */
export function runRows(runs: readonly RunFacts[]): string[][] {
  const names = shownNames(runs);
  return [
    RUN_COLUMNS.map(columnTitle),
    ...runs.map((run, i) =>
      RUN_COLUMNS.map((column) => column === "name" ? names[i]! : columnText(run, column))
    ),
  ];
}
