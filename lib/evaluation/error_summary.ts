import { quantileSorted } from "../datasets/quantile.ts";
import { PathErrors } from "./_path_error.ts";
import type { ActionSource, ChunkPredictions } from "./chunk_predictions.ts";

/** Distribution of an error over windows. */
export interface ErrorDistribution {
  /** Root of the mean square. */
  readonly rmse: number;
  /** Mean. */
  readonly mean: number;
  /** 95th percentile. */
  readonly p95: number;
}

/** How far actions are off; a mean over nothing is NaN, `null` in JSON. */
export interface ErrorSummary {
  /** Windows that count. */
  readonly windows: number;
  /** Root of the mean squared error over windows, steps and the counted dimensions. */
  readonly rmse: number;
  /** Mean absolute error over the same. */
  readonly mae: number;
  /** `(A,)` RMSE of each dimension, in its unit. */
  readonly perDimension: readonly number[];
  /** `(A,)` mean absolute error of each dimension, in its unit. */
  readonly maePerDimension: readonly number[];
  /** `(H,)` RMSE of each step over the counted dimensions. */
  readonly perStep: readonly number[];
  /** `(H,)` mean absolute error of each step over the counted dimensions. */
  readonly maePerStep: readonly number[];
  /** The same over the three rotations, in their unit; null without any. */
  readonly rotation: {
    /** Over windows, steps and the three rotations. */
    readonly rmse: number;
    /** `(H,)` of each step. */
    readonly perStep: readonly number[];
  } | null;
  /** Distance between the ends of the integrated chunks, mm; null if the units are others. */
  readonly path: ErrorDistribution | null;
  /** Angle between the orientations at these ends, degrees; null where it cannot be told. */
  readonly pathRotation: ErrorDistribution | null;
}

/**
 * Errors of actions against what was done.
 *
 * @param chunks the truth, and what the dimensions are
 * @param predicted the actions to judge
 * @param windows which windows count; default all
 * @returns the errors
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { exampleChunks } from "./_example.ts";
 * import { summariseErrors } from "./error_summary.ts";
 *
 * const chunks = exampleChunks(); // dx is 0.1 mm too small, dy and dz are right
 * const errors = summariseErrors(chunks, (w, h, d) => chunks.predicted[(2 * w + h) * 3 + d]!);
 * assert(Math.abs(errors.rmse - 0.1 / Math.sqrt(3)) < 1e-12);
 * assert(Math.abs(errors.path!.mean - 0.2) < 1e-12); // after two steps
 * ```
 */
export function summariseErrors(
  chunks: ChunkPredictions,
  predicted: ActionSource,
  windows: ArrayLike<number> = allWindows(chunks),
): ErrorSummary {
  const { horizon, dimensions, mask, counted } = chunks;
  const truth = truthOf(chunks), width = dimensions.length;
  // (H, A): every other number is a mean over some of these.
  const squares = new Float64Array(horizon * width), absolutes = new Float64Array(horizon * width);
  const counts = new Float64Array(horizon);
  for (let i = 0; i < windows.length; i++) {
    const window = windows[i]!;
    for (let step = 0; step < horizon; step++) {
      if (mask[window * horizon + step] === 0) continue;
      counts[step]! += 1;
      for (let d = 0; d < width; d++) {
        const error = predicted(window, step, d) - truth(window, step, d);
        squares[step * width + d]! += error * error;
        absolutes[step * width + d]! += Math.abs(error);
      }
    }
  }
  const steps = Array.from(counts.keys());
  const all = Array.from(dimensions.keys());
  const mean = (sums: Float64Array, from: readonly number[], over: readonly number[]) => {
    let sum = 0, count = 0;
    for (const step of from) {
      for (const d of over) sum += sums[step * width + d]!;
      count += counts[step]! * over.length;
    }
    return sum / count;
  };
  const root = (from: readonly number[], over: readonly number[]) =>
    Math.sqrt(mean(squares, from, over));
  const rotations = rotationDimensions(chunks);
  return {
    windows: windows.length,
    rmse: root(steps, counted),
    mae: mean(absolutes, steps, counted),
    perDimension: all.map((d) => root(steps, [d])),
    maePerDimension: all.map((d) => mean(absolutes, steps, [d])),
    perStep: steps.map((step) => root([step], counted)),
    maePerStep: steps.map((step) => mean(absolutes, [step], counted)),
    rotation: rotations === null ? null : {
      rmse: root(steps, rotations),
      perStep: steps.map((step) => root([step], rotations)),
    },
    ...pathErrors(chunks, predicted, windows),
  };
}

/** The true actions. */
export function truthOf({ truth, horizon, dimensions }: ChunkPredictions): ActionSource {
  return (window, step, d) => truth[(window * horizon + step) * dimensions.length + d]!;
}

/** What the policy said. */
export function predictionOf({ predicted, horizon, dimensions }: ChunkPredictions): ActionSource {
  return (window, step, d) => predicted[(window * horizon + step) * dimensions.length + d]!;
}

/** 0 … W − 1. */
export function allWindows({ windows }: ChunkPredictions): Int32Array {
  return Int32Array.from({ length: windows }, (_, i) => i);
}

/** Dimensions 3 to 5 if they share a unit of angle. */
export function rotationDimensions({ units }: ChunkPredictions): readonly number[] | null {
  const [unit] = units.slice(3, 6);
  const isAngle = unit === "deg" || unit === "rad";
  return isAngle && units[4] === unit && units[5] === unit ? [3, 4, 5] : null;
}

function pathErrors(
  chunks: ChunkPredictions,
  predicted: ActionSource,
  windows: ArrayLike<number>,
): Pick<ErrorSummary, "path" | "pathRotation"> {
  const errors = new PathErrors(chunks);
  if (!errors.hasDistance) return { path: null, pathRotation: null };
  const truth = truthOf(chunks);
  const distances = new Float64Array(windows.length), angles = new Float64Array(windows.length);
  for (let i = 0; i < windows.length; i++) {
    const { distance, angle } = errors.of(windows[i]!, predicted, truth);
    distances[i] = distance;
    angles[i] = angle;
  }
  return {
    path: distribution(distances),
    pathRotation: errors.hasAngle ? distribution(angles) : null,
  };
}

function distribution(values: Float64Array): ErrorDistribution {
  const sorted = values.toSorted();
  const count = sorted.length;
  return {
    rmse: Math.sqrt(sorted.reduce((sum, value) => sum + value * value, 0) / count),
    mean: sorted.reduce((sum, value) => sum + value, 0) / count,
    p95: count === 0 ? NaN : quantileSorted(sorted, 0.95),
  };
}
