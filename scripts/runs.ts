/**
 * `deno task runs`: what has been trained, in a table.
 *
 * @module
 */
import {
  choiceFlag,
  formatTable,
  listFlag,
  printable,
  runCommand,
  switchFlag,
  textFlag,
  UsageError,
} from "../lib/cli/mod.ts";
import { writeFileAtomic } from "../lib/formats/mod.ts";
import { isThere } from "../lib/formats/_path.ts";
import {
  chooseRuns,
  compareRuns,
  comparisonTable,
  findRuns,
  readRun,
  RUN_COLUMNS,
  type RunFacts,
  runRows,
  runsPage,
  sortRuns,
} from "../lib/runs/mod.ts";

const RUNS = "runs";
/** More warnings would hide the table. */
const MOST_WARNINGS = 10;

if (import.meta.main) {
  await runCommand({
    name: "runs",
    summary: "Lists runs with what came out of them, or shows in what some of them differ.",
    arguments: "[PATH...]",
    details: `PATHs are runs, folders of them, or wildcards; without one, --runs is listed.
finished: all of it is there. unfinished: the command that began it goes on with it. in progress: a
process trains. damaged: see below the table what is wrong.
RMSE is that of the policy on the run's validation episodes, in mm; next to it stands what part of
the best baseline's RMSE it is: below 1 is better than every rule without eyes. Success is the share
of simulated insertions, one for each replanning interval.
  deno task runs --sort ratio
  deno task runs --compare 20260203-040506 20260204
  deno task runs 'runs/*-train-diffusion' --html runs.html`,
    flags: {
      runs: textFlag("folder of all runs", { placeholder: "DIR", default: RUNS }),
      sort: choiceFlag("column to sort by; success falls, all others rise", RUN_COLUMNS, {
        default: "name",
      }),
      reverse: switchFlag("sort the other way round"),
      compare: listFlag(
        "show in which settings these runs differ, and their results; paths, or enough of their names",
        { placeholder: "RUN" },
      ),
      html: textFlag("write a page with all loss curves to this file too", {
        placeholder: "FILE.html",
      }),
    },
    run: ({ runs, sort, reverse, compare, html }, context) => {
      const { arguments: paths, given, print, note, warn } = context;
      if (compare.length === 1) {
        throw new UsageError("Flag --compare needs two runs or more: --compare RUN RUN");
      }
      const isDefault = paths.length === 0 && !given.has("runs") && !isThere(RUNS);
      const roots = paths.length > 0 ? paths : isDefault ? [] : [runs];
      const found = findRuns([...roots, ...compare.filter(isThere)]).map(readRun);
      const chosen = compare.length > 0
        ? chooseRuns(compare, found)
        : sortRuns(found, sort, { reverse });
      if (html !== undefined) {
        writeFileAtomic(html, runsPage(compareRuns(chosen)));
        note(`page: ${html}`);
      }
      if (compare.length > 0) {
        const comparison = compareRuns(chosen);
        print(formatTable(printableRows(comparisonTable(comparison))));
        return { document: comparison };
      }
      if (chosen.length === 0) {
        note(
          `No runs in ${(isDefault ? [RUNS] : roots).join(", ")}; the train commands make them.`,
        );
      } else print(formatTable(printableRows(runRows(chosen))));
      tellProblems(chosen, warn);
      return { document: { runs: chosen } };
    },
  });
}

/** Cells come from files: they may not command the terminal. */
function printableRows(rows: readonly (readonly string[])[]): string[][] {
  return rows.map((row) => row.map((cell) => printable(cell)));
}

function tellProblems(runs: readonly RunFacts[], warn: (text: string) => void): void {
  const all = runs.flatMap(({ name, problems }) => problems.map((text) => `${name}: ${text}`));
  all.slice(0, MOST_WARNINGS).forEach((text) => warn(printable(text)));
  const rest = all.length - MOST_WARNINGS;
  if (rest > 0) warn(`${rest} more; --json has all.`);
}
