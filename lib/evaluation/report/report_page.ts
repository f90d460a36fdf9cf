import { formatPercent } from "../../plots/_percent.ts";
import { renderSvg } from "../../plots/render_svg.ts";
import {
  type GroupShare,
  lossCurves,
  type MetricRow,
  shareBars,
  successBars,
} from "../../plots/run_charts.ts";
import type { ChunkPredictions } from "../chunk_predictions.ts";
import type { ClosedLoopReport } from "../closed_loop/report.ts";
import { BASELINES } from "../comparison.ts";
import type { Evaluation } from "../evaluation.ts";
import {
  comparisonRows,
  DECISION_UNKNOWN,
  describeCounted,
  dimensionRows,
  partRows,
  permutationSentence,
  stepRows,
} from "../format_evaluation.ts";
import { BASELINE_TITLES, formatNumber, MEASURES } from "../_words.ts";
import { errorFigures, overlayFigure } from "./_figures.ts";
import { escapeHtml } from "../../plots/_html.ts";
import { definitions, figure, page, paragraph, section, table } from "./_html.ts";

/** Closed-loop runs of one policy. */
export interface ClosedLoopEntry {
  /** Policy, and how often it plans: `policy, every 0.8 s`. */
  readonly name: string;
  /** How they went. */
  readonly report: Pick<
    ClosedLoopReport,
    "episodes" | "successRate" | "failures" | "lateralErrorMm" | "depthErrorMm"
  >;
}

/** What a report shows; sections without contents are left out. */
export interface ReportInput {
  /** Heading. */
  readonly title: string;
  /** What was evaluated: names and values, such as run, checkpoint, digest of the data. */
  readonly subject?: readonly (readonly [name: string, value: string])[];
  /** Open loop. */
  readonly evaluation?: Evaluation;
  /** The predictions behind it, for a picture of some chunks. */
  readonly chunks?: ChunkPredictions;
  /** Closed loop, the policy first. */
  readonly closedLoop?: readonly ClosedLoopEntry[];
  /** Lines of `metrics.jsonl`. */
  readonly metrics?: readonly MetricRow[];
  /** Shares of the groups of training samples; drawn if there are several. */
  readonly shares?: readonly GroupShare[];
  /** Warnings of the run; those of the evaluation are added. */
  readonly warnings?: readonly string[];
}

/** More groups than this are named in the table only. */
const MOST_GROUPS = 200;

/**
 * Writes an evaluation as a page that needs nothing else: no scripts, no fonts, no network. For
 * screens of any width, light and dark, and for paper.
 *
 * @param input what it shows
 * @returns HTML
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { exampleChunks } from "../_example.ts";
 * import { evaluateChunks } from "../evaluation.ts";
 * import { reportPage } from "./report_page.ts";
 *
 * const evaluation = evaluateChunks(exampleChunks());
 * const html = reportPage({ title: "a < b", evaluation });
 * assert.match(html, /<h1>a &lt; b<\/h1>/);
 * assert.match(html, /is no better than .*hold last action/);
 * ```
 */
export function reportPage(input: ReportInput): string {
  const { title, subject = [], evaluation, chunks, closedLoop = [] } = input;
  const warnings = [...new Set([...input.warnings ?? [], ...evaluation?.warnings ?? []])];
  return page(
    title,
    [
      warningBox(warnings),
      section("What was evaluated", definitions(subject)),
      evaluation === undefined ? "" : openLoop(evaluation),
      evaluation === undefined ? "" : section(
        "Where the errors are",
        ...errorFigures(evaluation),
        overlayFigure(chunks),
        table(dimensionRows(evaluation)),
        paragraph("RMSE of each dimension in its unit (above) and of each step (below)."),
        table(stepRows(evaluation)),
      ),
      evaluation === undefined ? "" : section("Parts of the data", ...parts(evaluation)),
      closedLoop.length === 0 ? "" : section("Closed loop in the simulator", ...loops(closedLoop)),
      section("Training", ...training(input)),
    ].filter((part) => part !== "").join("\n"),
  );
}

