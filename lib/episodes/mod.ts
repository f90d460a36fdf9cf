/**
 * Episodes: recordings of every layout onto one clock, pose differences into actions, and the
 * container that holds the result.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { instructionOf } from "trocar/episodes";
 *
 * assert.equal(instructionOf("Red_point"), "Perform Red point insertion task");
 * ```
 *
 * @module
 */
export * from "./actions.ts";
export * from "./align.ts";
export * from "./checks/mod.ts";
export * from "./clean_times.ts";
export * from "./convert/mod.ts";
export * from "./damaged_sensor_error.ts";
export * from "./data_pkl.ts";
export * from "./doctor/mod.ts";
export * from "./discover.ts";
export * from "./episode.ts";
export * from "./instruction.ts";
export type * from "./layouts/layout.ts";
export * from "./manifest.ts";
export * from "./preprocess.ts";
export * from "./read_recording.ts";
export * from "./recording.ts";
export * from "./report.ts";
export * from "./stream_quality.ts";
export * from "./summary.ts";
export {
  type EpisodeContents,
  type EpisodeFacts,
  type SensorRows,
  writeEpisode,
} from "./write_episode.ts";
