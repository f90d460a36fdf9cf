/** What is kept of a policy that drives a robot. */
import type { ActionLimits, LimitReason } from "./action_limits.ts";
import type { TimedChunk } from "./blend_chunks.ts";

/** Why the robot was told to rest. */
export type HoldReason =
  | "no features"
  | "old features"
  | "no plan"
  | "missed tick"
  | "stopped";

/** One command. */
export interface SessionTick {
  /** Its number, from 0. */
  readonly number: number;
  /** When it was due, s since the start. */
  readonly time: number;
  /** `(6)` what the chunks say, mm and degrees for one period; null without a chunk. */
  readonly requested: Float64Array | null;
  /** `(6)` what was sent; zeros when the robot was held. */
  readonly sent: Float64Array;
  /** Limits that changed it. */
  readonly limits: readonly LimitReason[];
  /** Why the robot was held; null when it was not. */
  readonly hold: HoldReason | null;
  /** Age of the visual features, ms; NaN without. */
  readonly featureAgeMs: number;
  /** From sending to the robot's answer, ms; null without an answer. */
  readonly ackMs: number | null;
}

/** Something that ended the motion. */
export interface SessionEvent {
  /** When, s since the start. */
  readonly time: number;
  /** The operator stopped the robot, or the force exceeded its limit. */
  readonly kind: "operator" | "force";
  /** In words. */
  readonly text: string;
}

/** What a policy did on a robot. */
export interface LiveSession {
  /** Whether it happened in the simulator. */
  readonly isSimulated: boolean;
  /** From one command to the next, s. */
  readonly periodSeconds: number;
  /** Commands, in order. */
  readonly ticks: readonly SessionTick[];
  /** Chunks of the policy, in order. */
  readonly chunks: readonly TimedChunk[];
  /** Log of the robot. */
  readonly robot: {
    /** `(n,)` s since the start. */
    readonly time: Float64Array;
    /** `(n·6)` pose: mm, degrees. */
    readonly pose: Float64Array;
  };
  /** Force. */
  readonly force: {
    /** `(m,)` s since the start. */
    readonly time: Float64Array;
    /** `(m,)` raw. */
    readonly values: Float64Array;
  };
  /** Emergencies, in order. */
  readonly events: readonly SessionEvent[];
  /** What the robot was allowed. */
  readonly limits: SessionLimits;
}

/** What a robot is allowed in a session. */
export interface SessionLimits extends ActionLimits {
  /** Force above which the session is stopped, raw. */
  readonly force: number;
  /** Age of the features above which the robot is held, ms. */
  readonly featureAgeMs: number;
}
