import { ownersAmong } from "./_owners.ts";
import { plural } from "../_plural.ts";

import type { Finding } from "../recording.ts";
import type { DataDiagnosis } from "./diagnose_data.ts";

/**
 * Findings as people read them: below the path of the recording or episode that they belong to, with
 * the place in it; first those that belong to none.
 *
 * @param diagnosis what was found
 * @param options how a severity is written, and whether remarks (`info`) are left out (default no)
 * @returns lines; empty without findings
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { diagnoseData, formatDataFindings } from "./mod.ts";
 *
 * const path = `${Deno.makeTempDirSync()}/Eye_trocar/recv_all_20251027_170308`;
 * Deno.mkdirSync(path, { recursive: true });
 * const [title, finding] = formatDataFindings(await diagnoseData([path])).split("\n");
 * assert.equal(title, path);
 * assert.match(finding!, /^  error recording\.unreadable: .* it should hold one robot_state_/);
 * ```
 */
export function formatDataFindings(
  { findings, recordings, episodes, pickles }: DataDiagnosis,
  { label = (severity) => severity, quiet = false }: {
    readonly label?: (severity: Finding["severity"]) => string;
    readonly quiet?: boolean;
  } = {},
): string {
  const paths = [...recordings, ...episodes, ...pickles].map(({ path }) => path);
  const shown = quiet ? findings.filter(({ severity }) => severity !== "info") : findings;
  const byOwner = Map.groupBy(shown, ownersAmong(paths));
  const line = ({ severity, code, where, message }: Finding, owner = "") => {
    const place = owner === "" ? where : where.slice(owner.length).replace(/^[/\\]/, "");
    const text = owner === "" ? message : message.replaceAll(`${owner}/`, "");
    return `${label(severity)} ${code}${place === "" ? "" : ` (${place})`}: ${text}`;
  };
  const blocks = [undefined, ...paths].flatMap((owner) => {
    const lines = (byOwner.get(owner) ?? []).map((finding) => line(finding, owner));
    if (lines.length === 0) return [];
    return [owner === undefined ? lines.join("\n") : [owner, ...lines].join("\n  ")];
  });
  return blocks.join("\n\n");
}

/**
 * The data-quality report as people read it: a table of recordings, one of episodes, one of pickles, a
 * closing line. Findings are for {@linkcode formatDataFindings}.
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
 * const none = { findings: [], recordings: [], episodes: [], pickles: [], empty: ["data"] };
 * assert.equal(
 *   formatDataDiagnosis({ ok: true, ...none }, (rows) => rows.join()),
 *   "0 recordings, 0 episodes, 1 root that holds nothing: 0 errors, 0 warnings.",
 * );
 * ```
 */
export function formatDataDiagnosis(
  { findings, recordings, episodes, pickles, empty }: DataDiagnosis,
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
  if (pickles.length > 0) {
    blocks.push(formatTable([
      ["data.pkl in", "actions", "views", "sensor", "errors", "warnings"],
      ...pickles.map((each) => [
        each.path,
        each.actions,
        each.views,
        each.hasSensor ? "yes" : "no",
        each.errors,
        each.warnings,
      ]),
    ]));
  }
  const count = (severity: string) =>
    findings.filter((finding) => finding.severity === severity).length;
  const things = [
    plural(recordings.length, "recording"),
    plural(episodes.length, "episode"),
    ...(pickles.length > 0 ? [`${pickles.length} data.pkl`] : []),
    ...(empty.length > 0
      ? [`${plural(empty.length, "root")} that hold${empty.length === 1 ? "s" : ""} nothing`]
      : []),
  ];
  const found = [plural(count("error"), "error"), plural(count("warning"), "warning")];
  blocks.push(`${things.join(", ")}: ${found.join(", ")}.`);
  return blocks.join("\n\n");
}
