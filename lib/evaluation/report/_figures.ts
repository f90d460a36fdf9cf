import { chunkOverlay } from "../../plots/chunk_overlay.ts";
import { errorBars, type ErrorSeries, stepErrors } from "../../plots/error_charts.ts";
import { renderSvg } from "../../plots/render_svg.ts";
import type { ChunkPredictions } from "../chunk_predictions.ts";
import { BASELINES } from "../comparison.ts";
import type { ErrorSummary } from "../error_summary.ts";
import type { Evaluation } from "../evaluation.ts";
import { BASELINE_TITLES } from "../_words.ts";
import { exampleStretch, hasHoles } from "./_example_stretch.ts";
import { figure } from "./_html.ts";

/** Errors of the policy beside the baselines: of each dimension, of each step. */
export function errorFigures(evaluation: Evaluation): string[] {
  const { dimensions, units, model, rmseUnit, rmseDimensions } = evaluation;
  const isTranslation = rmseUnit === "mm";
  const panels = [{
    title: isTranslation ? "translation" : `all ${rmseDimensions.length} dimensions`,
    unit: rmseUnit === "mixed" ? "units mixed" : rmseUnit,
    series: seriesOf(evaluation, ({ perStep }) => perStep),
  }];
  if (isTranslation && model.rotation !== null) {
    panels.push({
      title: "rotation",
      unit: units[3]!,
      series: seriesOf(evaluation, ({ rotation }) => rotation!.perStep),
    });
  }
  const bars = errorBars({
    dimensions,
    units,
    series: seriesOf(evaluation, ({ perDimension }) => perDimension),
  });
  return [
    figure(
      renderSvg(bars),
      "Lower is better. A dimension in which the policy's bar is not below all others is one in " +
        "which a rule without eyes does as well.",
    ),
    figure(
      renderSvg(stepErrors({ panels })),
      "Lower is better. Hold last action is hard to beat at the first step and falls behind later; " +
        "a policy that is useful stays below it at every step.",
    ),
  ];
}

const HOLES =
  " Where there is no line, moments were left out: disturbances (the robot was pushed), " +
  "or holes in the recording.";

/** Chunks of one episode over time. */
export function overlayFigure(chunks: ChunkPredictions | undefined): string {
  const stretch = chunks === undefined ? null : exampleStretch(chunks);
  if (stretch === null) return "";
  return figure(
    renderSvg(chunkOverlay(stretch)),
    "Each line piece is one chunk, predicted at its left end, of the episode whose error is the " +
      `median. The policy should lie on the recorded band also where that bends.${
        hasHoles(stretch) ? HOLES : ""
      }`,
  );
}

function seriesOf(
  { model, baselines }: Evaluation,
  values: (errors: ErrorSummary) => readonly number[],
): ErrorSeries[] {
  return [
    { name: "policy", role: "policy", values: values(model) },
    ...BASELINES.map((name): ErrorSeries => ({
      name: BASELINE_TITLES[name],
      role: name,
      values: values(baselines[name]),
    })),
  ];
}
