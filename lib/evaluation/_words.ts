import type { Baseline } from "./comparison.ts";

/** What a baseline does, for tables and messages. */
export const BASELINE_TITLES: Readonly<Record<Baseline, string>> = {
  zero: "no motion",
  mean: "mean action",
  holdLast: "hold last action",
};

/** What stands in the columns of the table of policy and baselines. */
export const MEASURES =
  "Path is how far, in mm and degrees, the integrated chunk ends from where the robot really was " +
  "(mean, and 95th percentile: p95). Skill is 1 − (RMSE of the policy / RMSE of the baseline)²: " +
  "1 is perfect, 0 no better than the baseline, below 0 worse.";

/** Four significant digits, plainly; `–` for what is not there. */
export function formatNumber(value: number | null | undefined): string {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1000 || size < 1e-4) return value.toPrecision(4);
  return value.toFixed(Math.max(0, Math.min(7, 3 - Math.floor(Math.log10(size)))));
}
