import { join } from "node:path";
import {
  definitions,
  figure,
  page,
  paragraph,
  section,
  table,
} from "../evaluation/report/_html.ts";
import { isFile } from "../formats/_path.ts";
import { renderSvg } from "../plots/render_svg.ts";
import { lossOverlay, type MetricRow, successBars } from "../plots/run_charts.ts";
import { METRICS, MOST_METRICS_BYTES } from "../training/run/_json_file.ts";
import { readMetrics } from "../training/run/metrics_log.ts";
import { runRows, shownNames } from "./columns.ts";
import { comparisonTable, type RunComparison } from "./compare_runs.ts";
import type { RunFacts } from "./read_run.ts";

/** More bars, and more columns of settings, could not be read. */
const MOST_BARS = 60, MOST_COMPARED = 12;

/**
 * Writes runs as a page that needs nothing else: the table, their losses over one another, their
 * insertions, and of at most twelve runs what differs between them.
 *
 * @param comparison of the runs
 * @returns HTML
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { compareRuns, runsPage } from "./mod.ts";
 *
 * assert.match(runsPage(compareRuns([])), /<h1>No runs<\/h1>/);
 * ```
 */
export function runsPage(comparison: RunComparison): string {
  const { runs, differences } = comparison;
  const names = shownNames(runs);
  const losses = runs.map((run, i) => ({ name: names[i]!, rows: metricsOf(run) }));
  const curves = (["validation", "training"] as const)
    .map((part) => lossOverlay(losses, part)).filter(({ data }) => data.length > 0)
    .map((overlay) =>
      figure(renderSvg(overlay), "Only runs of the same data and kind of policy compare.")
    );
  const success = runs.flatMap(({ closedLoop }, i) =>
    closedLoop.map(({ replanMs, episodes, successRate }) => ({
      name: replanMs === null ? names[i]! : `${names[i]}, every ${replanMs / 1000} s`,
      episodes: episodes ?? 0,
      successRate,
    }))
  );
  const problems = runs.flatMap(({ problems }, i) =>
    problems.map((problem) => [names[i]!, problem] as const)
  );
  const title = runs.length === 0 ? "No runs" : runs.length === 1 ? "1 run" : `${runs.length} runs`;
  return page(
    title,
    [
      section(
        "Runs",
        table(runRows(runs), "ends-in-words"),
        paragraph(
          "RMSE is that of the first three dimensions in mm on each run's validation episodes, and " +
            "beside it what part of the best baseline's it is: below 1 is better.",
        ),
      ),
      section("What is wrong", definitions(problems)),
      section("Losses", ...curves),
      success.length === 0 ? "" : section(
        "Insertions in the simulator",
        figure(renderSvg(successBars(success.slice(0, MOST_BARS))), WHISKERS),
      ),
      differences.length === 0 || runs.length > MOST_COMPARED
        ? ""
        : section("What differs between them", table(comparisonTable(comparison))),
    ].filter((part) => part !== "").join("\n"),
  );
}

const WHISKERS = "Whiskers are 95 % intervals for the number of scenes.";

/** Damaged metrics draw nothing: the table names what is wrong. */
function metricsOf({ path }: RunFacts): readonly MetricRow[] {
  const file = join(path, METRICS);
  try {
    return isFile(file) && Deno.statSync(file).size <= MOST_METRICS_BYTES ? readMetrics(file) : [];
  } catch (error) {
    if (error instanceof SyntaxError) return [];
    throw error;
  }
}
