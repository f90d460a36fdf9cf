/**
 * Samples from episodes: action chunks and masks, windows of the past chosen by time, statistics of the
 * training episodes, and splits by episode.
 *
 * @example A window of 100 ms at 650 Hz
 * ```ts
 * import assert from "node:assert/strict";
 * import { timeWindow, windowRange } from "trocar/datasets";
 *
 * const times = Float64Array.from({ length: 1300 }, (_, k) => k / 650);
 * const { start, end } = windowRange(times, 1.5, timeWindow(100, 650));
 * assert.equal(end - start, 65);
 * assert(times[end - 1]! <= 1.5);
 * ```
 *
 * @module
 */
export type { ActionRepresentation } from "./_representation.ts";
export type { EpisodeIdentity } from "./_digest.ts";
export type { EpisodeData } from "./_episode.ts";
export * from "./batch.ts";
export * from "./batch_checks.ts";
export * from "./causality.ts";
export { ACTION_DIM, readChunk } from "./chunk.ts";
export * from "./collection/mod.ts";
export * from "./episode_dataset.ts";
export * from "./image_choice.ts";
export * from "./quantile.ts";
export * as reference from "./reference/mod.ts";
export * from "./sample_table.ts";
export * from "./sample_inputs.ts";
export * from "./sampling/mod.ts";
export {
  divideEpisodes,
  type Split,
  type SplitEntry,
  splitEpisodes,
  type SplitOptions,
} from "./split.ts";
export * from "./apply_split.ts";
export * from "./split_overview.ts";
export { readSplit, writeSplit } from "./split_file.ts";
export {
  type EpisodeStatistics,
  episodeStatistics,
  type FieldStatistics,
  type GroupStatistics,
} from "./statistics.ts";
export * from "./statistics_file.ts";
export { describeReuse, reuseCount } from "./vision_reuse.ts";
export * from "./window.ts";
export * from "./without_inputs.ts";
