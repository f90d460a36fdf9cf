import type { ChunkPredictions } from "./chunk_predictions.ts";
import { BASELINES, type Comparison } from "./comparison.ts";
import { predictionOf, truthOf } from "./error_summary.ts";
import type { Evaluation } from "./evaluation.ts";
import { BASELINE_TITLES, formatNumber } from "./_words.ts";

/** A policy whose motion is smaller than this share of the true one stands still. */
const STILL = 0.1;
const SIGNIFICANCE = 0.05;

/** What a reader must not overlook. */
export function findWarnings(evaluation: Evaluation, chunks: ChunkPredictions): string[] {
  const { permutation, decision, rmseUnit } = evaluation;
  const unit = rmseUnit === "mixed" ? "" : ` ${rmseUnit}`;
  const warnings = [...worseThan(evaluation, "", unit)];
  if (decision !== null) warnings.push(...worseThan(decision, " in decision windows", unit));
  const { model, baselines } = evaluation;
  if (Math.abs(model.rmse / baselines.zero.rmse - 1) <= 0.05 && motionShare(chunks) < STILL) {
    warnings.push(
      `The policy hardly moves: its RMSE (${
        formatNumber(model.rmse)
      }${unit}) is that of no motion ` +
        `(${
          formatNumber(baselines.zero.rmse)
        }${unit}). A policy that was given the true chunk in ` +
        `training (z_chunk = ground truth) learns exactly this, and its training loss does not ` +
        `show it. Train with chunks from zeros.`,
    );
  }
  if (permutation.pValue > SIGNIFICANCE) {
    warnings.push(
      `The predictions do not follow the moment: labels of other moments fit them as well ` +
        `(RMSE ${formatNumber(permutation.permutedRmse)}${unit} against ` +
        `${formatNumber(permutation.rmse)}${unit}, p = ${formatNumber(permutation.pValue)}). ` +
        `The policy does not use its inputs, or there are too few windows to tell.`,
    );
  }
  return warnings;
}

function worseThan({ model, baselines }: Comparison, where: string, unit: string): string[] {
  const better = BASELINES.filter((name) => baselines[name].rmse <= model.rmse)
    .map((name) => `${BASELINE_TITLES[name]} (${formatNumber(baselines[name].rmse)}${unit})`);
  if (better.length === 0) return [];
  const rmse = `${formatNumber(model.rmse)}${unit}`;
  return [`The policy, with RMSE ${rmse}${where}, is no better than ${better.join(", ")}.`];
}

/** RMS of the predicted actions over RMS of the true ones. */
function motionShare(chunks: ChunkPredictions): number {
  const predicted = predictionOf(chunks), truth = truthOf(chunks);
  const { windows, horizon, mask, counted } = chunks;
  let moved = 0, expected = 0;
  for (let window = 0; window < windows; window++) {
    for (let step = 0; step < horizon; step++) {
      if (mask[window * horizon + step] === 0) continue;
      for (const d of counted) {
        moved += predicted(window, step, d) ** 2;
        expected += truth(window, step, d) ** 2;
      }
    }
  }
  return Math.sqrt(moved / expected);
}
