import type { ClockOffset, LayoutName, OffsetStream } from "./recording.ts";
import type { AlignmentReport } from "./report.ts";

/** First member of every `episode.json`. */
export const EPISODE_FORMAT = "trocar episode";
/** Version of the container that this code writes. */
export const EPISODE_VERSION = 1;

/** One array file of a container. */
export interface ArrayEntry {
  /** NumPy's name of the type. */
  readonly dtype: string;
  /** Its shape. */
  readonly shape: readonly number[];
  /** CRC-32 of the values' bytes, without the header. */
  readonly crc32: number;
}

/** Actions of one segment follow each other without a hole. */
export interface Segment {
  /** First action. */
  readonly first: number;
  /** Number of actions. */
  readonly count: number;
  /** Start of the first action, in seconds. */
  readonly start: number;
  /** End of the last action, in seconds. */
  readonly end: number;
}

/** What an action is: refused where something else is expected. */
export interface ActionRepresentation {
  /** Pose differences. */
  readonly kind: "delta";
  /** Actions per second. */
  readonly hz: number;
  /** Names of the 7 values. */
  readonly dimensions: readonly string[];
  /** Units of the 7 values. */
  readonly units: readonly string[];
  /** Convention of a, b, r. */
  readonly euler: "mobile XYZ";
  /** `wrapped`: angle differences in [−180, 180). */
  readonly angles: "wrapped" | "raw";
  /** Largest |length − 1/hz| of an action, in seconds. */
  readonly tolerance: number;
  /** Whether the Python reference's action list was asked for. */
  readonly compat: boolean;
}

/** `episode.json`: what an episode is and where it comes from. */
export interface EpisodeManifest {
  /** {@linkcode EPISODE_FORMAT}. */
  readonly format: typeof EPISODE_FORMAT;
  /** Version of the container. */
  readonly version: number;
  /** Name of the recording. */
  readonly name: string;
  /** Task it belongs to. */
  readonly task: string;
  /** What the policy is told. */
  readonly instruction: string;
  /** Layout of the recording. */
  readonly layout: LayoutName | "data-pkl";
  /** The recording, relative to the container. */
  readonly source: string;
  /** What an action is. */
  readonly action: ActionRepresentation;
  /** All times are on this clock, in Unix seconds (or the controller's own). */
  readonly clock: string;
  /** What was subtracted from the other streams' times. */
  readonly clockOffsets: Readonly<Record<OffsetStream, ClockOffset>>;
  /** Rates of the streams, in hertz. */
  readonly rates: {
    /** Robot log. */
    readonly robot: number;
    /** Sensor; 0 without one. */
    readonly sensor: number;
    /** By view. */
    readonly views: Readonly<Record<string, number>>;
  };
  /** Views, in the order of `image_index`. */
  readonly views: readonly string[];
  /** Length of the windows of `sensor_range`, in seconds. */
  readonly sensorWindow: number;
  /** Names of the sensor's channel groups, with their columns [first, end). */
  readonly sensorChannels: Readonly<Record<"force" | "aline", readonly [number, number]>>;
  /** Stretches without a hole. */
  readonly segments: readonly Segment[];
  /**
   * Stretches of time that the robot's log holds twice, in seconds: rows of two moments are mixed in
   * them, and data sets take no sample from there.
   */
  readonly overlaps: readonly (readonly [start: number, end: number])[];
  /** Array files, by name without `.npy`. */
  readonly arrays: Readonly<Record<string, ArrayEntry>>;
  /** The alignment report; null where the container was converted from other files. */
  readonly report: AlignmentReport | null;
}

/**
 * The representation of actions that step 0 makes.
 *
 * @param options what deviates from the default
 * @returns the representation
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { actionRepresentation } from "./manifest.ts";
 *
 * assert.equal(actionRepresentation({}).units[3], "deg");
 * ```
 */
export function actionRepresentation(
  options: {
    readonly actionHz?: number;
    readonly tolerance?: number;
    readonly angles?: "wrapped" | "raw";
    readonly compat?: boolean;
  },
): ActionRepresentation {
  const { actionHz = 10, tolerance = 0.02, compat = false } = options;
  return {
    kind: "delta",
    hz: actionHz,
    dimensions: ["dx", "dy", "dz", "da", "db", "dr", "gripper"],
    units: ["mm", "mm", "mm", "deg", "deg", "deg", "1"],
    euler: "mobile XYZ",
    angles: compat ? "raw" : options.angles ?? "wrapped",
    tolerance,
    compat,
  };
}
