import { resolve } from "node:path";
import type { JsonValue } from "../features/canonical_json.ts";
import { canonicalJson } from "../features/canonical_json.ts";
import { flatSettings } from "../training/run/run_config.ts";
import { columnText, columnTitle, RESULT_COLUMNS, shownNames } from "./columns.ts";
import type { RunFacts } from "./read_run.ts";

/** A setting in which runs differ. */
export interface SettingDifference {
  /** Full name, e.g. `training.seed`. */
  readonly setting: string;
  /** Its value in each run, in their order; null also where a run has no such setting. */
  readonly values: readonly JsonValue[];
}

/** Runs beside one another. */
export interface RunComparison {
  /** Facts of each. */
  readonly runs: readonly RunFacts[];
  /** What differs between their settings. */
  readonly differences: readonly SettingDifference[];
}

/**
 * Finds what differs between the settings of runs.
 *
 * @param runs facts of at least one run; one whose settings cannot be read takes no part
 * @returns the settings that are not the same in all, in the order in which runs have them
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { RunFolder } from "../training/run/run_folder.ts";
 * import { compareRuns, readRun } from "./mod.ts";
 *
 * const runs = [1, 2].map((seed) => {
 *   const settings = { training: { seed, epochs: 3 } };
 *   const config = { program: "train:stage1", settings, notes: {} };
 *   using run = RunFolder.create(Deno.makeTempDirSync(), config);
 *   return readRun(run.path);
 * });
 * const { differences } = compareRuns(runs);
 * assert.deepEqual(differences, [{ setting: "training.seed", values: [1, 2] }]);
 * ```
 */
export function compareRuns(runs: readonly RunFacts[]): RunComparison {
  const all = runs.map(({ program, preset, settings }) =>
    settings === null ? null : new Map<string, JsonValue>([
      ["program", program],
      ["preset", preset],
      ...flatSettings(settings),
    ])
  );
  const names = new Set(all.flatMap((settings) => [...settings?.keys() ?? []]));
  const differences = [...names].flatMap((setting) => {
    const values = all.map((settings) => settings?.get(setting) ?? null);
    const known = values.filter((_, i) => all[i] !== null).map((value) => canonicalJson(value));
    return new Set(known).size > 1 ? [{ setting, values }] : [];
  });
  return { runs, differences };
}

/** Longer values are cut in tables. */
const MOST_CHARACTERS = 32;

/**
 * Runs as columns of a table: what differs between their settings, then what came out.
 *
 * @param comparison of the runs
 * @returns rows of cells, headings first
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { comparisonTable } from "./mod.ts";
 *
 * assert.deepEqual(comparisonTable({ runs: [], differences: [] })[0], [""]);
 * ```
 */
export function comparisonTable({ runs, differences }: RunComparison): string[][] {
  return [
    ["", ...shownNames(runs)],
    ...differences.map(({ setting, values }) => [setting, ...values.map(shown)]),
    ...RESULT_COLUMNS.map((column) => [
      columnTitle(column),
      ...runs.map((run) => columnText(run, column)),
    ]),
  ];
}

function shown(value: JsonValue): string {
  if (value === null) return "–";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS - 1)}…` : text;
}

/**
 * The runs that somebody means.
 *
 * @param names paths, or names of runs as far as they tell them apart: their beginning, their end
 * @param runs those there are
 * @returns the runs, in the order of the names
 * @throws {RangeError} when a name fits none, or several
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { chooseRuns } from "./mod.ts";
 *
 * const runs = ["/runs/a-stage1", "/runs/b-stage1"].map((path) => ({ name: path.slice(6), path }));
 * assert.deepEqual(chooseRuns(["b"], runs), [runs[1]]);
 * assert.throws(() => chooseRuns(["stage1"], runs), /2 runs/);
 * ```
 */
export function chooseRuns<T extends Pick<RunFacts, "name" | "path">>(
  names: readonly string[],
  runs: readonly T[],
): T[] {
  return names.map((given) => {
    const wanted = given.replace(/\/+$/, "");
    const ways: ((run: T) => boolean)[] = [
      ({ path }) => path === resolve(wanted),
      ({ path }) => path.endsWith(`/${wanted}`),
      ({ name }) => name.startsWith(wanted) || name.endsWith(wanted),
    ];
    const found = ways.map((fits) => runs.filter(fits)).find(({ length }) => length > 0) ?? [];
    if (wanted !== "" && found.length === 1) return found[0]!;
    throw new RangeError(
      `Cannot tell which run is meant by ${
        JSON.stringify(given)
      }: it must fit one, current value is ` +
        `${found.length === 0 ? "none" : `${found.length} runs`} of ${runs.length}. Give a run's ` +
        "path, or more of its name.",
    );
  });
}
