import { assertChunks, type ChunkPredictions, type WindowFlags } from "./chunk_predictions.ts";
import { compareWithBaselines, type Comparison } from "./comparison.ts";
import { allWindows } from "./error_summary.ts";
import {
  type PermutationTest,
  permutationTest,
  type PermutationTestOptions,
} from "./permutation_test.ts";
import { findWarnings } from "./_warnings.ts";

/** A group of windows beside the baselines. */
export interface GroupComparison extends Comparison {
  /** Name of the group. */
  readonly name: string;
}

/** Windows whose visual observation has the same age, beside the baselines. */
export interface AgeComparison extends Comparison {
  /** Actions from the observation to the window's start. */
  readonly age: number;
}

/** Open-loop evaluation: the document that `evaluate --json` prints. */
export interface Evaluation extends Comparison {
  /** Actions per chunk, H. */
  readonly horizon: number;
  /** `(A,)` names of the dimensions. */
  readonly dimensions: readonly string[];
  /** `(A,)` their units. */
  readonly units: readonly string[];
  /** Dimensions that `rmse`, `mae`, `perStep` and `maePerStep` are over. */
  readonly rmseDimensions: readonly string[];
  /** Unit of these; `mixed` if the dimensions have several. */
  readonly rmseUnit: string;
  /** Where the action of the baseline `mean` comes from. */
  readonly meanSource: string;
  /** Windows in which the expert changes its mind; null where nobody knows which these are. */
  readonly decision: Comparison | null;
  /** Windows with and without a sensor, null where there are none; null where it is not known. */
  readonly sensor: {
    /** Windows with one. */
    readonly with: Comparison | null;
    /** Windows without. */
    readonly without: Comparison | null;
  } | null;
  /** One entry per group, by name; empty if there are no groups. */
  readonly groups: readonly GroupComparison[];
  /** One entry per age of the visual observation, youngest first; empty where it is not known. */
  readonly visionAges: readonly AgeComparison[];
  /** Does the policy use its inputs. */
  readonly permutation: PermutationTest;
  /** What a reader must not overlook. */
  readonly warnings: readonly string[];
}

/** How {@linkcode evaluateChunks} evaluates. */
export interface EvaluationOptions extends PermutationTestOptions {
  /** Where the mean action comes from, in words; default `training episodes`. */
  readonly meanSource?: string;
}

/**
 * Evaluates predictions in open loop, baselines always beside them.
 *
 * @param chunks predictions and truth
 * @param flags what is known of the windows
 * @param options where the mean comes from, seed of the permutation test
 * @returns the evaluation; JSON can hold it (NaN becomes null)
 * @throws {RangeError} if the parts do not fit, a value is not finite, or there is no window
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { exampleChunks } from "./_example.ts";
 * import { evaluateChunks } from "./evaluation.ts";
 *
 * const evaluation = evaluateChunks(exampleChunks(), { hasSensor: Uint8Array.of(1, 1, 0, 0) });
 * assert.equal(evaluation.rmseUnit, "mm");
 * assert.equal(evaluation.sensor!.with!.windows, 2);
 * assert.equal(evaluation.decision, null);
 * ```
 */
export function evaluateChunks(
  chunks: ChunkPredictions,
  flags: WindowFlags = {},
  options: EvaluationOptions = {},
): Evaluation {
  assertChunks(chunks, flags);
  const { hasSensor, isDecision, group, visionAge } = flags;
  const where = (is: (window: number) => boolean): Comparison | null => {
    const windows = allWindows(chunks).filter(is);
    return windows.length === 0 ? null : compareWithBaselines(chunks, windows);
  };
  const { horizon, dimensions, units, counted } = chunks;
  const [unit = "", ...others] = new Set(counted.map((d) => units[d]!));
  const evaluation: Evaluation = {
    ...compareWithBaselines(chunks),
    horizon,
    dimensions,
    units,
    rmseDimensions: counted.map((d) => dimensions[d]!),
    rmseUnit: others.length === 0 ? unit : "mixed",
    meanSource: options.meanSource ?? "training episodes",
    decision: isDecision ? where((w) => isDecision[w] === 1) : null,
    sensor: hasSensor === undefined ? null : {
      with: where((w) => hasSensor[w] === 1),
      without: where((w) => hasSensor[w] === 0),
    },
    groups: [...new Set(group)].sort().map((name) => ({
      name,
      ...where((w) => group![w] === name)!,
    })),
    visionAges: [...new Set(visionAge)].sort((a, b) => a - b).map((age) => ({
      age,
      ...where((w) => visionAge![w] === age)!,
    })),
    permutation: permutationTest(chunks, options),
    warnings: [],
  };
  return { ...evaluation, warnings: findWarnings(evaluation, chunks) };
}
