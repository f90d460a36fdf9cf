import { UsageError } from "../cli/mod.ts";
import { reuseCount } from "../datasets/mod.ts";
import type { TrainingValues } from "./flags.ts";
import type { TrainingProgram } from "./program.ts";

/** How often, and how late, a policy is given visual features. */
export interface VisionUse {
  /** Actions that share an observation, R. */
  readonly visionReuse: number;
  /** How late, ms, features are known in the simulator. In training they are known at once. */
  readonly visionLatencyMs: number;
}

/**
 * How often, and how late, flags let a policy have visual features.
 *
 * @param program whose flags
 * @param values of the flags
 * @returns reuse and latency
 * @throws {UsageError} when the model would be slower than its turns
 */
export function visionUse(
  { visionReuse: usual }: TrainingProgram,
  { vlmReuseCount, vlmLatencyMs }: TrainingValues,
): VisionUse {
  if (vlmLatencyMs === undefined) {
    const visionReuse = vlmReuseCount ?? usual;
    return { visionReuse, visionLatencyMs: visionReuse > 1 ? 100 * visionReuse : 0 };
  }
  const needed = reuseCount(vlmLatencyMs);
  const visionReuse = vlmReuseCount ?? needed;
  if (visionReuse < needed) {
    throw new UsageError(
      `Cannot use --vlm-reuse-count ${visionReuse} with --vlm-latency-ms ${vlmLatencyMs}: the model ` +
        `answers every ${needed} ticks of 100 ms at best. Use ${needed} or more, or leave it out.`,
    );
  }
  return { visionReuse, visionLatencyMs: Math.ceil(vlmLatencyMs / 10) * 10 };
}
