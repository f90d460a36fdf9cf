import type { EpisodeData } from "./_episode.ts";

/** What of an episode decides on its samples. */
export type SampledEpisode =
  & Pick<EpisodeData, "segment" | "actionTime">
  & Partial<Pick<EpisodeData, "manifest">>;

/** How {@linkcode sampleTable} chooses samples. */
export interface SampleTableOptions {
  /** Actions per chunk, H; default 8. */
  readonly horizon?: number;
  /** Actions from one start to the next, counted from the start of each segment; default 1. */
  readonly stride?: number;
  /**
   * What becomes of starts with fewer than H actions left in their segment: `mask` (default) keeps
   * them with a shorter chunk, `drop` leaves them out.
   */
  readonly endPadding?: "mask" | "drop";
  /**
   * Intervals `[begin, end]` in s of the given episode (its place in the list) that no sample may
   * touch; default none.
   */
  readonly exclude?: (episode: number) => readonly (readonly [begin: number, end: number])[];
  /** How long before its start a sample already counts as touching an interval, s; default 0. */
  readonly excludeMargin?: number;
}

/** Where samples begin: four integers each, nothing of the episodes is copied. */
export interface SampleTable {
  /** Number of samples, S. */
  readonly length: number;
  /** Actions per chunk, H. */
  readonly horizon: number;
  /** `(S,)` place of the episode in the list the table was made from. */
  readonly episode: Int32Array;
  /** `(S,)` first action of the chunk. */
  readonly action: Int32Array;
  /** `(S,)` first action of the segment it lies in. */
  readonly segmentStart: Int32Array;
  /** `(S,)` one past the last action of that segment. */
  readonly segmentEnd: Int32Array;
}

/**
 * Lists the samples of a collection of episodes: one per action start, in the order of the episodes.
 * The chunk of a sample never leaves its segment.
 *
 * A sample whose actions last from s to u touches an excluded interval `[begin, end]` when `begin < u`
 * and `end > s − excludeMargin`.
 *
 * @param episodes the collection; their order gives the numbers in `episode`
 * @param options horizon, stride, what happens at the end of a segment, exclusions
 * @returns the table, 16 bytes per sample
 * @throws {RangeError} when horizon or stride is not a positive integer
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { sampleTable } from "./sample_table.ts";
 *
 * const episode = {
 *   segment: Int32Array.of(0, 0, 0, 1, 1),
 *   actionTime: Float64Array.of(0, 0.1, 0.1, 0.2, 0.2, 0.3, 5, 5.1, 5.1, 5.2),
 * };
 * assert.deepEqual([...sampleTable([episode], { horizon: 2 }).action], [0, 1, 2, 3, 4]);
 * const whole = sampleTable([episode], { horizon: 2, endPadding: "drop" });
 * assert.deepEqual([...whole.action], [0, 1, 3]); // 2 would cross into the next segment
 * ```
 */
export function sampleTable(
  episodes: readonly SampledEpisode[],
  options: SampleTableOptions = {},
): SampleTable {
  const { horizon = 8, stride = 1, endPadding = "mask", exclude, excludeMargin = 0 } = options;
  assertPositive("horizon", horizon);
  assertPositive("stride", stride);
  const capacity = episodes.reduce((sum, { segment }) => sum + segment.length, 0);
  const columns = Array.from({ length: 4 }, () => new Int32Array(capacity));
  const [episode, action, segmentStart, segmentEnd] = columns as [
    Int32Array,
    Int32Array,
    Int32Array,
    Int32Array,
  ];
  let length = 0;
  episodes.forEach(({ segment, actionTime, manifest }, e) => {
    const excluded = [...manifest?.overlaps ?? [], ...exclude?.(e) ?? []];
    for (let start = 0; start < segment.length;) {
      let end = start + 1;
      while (end < segment.length && segment[end] === segment[start]) end++;
      const last = endPadding === "drop" ? end - horizon : end - 1;
      for (let a = start; a <= last; a += stride) {
        const from = actionTime[2 * a]! - excludeMargin;
        const until = actionTime[2 * Math.min(a + horizon, end) - 1]!;
        if (excluded.some(([begin, finish]) => begin < until && finish > from)) continue;
        episode[length] = e;
        action[length] = a;
        segmentStart[length] = start;
        segmentEnd[length++] = end;
      }
      start = end;
    }
  });
  return {
    length,
    horizon,
    episode: episode.slice(0, length),
    action: action.slice(0, length),
    segmentStart: segmentStart.slice(0, length),
    segmentEnd: segmentEnd.slice(0, length),
  };
}

function assertPositive(name: string, value: number): void {
  if (Number.isSafeInteger(value) && value > 0) return;
  throw new RangeError(
    `Cannot list samples: ${name} must be a positive integer, current value is ${value}.`,
  );
}
