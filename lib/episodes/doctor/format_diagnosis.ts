import { plural } from "./_report.ts";
import type { DataDiagnosis } from "./diagnose_data.ts";

/**
 * The data-quality report as people read it: a table of recordings, one of episodes, a closing line.
 * Findings are for the caller to print.
 *
 * @param diagnosis what was found
 * @param formatTable makes lines of rows of cells
 * @returns lines
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { formatDataDiagnosis } from "./mod.ts";
 *
 * const empty = { ok: true, findings: [], recordings: [], episodes: [] };
 * assert.equal(
 *   formatDataDiagnosis(empty, (rows) => rows.join()),
 *   "0 recordings, 0 episodes: 0 errors, 0 warnings.",
 * );
 * ```
 */
export function formatDataDiagnosis(
  { findings, recordings, episodes }: DataDiagnosis,
  formatTable: (rows: (string | number)[][]) => string,
): string {
  const blocks: string[] = [];
  if (recordings.length > 0) {
    blocks.push(formatTable([
      [
        "recording",
        "layout",
        "robot Hz",
        "rows",
        "actions",
        "sensor Hz",
        "views",
        "errors",
        "warnings",
      ],
      ...recordings.map((each) => [
        each.path,
        each.layout,
        each.robotHz.toFixed(2),
        each.rows,
        each.actions,
        each.sensorHz > 0 ? each.sensorHz.toFixed(2) : "–",
        each.views.length,
        each.errors,
        each.warnings,
      ]),
    ]));
  }
  if (episodes.length > 0) {
    blocks.push(formatTable([
      ["episode", "task", "actions", "segments", "errors", "warnings"],
      ...episodes.map((each) => [
        each.path,
        each.task,
        each.actions,
        each.segments,
        each.errors,
        each.warnings,
      ]),
    ]));
  }
  const count = (severity: string) =>
    findings.filter((finding) => finding.severity === severity).length;
  blocks.push([
    `${plural(recordings.length, "recording")}, ${plural(episodes.length, "episode")}: `,
    `${plural(count("error"), "error")}, ${plural(count("warning"), "warning")}.`,
  ].join(""));
  return blocks.join("\n\n");
}
