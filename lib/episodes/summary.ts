import { relative } from "node:path";
import { writeFileAtomic } from "../formats/atomic_write.ts";
import type { Finding } from "./recording.ts";
import type { PreprocessedEpisode } from "./preprocess.ts";
import type { Percentiles } from "./stream_quality.ts";

/** What `deno task preprocess --json` prints of one recording. */
export interface EpisodeSummary {
  /** The recording. */
  readonly path: string;
  /** Its layout. */
  readonly layout: string;
  /** Whether an episode was written. */
  readonly ok: boolean;
  /** Why not; null if it was. */
  readonly error: string | null;
  /** Folder that was written; null if none was. */
  readonly output: string | null;
  /** Rate of the robot log, in hertz. */
  readonly robotHz: number;
  /** Rows of the robot log as recorded. */
  readonly rows: number;
  /** Actions. */
  readonly actions: number;
  /** Stretches of actions without a hole. */
  readonly segments: number;
  /** Rows at which no action could start. */
  readonly skipped: number;
  /** Robot rows left out because a later one has the same time. */
  readonly duplicates: number;
  /** Places where the robot's clock went back. */
  readonly backwardJumps: number;
  /** Gaps in the robot log. */
  readonly gaps: number;
  /** Crossings of ±180° by a, b or r. */
  readonly angleWraps: number;
  /** |action's length − 1/actionHz|. */
  readonly residualMs: Percentiles;
  /** Sensor rows, their rate, and the share of the actions' windows that they fill; null without. */
  readonly sensor: { readonly rows: number; readonly hz: number; readonly coverage: number } | null;
  /** Images and rate by view. */
  readonly views: Readonly<Record<string, { readonly frames: number; readonly hz: number }>>;
  /** Clock offsets that were subtracted, in seconds. */
  readonly clockOffsets: Readonly<Record<string, number>>;
  /** Everything worth a word, rejected data and why. */
  readonly findings: readonly Finding[];
  /** Wall time. */
  readonly seconds: number;
}

const NONE: Percentiles = { p50: 0, p95: 0, max: 0 };

/**
 * The figures of one recording that scripts rely on.
 *
 * @param outcome what became of it
 * @returns the summary; zeros where the recording could not be read
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { preprocess, summarizeEpisode } from "./mod.ts";
 *
 * const [outcome] = await preprocess(["/nowhere"]);
 * assert.deepEqual([summarizeEpisode(outcome!).ok, summarizeEpisode(outcome!).actions], [false, 0]);
 * ```
 */
export function summarizeEpisode(outcome: PreprocessedEpisode): EpisodeSummary {
  const { path, layout, ok, error, output, report, seconds } = outcome;
  const offsets = Object.entries(report?.clockOffsets ?? {}).map(([stream, { seconds }]) =>
    [stream, seconds] as const
  );
  return {
    path,
    layout,
    ok,
    error,
    output,
    robotHz: report?.robot.hz ?? 0,
    rows: report?.robot.recorded ?? 0,
    actions: report?.actions ?? 0,
    segments: report?.segments ?? 0,
    skipped: report?.skipped ?? 0,
    duplicates: report?.robot.duplicates ?? 0,
    backwardJumps: report?.robot.backwardJumps ?? 0,
    gaps: report?.robot.gaps.length ?? 0,
    angleWraps: report?.robot.angleWraps ?? 0,
    residualMs: report?.residualMs ?? NONE,
    sensor: report?.sensor
      ? { rows: report.sensor.samples, hz: report.sensor.hz, coverage: report.sensor.coverage }
      : null,
    views: Object.fromEntries(
      Object.entries(report?.views ?? {}).map(([name, { samples, hz }]) => [
        name,
        { frames: samples, hz },
      ]),
    ),
    clockOffsets: Object.fromEntries(offsets),
    findings: report?.findings ?? [],
    seconds,
  };
}

/**
 * Writes the alignment reports of several recordings to a JSON file, as a whole or not at all.
 *
 * @param path of the file
 * @param outcomes what became of the recordings
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { writeReports } from "./mod.ts";
 *
 * const path = `${Deno.makeTempDirSync()}/report.json`;
 * writeReports(path, []);
 * assert.deepEqual(JSON.parse(Deno.readTextFileSync(path)), { episodes: [] });
 * ```
 */
