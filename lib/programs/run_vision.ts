import { readRunConfig } from "../training/mod.ts";
import type { VisionUse } from "./vision_use.ts";

/**
 * How the policy of a run is given visual features.
 *
 * @param run its folder; null for a policy of no run
 * @returns what its settings say; new features for each action where they say nothing
 * @throws {SyntaxError} when `config.json` is damaged
 */
export function runVision(run: string | null): VisionUse {
  const found = run === null ? undefined : readRunConfig(run).settings.vision;
  const { visionReuse, visionLatencyMs } = (found ?? {}) as Partial<Record<string, unknown>>;
  return typeof visionReuse === "number" && typeof visionLatencyMs === "number"
    ? { visionReuse, visionLatencyMs }
    : { visionReuse: 1, visionLatencyMs: 0 };
}
