import assert from "node:assert/strict";
import {
  closedLoopReport,
  closedLoopRows,
  closedLoopVerdict,
} from "../../lib/evaluation/closed_loop/mod.ts";
import { type ClosedLoop, type ClosedLoopResult, sampleScene } from "../../lib/phantom/mod.ts";

const SETTING = {
  task: "Blue_point",
  sceneSeed: 9000,
  replanMs: 800,
  latencyMs: 0,
  visionReuse: 1,
  visionLatencyMs: 0,
  quality: 90,
  queries: 13,
  seconds: { total: 1, observe: 0.5, policy: 0.4 },
} as const;
const GOOD = { lateral: true, puncture: true, depth: true, speed: true, overshoot: true };

function ended(result: Partial<ClosedLoopResult>, i: number): ClosedLoop {
  const criteria = result.criteria ?? GOOD;
  const whole: ClosedLoopResult = {
    isSuccess: Object.values(criteria).every(Boolean),
    criteria,
    lateralError: 0.1,
    contactSpeed: 1.5,
    depthError: 0.01,
    maxDepth: 2.05,
    ...result,
  };
  return { scene: sampleScene(9000 + i), result: () => whole } as ClosedLoop;
}

Deno.test("rates, reasons and percentiles are those of the runs that have a value", () => {
  const missed = { ...GOOD, lateral: false, puncture: false, depth: false, speed: false };
  const runs = [
    { lateralError: 0.4, depthError: 0.05 },
    { lateralError: 0.1 },
    { lateralError: 0.3 },
    { lateralError: 0.2, criteria: { ...GOOD, speed: false, depth: false }, contactSpeed: 4 },
    { lateralError: NaN, contactSpeed: NaN, maxDepth: NaN, depthError: 20, criteria: missed },
  ].map(ended);
  const report = closedLoopReport(runs, SETTING);
  assert.deepEqual([report.episodes, report.successRate], [5, 0.6]);
  assert.deepEqual(report.failures, { "no-contact": 1, "contact-speed": 1 });
  assert.deepEqual(report.criteria, {
    lateral: 0.8,
    puncture: 0.8,
    depth: 0.6,
    speed: 0.6,
    overshoot: 1,
  });
  // numpy.percentile([0.1, 0.2, 0.3, 0.4], [50, 95]) = 0.25, 0.385
  const { p50, p95, max, missing } = report.lateralErrorMm;
  assert(Math.abs(p50! - 0.25) < 1e-12 && Math.abs(p95! - 0.385) < 1e-12, `${p50}, ${p95}`);
  assert.deepEqual([max, missing], [0.4, 1]);
  // numpy.percentile([0.01, 0.01, 0.01, 0.05, 20], [50, 95]) = 0.01, 16.01
  assert.equal(report.depthErrorMm.p50, 0.01);
  assert(Math.abs(report.depthErrorMm.p95! - 16.01) < 1e-9, `${report.depthErrorMm.p95}`);
  assert.equal(report.depthErrorMm.missing, 0);
  assert.deepEqual(report.scenes.map(({ reason }) => reason), [
    null,
    null,
    null,
    "contact-speed",
    "no-contact",
  ]);
  assert.equal(report.scenes[4]!.maxDepthMm, null);
});

Deno.test("table and verdict name what fails most often", () => {
  const failing = { ...GOOD, overshoot: false, depth: false };
  const reports = [3, 1].map((failures) =>
    closedLoopReport(
      Array.from({ length: 4 }, (_, i) => ended(i < failures ? { criteria: failing } : {}, i)),
      { ...SETTING, replanMs: 100 * failures },
    )
  );
  assert.equal(
    closedLoopVerdict("mine", reports),
    "mine inserts in 1 of 4 scenes (300 ms), 3 of 4 scenes (100 ms); " +
      "it fails most often by: overshoot (4).",
  );
  assert.deepEqual(closedLoopRows([["mine", reports[0]!]])[1], [
    ...["mine", 300, "0.250", "1/4"],
    ...["0.10", "0.10", "0.01", "0.01", "overshoot 3"],
  ]);
});

Deno.test("a table tells how often the cameras were looked at, where that is not for each action", () => {
  const report = (setting: { visionReuse: number | null; visionLatencyMs?: number | null }) =>
    closedLoopReport([ended({}, 0)], { ...SETTING, ...setting });
  const rows = closedLoopRows([
    ["one", report({ visionReuse: 1 })],
    ["two", report({ visionReuse: 3 })],
    ["three", report({ visionReuse: 4, visionLatencyMs: 390 })],
    ["blind", report({ visionReuse: null, visionLatencyMs: null })],
  ]);
  assert.deepEqual(rows.map((row) => row[2]), ["vision ms", "100", "300", "400 + 390", "–"]);
  assert(rows.every(({ length }) => length === 10));
});

Deno.test("there is nothing to report on without runs", () => {
  assert.throws(() => closedLoopReport([], SETTING), RangeError);
});
