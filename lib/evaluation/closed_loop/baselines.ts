/** What a trained policy is compared with in closed loop. */
import { type ClosedLoopEvaluationOptions, evaluateClosedLoop } from "./evaluate_closed_loop.ts";
import { BUILT_IN_POLICIES, type BuiltInPolicy } from "./policy.ts";
import type { ClosedLoopReport } from "./report.ts";

/**
 * Runs the policies that need no training: the expert shows what is possible, hold and zero what is
 * worth nothing.
 *
 * @param options as for the trained policy; the window of the sensor does not concern them
 * @returns a report of each
 * @throws {RangeError} if an option is out of range
 * @throws {DOMException} `AbortError` when the signal fires
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { closedLoopBaselines } from "./mod.ts";
 *
 * const { expert, hold, zero } = await closedLoopBaselines({ episodes: 1 });
 * assert.deepEqual([expert, hold, zero].map(({ successRate }) => successRate), [1, 0, 0]);
 * ```
 */
export async function closedLoopBaselines(
  options: ClosedLoopEvaluationOptions = {},
): Promise<Readonly<Record<BuiltInPolicy, ClosedLoopReport>>> {
  const reports: Partial<Record<BuiltInPolicy, ClosedLoopReport>> = {};
  for (const policy of BUILT_IN_POLICIES) {
    reports[policy] = await evaluateClosedLoop(policy, { ...options, sensorRows: 1 });
  }
  return reports as Record<BuiltInPolicy, ClosedLoopReport>;
}
