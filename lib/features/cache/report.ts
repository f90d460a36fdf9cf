import type { FeatureFailure } from "./plan.ts";

/** What a command on the cache found and did. */
export interface CacheReport {
  /** Features that the data need, each once; those of this process's share where work is shared. */
  readonly planned: number;
  /** Those that were there, or that another process made meanwhile. */
  readonly hit: number;
  /** Those that were made and stored. */
  readonly built: number;
  /** Those that could not be planned or made. */
  readonly failed: number;
  /**
   * Those whose record is damaged and that count as not there: what `build` made again, what `verify`
   * found, what `gc` removed.
   */
  readonly quarantined: number;
  /** Bytes that `plan` would write, `build` wrote, `verify` read, `gc` freed, and that `stats` found. */
  readonly bytes: number;
  /** Wall time. */
  readonly seconds: number;
  /** What is behind `failed`. */
  readonly failures: readonly FeatureFailure[];
}

/**
 * The report of all processes together, where each has built its share of one plan.
 *
 * @param reports one per process
 * @param plan what all of them planned alike
 * @returns the sums; of seconds the most
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { sumReports } from "./report.ts";
 *
 * const zero = { hit: 0, failed: 0, quarantined: 0, bytes: 0, seconds: 0, failures: [] };
 * const reports = [{ ...zero, planned: 3, built: 3 }, { ...zero, planned: 2, built: 2, seconds: 1 }];
 * const { planned, built, seconds } = sumReports(reports, { failures: [] });
 * assert.deepEqual([planned, built, seconds], [5, 5, 1]);
 * ```
 */
export function sumReports(
  reports: readonly CacheReport[],
  plan: { readonly failures: readonly FeatureFailure[] },
): CacheReport {
  const sum = (of: "planned" | "hit" | "built" | "failed" | "quarantined" | "bytes") =>
    reports.reduce((total, report) => total + report[of], 0);
  // Every process reports what could not even be planned.
  const shared = plan.failures.length;
  const again = shared * (reports.length - 1);
  return {
    planned: sum("planned") - again,
    hit: sum("hit"),
    built: sum("built"),
    failed: sum("failed") - again,
    quarantined: sum("quarantined"),
    bytes: sum("bytes"),
    seconds: Math.max(...reports.map(({ seconds }) => seconds)),
    failures: reports.flatMap(({ failures }, i) => i === 0 ? failures : failures.slice(shared)),
  };
}
