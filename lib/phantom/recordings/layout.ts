import type { PhantomTask } from "../scene.ts";

/** The on-disk layouts that simulated recordings can be written in. */
export const PHANTOM_LAYOUTS = [
  "white-silicone",
  "needle",
  "oct",
  "part1",
  "new-dataset",
  "new-dataset2",
] as const;

/** Name of an on-disk layout. */
export type PhantomLayout = typeof PHANTOM_LAYOUTS[number];

/** What recordings of a layout can hold. */
export interface PhantomLayoutTraits {
  /** Whether sensor data are recorded. */
  readonly hasSensor: boolean;
  /** Clock of the receiver in the robot log: none, one value a poll, or one a message. */
  readonly receiver: "none" | "poll" | "message";
  /** Right eyes of the stereo cameras. */
  readonly rightEyes: "never" | "optional" | "always";
  /** Task that is recorded unless another is asked for. */
  readonly defaultTask: PhantomTask;
  /** One line for `--help`. */
  readonly summary: string;
}

/** What each layout can hold. */
export const PHANTOM_LAYOUT_TRAITS: Readonly<Record<PhantomLayout, PhantomLayoutTraits>> = {
  "white-silicone": {
    hasSensor: true,
    receiver: "poll",
    rightEyes: "optional",
    defaultTask: "White_point",
    summary: "White_silicone_white_circle/recv_all_<time>/",
  },
  needle: {
    hasSensor: true,
    receiver: "poll",
    rightEyes: "optional",
    defaultTask: "Eye_trocar",
    summary: "Needle_insertion_eye_trocar/recv_all_<time>/",
  },
  oct: {
    hasSensor: false,
    receiver: "none",
    rightEyes: "always",
    defaultTask: "Blue_point",
    summary: "OCT_insertion/Captures<i>/",
  },
  part1: {
    hasSensor: false,
    receiver: "none",
    rightEyes: "always",
    defaultTask: "Blue_point",
    summary: "part1/ZED_Captures_<i>th/",
  },
  "new-dataset": {
    hasSensor: true,
    receiver: "poll",
    rightEyes: "never",
    defaultTask: "Blue_point",
    summary: "New_dataset/<task>/episode_<time>/",
  },
  "new-dataset2": {
    hasSensor: true,
    receiver: "message",
    rightEyes: "never",
    defaultTask: "Blue_point",
    summary: "New_dataset2/<task>/data_collection_<time>/",
  },
};

/**
 * Writes a time the way recorders name folders: `YYYYMMDD_HHMMSS`. Local time is UTC here, so that
 * a seed gives the same names everywhere.
 *
 * @param seconds Unix time; fractions are cut off
 * @returns 15 characters
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { sessionStamp } from "./layout.ts";
 *
 * assert.equal(sessionStamp(1761760288.9), "20251029_175128");
 * ```
 */
export function sessionStamp(seconds: number): string {
  const [day, time] = new Date(Math.floor(seconds) * 1000).toISOString().split("T");
  return `${day!.replaceAll("-", "")}_${time!.slice(0, 8).replaceAll(":", "")}`;
}

/**
 * The folder of a recording below the output folder.
 *
 * @param layout which layout
 * @param recording its task, start (Unix seconds), and number from 1, where the layout counts
 * @returns relative path with `/`
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { recordingFolder } from "./layout.ts";
 *
 * const recording = { task: "Red_point", startTime: 1761760000, number: 3 };
 * assert.equal(recordingFolder("part1", recording), "part1/ZED_Captures_3th");
 * assert.equal(
 *   recordingFolder("new-dataset", recording),
 *   "New_dataset/Red_point/episode_20251029_174640",
 * );
 * ```
 */
export function recordingFolder(
  layout: PhantomLayout,
  recording: { readonly task: string; readonly startTime: number; readonly number: number },
): string {
  const stamp = sessionStamp(recording.startTime);
  switch (layout) {
    case "white-silicone":
      return `White_silicone_white_circle/recv_all_${stamp}`;
    case "needle":
      return `Needle_insertion_eye_trocar/recv_all_${stamp}`;
    case "oct":
      return `OCT_insertion/Captures${recording.number}`;
    case "part1":
      return `part1/ZED_Captures_${recording.number}th`;
    case "new-dataset":
      return `New_dataset/${recording.task}/episode_${stamp}`;
    case "new-dataset2":
      return `New_dataset2/${recording.task}/data_collection_${stamp}`;
  }
}
