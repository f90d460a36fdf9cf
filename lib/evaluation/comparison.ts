import type { ActionSource, ChunkPredictions } from "./chunk_predictions.ts";
import { allWindows, type ErrorSummary, predictionOf, summariseErrors } from "./error_summary.ts";

/** Names of the baselines. */
export const BASELINES = ["zero", "mean", "holdLast"] as const;

/** A baseline: needs no policy. */
export type Baseline = typeof BASELINES[number];

/** Errors of a baseline. */
export interface BaselineSummary extends ErrorSummary {
  /** 1 − (RMSE of the model / RMSE of the baseline)²: 1 is perfect, 0 no better, less is worse. */
  readonly skill: number;
}

/** A policy beside the baselines, over the same windows. */
export interface Comparison {
  /** Windows. */
  readonly windows: number;
  /** Errors of the policy. */
  readonly model: ErrorSummary;
  /** Errors of: no motion, always the mean action, going on as in the last 0.1 s. */
  readonly baselines: Readonly<Record<Baseline, BaselineSummary>>;
  /** Whether the policy's RMSE is smaller than that of every baseline. */
  readonly beatsBaselines: boolean;
}

/**
 * Sets a policy beside the baselines.
 *
 * @param chunks predictions, truth, and what the baselines need
 * @param windows which windows count; default all
 * @returns errors of all four; hold-last leaves out windows before which nothing is known
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { exampleChunks } from "./_example.ts";
 * import { compareWithBaselines } from "./comparison.ts";
 *
 * const { model, baselines, beatsBaselines } = compareWithBaselines(exampleChunks());
 * assert(baselines.holdLast.rmse < model.rmse && !beatsBaselines);
 * assert(baselines.zero.skill > 0.99);
 * ```
 */
export function compareWithBaselines(
  chunks: ChunkPredictions,
  windows: ArrayLike<number> = allWindows(chunks),
): Comparison {
  const model = summariseErrors(chunks, predictionOf(chunks), windows);
  const against = (source: ActionSource, over = windows): BaselineSummary => {
    const errors = summariseErrors(chunks, source, over);
    return { ...errors, skill: 1 - (model.rmse / errors.rmse) ** 2 };
  };
  const { meanAction, lastAction, dimensions } = chunks;
  const width = dimensions.length;
  const held = Array.from(windows).filter((window) => !Number.isNaN(lastAction[window * width]!));
  const baselines = {
    zero: against(() => 0),
    mean: against((_window, _step, d) => meanAction[d]!),
    holdLast: against((window, _step, d) => lastAction[window * width + d]!, held),
  };
  return {
    windows: windows.length,
    model,
    baselines,
    beatsBaselines: BASELINES.every((name) => !(baselines[name].rmse <= model.rmse)),
  };
}