function warningBox(warnings: readonly string[]): string {
  if (warnings.length === 0) return "";
  const items = warnings.map((warning) => `<li>${escapeHtml(warning)}</li>`).join("\n");
  return `<div class="warnings" role="note"><ul>${items}</ul></div>`;
}

function openLoop(evaluation: Evaluation): string {
  const { windows, horizon, beatsBaselines, model, baselines } = evaluation;
  const best = BASELINES.reduce((a, b) => baselines[a].rmse <= baselines[b].rmse ? a : b);
  const ratio = formatNumber(model.rmse / baselines[best].rmse);
  const verdict = beatsBaselines
    ? `Better than every baseline: ${ratio} times the error of the best of them, ` +
      `${BASELINE_TITLES[best]}.`
    : `Not better than every baseline: ${ratio} times the error of ${BASELINE_TITLES[best]}.`;
  return section(
    "The policy beside the baselines",
    `<p class="verdict ${beatsBaselines ? "good" : "bad"}">${escapeHtml(verdict)}</p>`,
    table(comparisonRows(evaluation, evaluation), "policy-first"),
    paragraph(
      `${windows} windows of ${horizon} actions. RMSE and MAE are over ` +
        `${describeCounted(evaluation)}. ${MEASURES}`,
    ),
    paragraph(permutationSentence(evaluation)),
    paragraph(
      "For the test the recorded chunks of each episode are shifted in time at random. A policy " +
        "that looks at its inputs fits the true order much better than any other (p small).",
    ),
  );
}

function parts(evaluation: Evaluation): string[] {
  const rows = partRows(evaluation, MOST_GROUPS);
  const { decision } = evaluation;
  return [
    rows.length === 0 ? "" : table(rows),
    paragraph(
      decision === null
        ? DECISION_UNKNOWN
        : "RMSE. In decision windows the expert slows down, punctures or stops: what only the " +
          "sensor can tell. A policy that ignores the sensor is worst here.",
    ),
  ];
}

function loops(entries: readonly ClosedLoopEntry[]): string[] {
  const rows = entries.map(({ name, report }) => [
    name,
    String(report.episodes),
    formatPercent(report.successRate),
    formatNumber(report.lateralErrorMm.p50),
    formatNumber(report.lateralErrorMm.p95),
    formatNumber(report.depthErrorMm.p50),
    formatNumber(report.depthErrorMm.p95),
    Object.entries(report.failures).map(([reason, n]) => `${n} ${reason}`).join(", ") || "none",
  ]);
  const figures = entries.map(({ name, report: { episodes, successRate } }) => ({
    name,
    episodes,
    successRate,
  }));
  const heading = [
    "policy",
    "runs",
    "success",
    "lateral mm",
    "lateral mm p95",
    "depth mm",
    "depth mm p95",
    "failures",
  ];
  return [
    figure(
      renderSvg(successBars(figures)),
      "Share of simulated insertions that meet all criteria. Whiskers are 95 % intervals for this " +
        "number of scenes: differences within overlapping whiskers mean nothing. Open-loop errors " +
        "do not predict success: look at both.",
    ),
    table([heading, ...rows], "ends-in-words"),
    paragraph(
      "Errors are medians and 95th percentiles: distance from the axis at contact, and of " +
        "the final depth from the goal.",
    ),
  ];
}

function training({ metrics = [], shares = [] }: ReportInput): string[] {
  const curves = lossCurves(metrics);
  return [
    curves.data.length === 0 ? "" : figure(
      renderSvg(curves),
      "Both should fall and then level out. A validation loss that rises while the training loss " +
        "falls means too many epochs for these data.",
    ),
    shares.length < 2 ? "" : figure(
      renderSvg(shareBars(shares)),
      "How often each group was drawn, beside what its weight asks for. They differ only by " +
        "rounding to whole samples.",
    ),
  ];
}
