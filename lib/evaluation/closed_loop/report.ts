/** How closed-loop runs went, all together. */
import { quantileSorted } from "../../datasets/quantile.ts";
import type { ClosedLoop, ClosedLoopResult } from "../../phantom/closed_loop.ts";
import type { PhantomTask } from "../../phantom/scene.ts";

/**
 * Why a run failed, in the order in which things happen: the first that applies is the reason.
 * Without contact there is nothing else to judge.
 */
export const FAILURE_REASONS = [
  "no-contact",
  "lateral",
  "contact-speed",
  "no-puncture",
  "overshoot",
  "depth",
] as const;

/** One of {@linkcode FAILURE_REASONS}. */
export type FailureReason = typeof FAILURE_REASONS[number];

/** How errors are distributed over the runs that have them. */
export interface ClosedLoopErrors {
  /** Median; null where no run has one. */
  readonly p50: number | null;
  /** 95th percentile, interpolated linearly; null where no run has one. */
  readonly p95: number | null;
  /** Greatest; null where no run has one. */
  readonly max: number | null;
  /** Runs without one, e.g. without contact; the quantiles leave them out. */
  readonly missing: number;
}

/** How one run went. */
export interface ClosedLoopScene {
  /** Seed of the scene. */
  readonly seed: number;
  /** Whether all criteria hold. */
  readonly isSuccess: boolean;
  /** Why not; null where it succeeded. */
  readonly reason: FailureReason | null;
  /** Distance from the axis at contact, mm; null without contact. */
  readonly lateralErrorMm: number | null;
  /** Speed along the axis at contact, mm/s; null without contact. */
  readonly contactSpeedMmS: number | null;
  /** Distance of the final depth from the goal, mm. */
  readonly depthErrorMm: number;
  /** Greatest depth after the puncture, mm; null without puncture. */
  readonly maxDepthMm: number | null;
}

/** Under which conditions it was. */
export interface ClosedLoopSetting {
  /** Task. */
  readonly task: PhantomTask;
  /** Seed of the first scene. */
  readonly sceneSeed: number;
  /** ms from one plan to the next. */
  readonly replanMs: number;
  /** ms until a plan takes effect. */
  readonly latencyMs: number;
  /** Actions that share what the cameras saw, R; null for a policy that sees nothing. */
  readonly visionReuse: number | null;
  /** ms until what the cameras saw is known; null for a policy that sees nothing. */
  readonly visionLatencyMs: number | null;
  /** JPEG quality of the frames; null for frames as they are rendered. */
  readonly quality: number | null;
  /** How often the policy was asked, each time for all scenes. */
  readonly queries: number;
  /** Wall time, and of it what was spent on seeing and on planning. */
  readonly seconds: { readonly total: number; readonly observe: number; readonly policy: number };
}

/** How closed-loop runs went. */
export interface ClosedLoopReport extends ClosedLoopSetting {
  /** Number of runs. */
  readonly episodes: number;
  /** Share that succeeded. */
  readonly successRate: number;
  /** Failed runs by reason; each counts once, reasons that did not occur are left out. */
  readonly failures: Readonly<Partial<Record<FailureReason, number>>>;
  /** Share of the runs that meet each criterion. */
  readonly criteria: Readonly<Record<keyof ClosedLoopResult["criteria"], number>>;
  /** Distance from the axis at contact, mm. */
  readonly lateralErrorMm: ClosedLoopErrors;
  /** Distance of the final depth from the goal, mm. */
  readonly depthErrorMm: ClosedLoopErrors;
  /** Speed along the axis at contact, mm/s. */
  readonly contactSpeedMmS: ClosedLoopErrors;
  /** Each run. */
  readonly scenes: readonly ClosedLoopScene[];
}

const CRITERIA = ["lateral", "puncture", "depth", "speed", "overshoot"] as const;

/**
 * Judges runs that have ended.
 *
 * @param runs at least one
 * @param setting under which conditions they were
 * @returns rates, reasons, errors
 * @throws {RangeError} if there is none, or one has not ended
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { evaluateClosedLoop } from "./mod.ts";
 *
 * const { criteria, lateralErrorMm } = await evaluateClosedLoop("zero", { episodes: 1 });
 * assert.deepEqual([criteria.puncture, criteria.overshoot], [0, 1]);
 * assert.deepEqual(lateralErrorMm, { p50: null, p95: null, max: null, missing: 1 });
 * ```
 */