export function writeReports(path: string, outcomes: readonly PreprocessedEpisode[]): void {
  const episodes = outcomes.map((outcome) => ({
    ...summarizeEpisode(outcome),
    report: outcome.report,
  }));
  writeFileAtomic(path, `${JSON.stringify({ episodes }, null, 1)}\n`);
}

/**
 * The alignment reports as people read them: a table per recording, then its findings.
 *
 * @param outcomes what became of the recordings
 * @param formatTable makes lines of rows of cells
 * @param options `quiet` leaves out findings that are only worth knowing
 * @returns lines
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { formatReports } from "./mod.ts";
 *
 * assert.equal(formatReports([], (rows) => rows.join()), "0 recordings: 0 episodes, 0 failed.");
 * ```
 */
export function formatReports(
  outcomes: readonly PreprocessedEpisode[],
  formatTable: (rows: (string | number)[][]) => string,
  options: { readonly quiet?: boolean } = {},
): string {
  const isShown = ({ severity }: Finding) => severity !== "info" || options.quiet !== true;
  const blocks = outcomes.map((outcome) => formatReport(outcome, formatTable, isShown));
  const recordings = outcomes.filter(({ layout }) => layout !== "unknown");
  const done = recordings.filter(({ ok }) => ok).length;
  const count = recordings.length, roots = outcomes.length - count;
  blocks.push(
    `${count} recording${count === 1 ? "" : "s"}: ${done} episode${done === 1 ? "" : "s"}, ` +
      `${count - done} failed.` +
      (roots === 0 ? "" : ` ${roots} root${roots === 1 ? "" : "s"} without a recording.`),
  );
  return blocks.join("\n\n");
}

function formatReport(
  outcome: PreprocessedEpisode,
  formatTable: (rows: (string | number)[][]) => string,
  isShown: (finding: Finding) => boolean,
): string {
  if (outcome.report === null) return `error: ${outcome.error}`;
  const { report } = outcome;
  const { robot, sensor, views } = report;
  const streams = [
    ["robot", robot],
    ...Object.entries(views),
    ...(sensor === null ? [] : [["sensor", sensor]]),
  ] as [string, typeof robot][];
  const offset = (name: string) => {
    if (name === "robot") return "–";
    const { seconds, source } = report.clockOffsets[name === "sensor" ? "sensor" : "camera"];
    return `${(seconds * 1000).toFixed(1)} ${source}`;
  };
  const table = formatTable([
    [
      "stream",
      "samples",
      "Hz",
      "jitter ms p50",
      "p95",
      "max",
      "gaps",
      "lost",
      "duplicates",
      "back",
      "offset ms",
    ],
    ...streams.map(([name, stream]) => [
      name,
      stream.samples,
      stream.hz.toFixed(2),
      stream.jitterMs.p50.toFixed(2),
      stream.jitterMs.p95.toFixed(2),
      stream.jitterMs.max.toFixed(2),
      stream.gaps.length,
      stream.lost,
      stream.duplicates,
      stream.backwardJumps,
      offset(name),
    ]),
  ]);
  const { p50, p95, max } = report.residualMs;
  const segments = report.segments === 1 ? "1 segment" : `${report.segments} segments`;
  const actions = `${report.actions} actions in ${segments}, ${report.skipped} rows skipped, ` +
    `residual ms p50 ${p50.toFixed(2)}, p95 ${p95.toFixed(2)}, max ${max.toFixed(2)}, ` +
    `${robot.angleWraps} angle ${robot.angleWraps === 1 ? "wrap" : "wraps"}` +
    (sensor === null
      ? ""
      : `, sensor rows for ${(sensor.coverage * 100).toFixed(1)} % of their windows`);
  const findings = report.findings.filter(isShown).map(({ severity, message, where }) => {
    const place = where.startsWith(outcome.path) ? where.slice(outcome.path.length + 1) : where;
    return `  ${severity}: ${message}${place === "" ? "" : ` (${place})`}`;
  });
  const title = `${shortPath(outcome.path)} (${outcome.layout})` +
    (outcome.ok ? ` → ${shortPath(outcome.output!)}` : ": no episode");
  const told = outcome.ok ? [`${outcome.task}: "${outcome.instruction}"`] : [];
  const failure = outcome.ok ? [] : [`  error: ${outcome.error}`];
  return [title, ...told, table, actions, ...findings, ...failure].join("\n");
}

/** Relative where that is shorter. */
function shortPath(path: string): string {
  const here = relative(Deno.cwd(), path);
  return here.length < path.length ? here : path;
}
