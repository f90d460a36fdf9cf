import { assertFiniteRows } from "./_finite_rows.ts";
import { logisticRegression } from "./logistic_regression.ts";

/** How {@linkcode groupedProbe} divides. */
export interface GroupedProbeOptions {
  /** Parts; each is judged by a rule that the others fitted. @default {5, or as many as groups} */
  readonly folds?: number;
  /** Of the squared weights. @default {1} */
  readonly penalty?: number;
}

/** What a linear rule reads from an embedding, in groups that did not fit it. */
export interface GroupedProbe {
  /** Points that were judged. */
  readonly points: number;
  /** Folds. */
  readonly folds: number;
  /** `(n,)` probability of class 1; NaN for points without a label. */
  readonly probability: Float64Array<ArrayBuffer>;
  /** `(4,)` counts: true 0 said 0, true 0 said 1, true 1 said 0, true 1 said 1. */
  readonly confusion: readonly [number, number, number, number];
  /** Share of points that were said right. */
  readonly accuracy: number;
  /** Mean over both classes of the share that was said right: 0.5 is chance. */
  readonly balancedAccuracy: number;
  /** Probability that a point of class 1 is ranked above one of class 0: 0.5 is chance. */
  readonly auc: number;
}

/**
 * A linear probe with folds by group: is something written in an embedding so that a straight line
 * finds it in episodes that it has not seen? Points of one episode lie close together; folds that
 * divide them would test on what was learnt by heart. Inputs are standardised by the fitting part.
 *
 * Sources: Alain and Bengio, "Understanding intermediate layers using linear classifier probes", 2016;
 * for the area under the curve: Hanley and McNeil, 1982.
 *
 * @param values `(n, d)` embedding, row by row
 * @param dimensions d
 * @param labels `(n,)` 0 or 1; −1 leaves a point out
 * @param groups `(n,)` number of each point's group, its episode
 * @param options folds, penalty
 * @returns what was said of each point by the rule that did not see its group
 * @throws {RangeError} if parts do not fit, a labelled point is not finite, there are fewer groups than
 * folds, or a fold's fitting part has one class only
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { groupedProbe } from "./grouped_probe.ts";
 *
 * const values = [-2, 2, -1, 1, -3, 3], labels = [0, 1, 0, 1, 0, 1], groups = [1, 1, 2, 2, 3, 3];
 * const { accuracy, auc, folds } = groupedProbe(values, 1, labels, groups);
 * assert.deepEqual([accuracy, auc, folds], [1, 1, 3]);
 * ```
 */
export function groupedProbe(
  values: ArrayLike<number>,
  dimensions: number,
  labels: ArrayLike<number>,
  groups: ArrayLike<number>,
  options: GroupedProbeOptions = {},
): GroupedProbe {
  const n = labels.length;
  const labelled = Array.from({ length: n }, (_, i) => i).filter((i) => labels[i]! >= 0);
  const names = [...new Set(labelled.map((i) => groups[i]!))].sort((a, b) => a - b);
  const { folds = Math.min(5, names.length), penalty = 1 } = options;
  if (
    values.length !== n * dimensions || groups.length !== n || !(folds >= 2) ||
    folds > names.length
  ) {
    throw new RangeError(
      `Cannot probe: there must be ${n} rows of ${dimensions} values, ${n} groups' numbers and 2 to ` +
        `${names.length} folds, current values are ${values.length} values, ${groups.length} ` +
        `numbers and ${folds} folds.`,
    );
  }
  assertFiniteRows("probe", values, dimensions, labelled);
  const foldOf = new Map(names.map((name, i) => [name, i % folds]));
  const probability = new Float64Array(n).fill(NaN);
  for (let fold = 0; fold < folds; fold++) {
    const isTested = (i: number) => foldOf.get(groups[i]!) === fold;
    const fitting = labelled.filter((i) => !isTested(i)), tested = labelled.filter(isTested);
    const scale = standardiser(values, dimensions, fitting);
    const model = logisticRegression(
      scale(fitting),
      dimensions,
      fitting.map((i) => labels[i]!),
      { penalty },
    );
    model.probability(scale(tested)).forEach((value, k) => probability[tested[k]!] = value);
  }
  return { ...judge(labelled, labels, probability), probability, folds };
}

/** Rows less the mean over the standard deviation of some of them; constant columns become 0. */
function standardiser(values: ArrayLike<number>, dimensions: number, rows: readonly number[]) {
  const mean = new Float64Array(dimensions), squares = new Float64Array(dimensions);
  for (const i of rows) {
    for (let d = 0; d < dimensions; d++) mean[d]! += values[i * dimensions + d]! / rows.length;
  }
  for (const i of rows) {
    for (let d = 0; d < dimensions; d++) {
      squares[d]! += (values[i * dimensions + d]! - mean[d]!) ** 2 / rows.length;
    }
  }
  return (chosen: readonly number[]) => {
    const scaled = new Float64Array(chosen.length * dimensions);
    chosen.forEach((i, k) => {
      for (let d = 0; d < dimensions; d++) {
        const deviation = Math.sqrt(squares[d]!);
        const value = values[i * dimensions + d]! - mean[d]!;
        scaled[k * dimensions + d] = deviation > 0 ? value / deviation : 0;
      }
    });
    return scaled;
  };
}

function judge(
  labelled: readonly number[],
  labels: ArrayLike<number>,
  probability: Float64Array,
): Omit<GroupedProbe, "probability" | "folds"> {
  const confusion: [number, number, number, number] = [0, 0, 0, 0];
  for (const i of labelled) confusion[2 * labels[i]! + (probability[i]! > 0.5 ? 1 : 0)]! += 1;
  const [a, b, c, d] = confusion;
  return {
    points: labelled.length,
    confusion,
    accuracy: (a + d) / labelled.length,
    balancedAccuracy: (a / (a + b) + d / (c + d)) / 2,
    auc: areaUnderCurve(labelled, labels, probability),
  };
}

/** Mann and Whitney's statistic; equal ranks count half. */
function areaUnderCurve(
  labelled: readonly number[],
  labels: ArrayLike<number>,
  probability: Float64Array,
): number {
  const [zeros, ones] = [0, 1].map((label) =>
    labelled.filter((i) => labels[i] === label).map((i) => probability[i]!)
  ) as [number[], number[]];
  let wins = 0;
  for (const one of ones) for (const zero of zeros) wins += one > zero ? 1 : one === zero ? 0.5 : 0;
  return wins / (ones.length * zeros.length);
}
