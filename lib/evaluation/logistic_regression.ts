import { assertFiniteRows } from "./_finite_rows.ts";

/** A linear rule for two classes. */
export interface LogisticModel {
  /** `(d,)`. */
  readonly weights: Float64Array<ArrayBuffer>;
  /** Added to the weighted sum. */
  readonly bias: number;
  /**
   * Probability of class 1.
   *
   * @param values `(n, d)` row by row
   * @returns `(n,)` from 0 to 1
   */
  probability(values: ArrayLike<number>): Float64Array<ArrayBuffer>;
}

const MOST_ROUNDS = 100, CLOSE = 1e-10;

/**
 * Logistic regression with an L2 penalty, by Newton's method (Hastie, Tibshirani and Friedman, The
 * Elements of Statistical Learning, §4.4.1): minimises penalty · ½‖w‖² + Σ log-loss; the bias is not
 * penalised. For inputs of a few hundred dimensions of about unit variance.
 *
 * @param values `(n, d)` inputs, row by row
 * @param dimensions d
 * @param labels `(n,)` 0 or 1, both occur
 * @param options `penalty` of ½‖w‖², above 0, default 1
 * @returns the rule; the same on every machine to the last digits
 * @throws {RangeError} if the inputs do not fit or are not finite, or there is one class only
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { logisticRegression } from "./logistic_regression.ts";
 *
 * const model = logisticRegression([-2, -1, 1, 2], 1, [0, 0, 1, 1]);
 * const [low, high] = model.probability([-3, 3]);
 * assert(low! < 0.1 && high! > 0.9 && Math.abs(model.bias) < 1e-9);
 * ```
 */
export function logisticRegression(
  values: ArrayLike<number>,
  dimensions: number,
  labels: ArrayLike<number>,
  options: { readonly penalty?: number } = {},
): LogisticModel {
  const { penalty = 1 } = options, n = labels.length, size = dimensions + 1;
  assertInputs(values, dimensions, labels, penalty);
  const beta = new Float64Array(size); // weights, then the bias
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const hessian = new Float64Array(size * size), gradient = new Float64Array(size);
    for (let d = 0; d < dimensions; d++) {
      hessian[d * size + d] = penalty;
      gradient[d] = penalty * beta[d]!;
    }
    const p = probability(values, beta);
    const row = new Float64Array(size).fill(1);
    for (let i = 0; i < n; i++) {
      for (let d = 0; d < dimensions; d++) row[d] = values[i * dimensions + d]!;
      const error = p[i]! - labels[i]!, curvature = Math.max(p[i]! * (1 - p[i]!), 1e-12);
      for (let a = 0; a < size; a++) {
        gradient[a]! += error * row[a]!;
        const scaled = curvature * row[a]!;
        for (let b = 0; b <= a; b++) hessian[a * size + b]! += scaled * row[b]!;
      }
    }
    const step = solveCholesky(hessian, gradient);
    // A full Newton step may overshoot where the classes are separable: it is kept within reach.
    const longest = step.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const share = Math.min(1, 5 / longest);
    step.forEach((value, d) => beta[d]! -= share * value);
    if (longest < CLOSE) break;
  }
  return {
    weights: beta.slice(0, dimensions),
    bias: beta[dimensions]!,
    probability: (others) => probability(others, beta),
  };
}

function probability(values: ArrayLike<number>, beta: Float64Array): Float64Array<ArrayBuffer> {
  const dimensions = beta.length - 1;
  return Float64Array.from({ length: values.length / dimensions }, (_, i) => {
    let sum = beta[dimensions]!;
    for (let d = 0; d < dimensions; d++) sum += beta[d]! * values[i * dimensions + d]!;
    return 1 / (1 + Math.exp(-sum));
  });
}

/** Solves A x = b for a positive definite A, of which the lower triangle is given and overwritten. */
function solveCholesky(a: Float64Array, b: Float64Array): Float64Array {
  const n = b.length, x = b.slice();
  for (let j = 0; j < n; j++) {
    for (let i = j; i < n; i++) {
      let sum = a[i * n + j]!;
      for (let k = 0; k < j; k++) sum -= a[i * n + k]! * a[j * n + k]!;
      a[i * n + j] = i === j ? Math.sqrt(sum) : sum / a[j * n + j]!;
    }
  }
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) x[i]! -= a[i * n + k]! * x[k]!;
    x[i]! /= a[i * n + i]!;
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) x[i]! -= a[k * n + i]! * x[k]!;
    x[i]! /= a[i * n + i]!;
  }
  return x;
}

function assertInputs(
  values: ArrayLike<number>,
  dimensions: number,
  labels: ArrayLike<number>,
  penalty: number,
): void {
  const refuse = (state: string, value: string): never => {
    throw new RangeError(`Cannot fit a probe: ${state}, current value is ${value}.`);
  };
  if (!(penalty > 0)) refuse("penalty must be above 0", `${penalty}`);
  if (values.length !== labels.length * dimensions) {
    refuse(
      `there must be ${labels.length} rows of ${dimensions} values`,
      `${values.length} values`,
    );
  }
  assertFiniteRows("fit a probe", values, dimensions, Array(labels.length).keys());
  const found = new Set(Array.from(labels));
  if (found.size !== 2 || !found.has(0) || !found.has(1)) {
    refuse("labels must be 0 and 1, and both occur", [...found].join(", ") || "none");
  }
}
