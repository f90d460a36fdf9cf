import type { LiveSession } from "../control/session.ts";
import { positionAt } from "./_position_at.ts";

/** Chunks of a session beside what the robot did at the same times; `chunkOverlay` draws them. */
export interface SessionChunks {
  /** `(3)` names. */
  readonly dimensions: readonly string[];
  /** `(3)` units. */
  readonly units: readonly string[];
  /** `(n,)` start of each chunk, s. */
  readonly starts: readonly number[];
  /** Actions of a chunk, H. */
  readonly horizon: number;
  /** `(n·H·3)` what was planned for each period, mm. */
  readonly planned: Float64Array;
  /** `(n·H·3)` what the robot did in it, mm; NaN beyond its log. */
  readonly executed: Float64Array;
}

/**
 * Chunks of a stretch of a session, each action at the time it was planned for. Chunks overlap: they
 * are to be laid over each other, never added up.
 *
 * @param session the session
 * @param options `from`, `to`: chunks that begin in this stretch, s, default all; `every`: each how
 * manieth of them, default 1
 * @returns chunks and motion
 * @throws {RangeError} when the chunks have different lengths
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { simulateSchedule } from "../control/mod.ts";
 * import { sessionChunks, simulateSession } from "./mod.ts";
 *
 * const session = simulateSession({
 *   schedule: simulateSchedule({ visionMs: [100], actionMs: [15], seconds: 2 }),
 *   limits: { speedMm: 9, turnDeg: 20, force: 9, featureAgeMs: 1000 },
 *   ackMs: [4],
 * });
 * const { starts, planned, executed } = sessionChunks(session, { from: 1, to: 1.5, every: 2 });
 * assert.deepEqual(starts, [1, 1.2, 1.4]);
 * assert(Math.abs(planned[2]! - executed[2]!) < 0.3); // mm downwards in 0.1 s
 * ```
 */
export function sessionChunks(
  session: LiveSession,
  options: { readonly from?: number; readonly to?: number; readonly every?: number } = {},
): SessionChunks {
  const { from = -Infinity, to = Infinity, every = 1 } = options;
  const { robot, periodSeconds } = session;
  const chunks = session.chunks.filter(({ start }) => start >= from && start < to)
    .filter((_, i) => i % every === 0);
  const lengths = [...new Set(chunks.map(({ actions }) => actions.length))];
  if (lengths.length > 1) {
    throw new RangeError(
      `Cannot lay chunks over each other: all must have equally many values, current value is ` +
        `${lengths.join(", ")}.`,
    );
  }
  const actionDim = 7, horizon = (lengths[0] ?? 0) / actionDim;
  const values = (of: (chunk: typeof chunks[number], step: number) => ArrayLike<number>) =>
    Float64Array.from(
      chunks.flatMap((chunk) =>
        Array.from({ length: horizon }, (_, step) => Array.from(of(chunk, step)).slice(0, 3)).flat()
      ),
    );
  return {
    dimensions: ["dx", "dy", "dz"],
    units: ["mm", "mm", "mm"],
    starts: chunks.map(({ start }) => start),
    horizon,
    planned: values(({ actions }, step) =>
      Array.from({ length: 3 }, (_, d) => actions[step * actionDim + d]!)
    ),
    executed: values(({ start }, step) => {
      const before = positionAt(robot, start + step * periodSeconds);
      const after = positionAt(robot, start + (step + 1) * periodSeconds);
      return after.map((value, d) => value - before[d]!);
    }),
  };
}
