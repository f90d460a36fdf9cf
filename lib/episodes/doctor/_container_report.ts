import { resolve, sep } from "node:path";
import type { EpisodeManifest } from "../manifest.ts";
import type { Finding } from "../recording.ts";
import type { Report } from "./_report.ts";

/** What an episode of a data.pkl without times is told for already. */
const SAID = "action.no-times";

/**
 * Repeats what was noticed when the episode was made, lost rows and gaps for example: data do not get
 * better by becoming an episode. Remarks (`info`) are not repeated.
 */
export function repeatFindings(folder: string, manifest: EpisodeManifest, report: Report): void {
  const findings: unknown = manifest.report?.findings;
  if (!Array.isArray(findings)) return;
  const source = resolve(folder, manifest.source);
  for (const finding of findings) {
    if (!isFinding(finding) || finding.severity === "info" || finding.code === SAID) continue;
    const { severity, code, where, message } = finding;
    const place = where.startsWith(source) ? where.slice(source.length).replace(sep, "") : where;
    report(
      severity,
      code,
      `${folder}/episode.json at report.findings`,
      place === "" ? message : `${message} (${place})`,
    );
  }
}

function isFinding(value: unknown): value is Finding {
  if (typeof value !== "object" || value === null) return false;
  const { severity, code, where, message } = value as Record<string, unknown>;
  return ["error", "warning", "info"].includes(String(severity)) &&
    [code, where, message].every((text) => typeof text === "string");
}
