import type { EpisodeData } from "./_episode.ts";
import { splitParts } from "./apply_split.ts";
import type { Split } from "./split.ts";

/** An episode in a split. */
export interface SplitRow {
  /** Where it stands. */
  readonly part: "training" | "validation" | "new";
  /** Task. */
  readonly task: string;
  /** Name. */
  readonly name: string;
  /** Actions, which are as many samples. */
  readonly actions: number;
  /** Stretches without a hole. */
  readonly segments: number;
  /** From the first action to the end of the last, s. */
  readonly seconds: number;
}

/**
 * Which episodes train and which validate, and how long they are.
 *
 * @param split of the episodes
 * @param episodes open episodes
 * @returns one row for each, by part, task and name
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { divideEpisodes, splitOverview } from "./mod.ts";
 *
 * const episode = (name: string) => ({
 *   path: `/data/red/${name}`,
 *   manifest: { name, task: "red", instruction: "" },
 *   robotTime: Float64Array.of(Number(name)),
 *   robotState: new Float32Array(12),
 *   action: new Float32Array(14),
 *   actionTime: Float64Array.of(0, 0.1, 0.1, 0.2),
 *   segment: Int32Array.of(0, 0),
 *   images: [],
 *   sensor: null,
 * });
 * const episodes = [episode("1"), episode("2")];
 * const split = divideEpisodes(episodes, ({ manifest }) => manifest.name === "1");
 * const rows = splitOverview(split, episodes);
 * assert.deepEqual(rows.map(({ part, name }) => [part, name]), [["training", "2"], ["validation", "1"]]);
 * assert.deepEqual([rows[0]!.actions, rows[0]!.segments, rows[0]!.seconds], [2, 1, 0.2]);
 * ```
 */
export function splitOverview(split: Split, episodes: readonly EpisodeData[]): SplitRow[] {
  const parts = splitParts(split, episodes);
  const keyOf = ({ part, task, name }: SplitRow) => JSON.stringify([part, task, name]);
  return episodes.map(({ manifest, segment, actionTime }, i): SplitRow => ({
    part: parts[i]!,
    task: manifest.task,
    name: manifest.name,
    actions: segment.length,
    segments: new Set(segment).size,
    seconds: segment.length === 0 ? 0 : actionTime.at(-1)! - actionTime[0]!,
  })).sort((a, b) => keyOf(a) < keyOf(b) ? -1 : 1);
}