export function closedLoopReport(
  runs: readonly ClosedLoop[],
  setting: ClosedLoopSetting,
): ClosedLoopReport {
  if (runs.length === 0) {
    throw new RangeError("Cannot report on a closed loop: there must be runs, current value is 0.");
  }
  const results = runs.map((run) => run.result());
  const scenes = results.map((result, i): ClosedLoopScene => ({
    seed: runs[i]!.scene.seed,
    isSuccess: result.isSuccess,
    reason: result.isSuccess ? null : reasonOf(result),
    lateralErrorMm: known(result.lateralError),
    contactSpeedMmS: known(result.contactSpeed),
    depthErrorMm: result.depthError,
    maxDepthMm: known(result.maxDepth),
  }));
  const share = (count: number) => count / runs.length;
  const count = (reason: FailureReason) => scenes.filter((scene) => scene.reason === reason).length;
  return {
    episodes: runs.length,
    successRate: share(scenes.filter(({ isSuccess }) => isSuccess).length),
    failures: Object.fromEntries(
      FAILURE_REASONS.map((reason) => [reason, count(reason)] as const).filter(([, n]) => n > 0),
    ),
    criteria: Object.fromEntries(CRITERIA.map((name) => [
      name,
      share(results.filter(({ criteria }) => criteria[name]).length),
    ])) as ClosedLoopReport["criteria"],
    lateralErrorMm: summary(scenes.map(({ lateralErrorMm }) => lateralErrorMm)),
    depthErrorMm: summary(scenes.map(({ depthErrorMm }) => depthErrorMm)),
    contactSpeedMmS: summary(scenes.map(({ contactSpeedMmS }) => contactSpeedMmS)),
    ...setting,
    scenes,
  };
}

/**
 * The rows of a table of reports, a heading first. Where the cameras were not looked at for each action
 * it has a column of how often they were, and of how much later that was known; – for policies that see
 * nothing.
 *
 * @param reports with their names
 * @returns rows for `formatTable`
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { closedLoopRows, evaluateClosedLoop } from "./mod.ts";
 *
 * const report = await evaluateClosedLoop("zero", { episodes: 1 });
 * assert.deepEqual(closedLoopRows([["zero", report]])[1]!.slice(0, 4), ["zero", 800, "0.000", "0/1"]);
 * ```
 */
export function closedLoopRows(
  reports: readonly (readonly [name: string, report: ClosedLoopReport])[],
): (string | number)[][] {
  const vision = ({ visionReuse, visionLatencyMs }: ClosedLoopSetting) =>
    visionReuse === null
      ? "–"
      : `${100 * visionReuse}${visionLatencyMs ? ` + ${visionLatencyMs}` : ""}`;
  const isSlow = reports.some(([, report]) => !["–", "100"].includes(vision(report)));
  const millimetres = ({ p50, p95 }: ClosedLoopErrors) =>
    [p50, p95].map((value) => value === null ? "–" : value.toFixed(2));
  return [
    [
      "policy",
      "replan ms",
      ...(isSlow ? ["vision ms"] : []),
      "success",
      "scenes",
      "lateral mm p50",
      "p95",
      "depth mm p50",
      "p95",
      "failures",
    ],
    ...reports.map(([name, report]) => [
      name,
      report.replanMs,
      ...(isSlow ? [vision(report)] : []),
      report.successRate.toFixed(3),
      `${Math.round(report.successRate * report.episodes)}/${report.episodes}`,
      ...millimetres(report.lateralErrorMm),
      ...millimetres(report.depthErrorMm),
      Object.entries(report.failures).map(([reason, n]) => `${reason} ${n}`).join(", ") || "none",
    ]),
  ];
}

/**
 * What reports of one policy say, in a sentence.
 *
 * @param name of the policy
 * @param reports one for each setting, at least one
 * @returns a sentence: how often it succeeds, and what most often keeps it from it
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { closedLoopVerdict, evaluateClosedLoop } from "./mod.ts";
 *
 * const reports = [await evaluateClosedLoop("expert", { episodes: 1 })];
 * assert.equal(closedLoopVerdict("expert", reports), "expert inserts in 1 of 1 scenes (800 ms).");
 * ```
 */
export function closedLoopVerdict(name: string, reports: readonly ClosedLoopReport[]): string {
  const rates = reports.map(({ successRate, episodes, replanMs }) =>
    `${Math.round(successRate * episodes)} of ${episodes} scenes (${replanMs} ms)`
  );
  const count = (reason: FailureReason) =>
    reports.reduce((sum, { failures }) => sum + (failures[reason] ?? 0), 0);
  const worst = FAILURE_REASONS.reduce((a, b) => count(b) > count(a) ? b : a);
  const reason = count(worst) === 0 ? "" : `; it fails most often by: ${worst} (${count(worst)})`;
  return `${name} inserts in ${rates.join(", ")}${reason}.`;
}

function reasonOf({ criteria, lateralError }: ClosedLoopResult): FailureReason {
  const applies: Readonly<Record<FailureReason, boolean>> = {
    "no-contact": Number.isNaN(lateralError),
    lateral: !criteria.lateral,
    "contact-speed": !criteria.speed,
    "no-puncture": !criteria.puncture,
    overshoot: !criteria.overshoot,
    depth: !criteria.depth,
  };
  return FAILURE_REASONS.find((reason) => applies[reason])!;
}

function known(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}

function summary(values: readonly (number | null)[]): ClosedLoopErrors {
  const found = Float64Array.from(values.filter((value) => value !== null)).sort();
  const at = (q: number) => found.length === 0 ? null : quantileSorted(found, q);
  return { p50: at(0.5), p95: at(0.95), max: at(1), missing: values.length - found.length };
}
