import { quantiles } from "./_quantiles.ts";

/** What {@linkcode cleanTimes} found, and which samples remain. */
export interface CleanTimes {
  /** Remaining samples as rows of the input, in ascending order of time; null if all remain in place. */
  readonly rows: Int32Array<ArrayBuffer> | null;
  /** Their times, strictly ascending, in seconds. */
  readonly time: Float64Array<ArrayBuffer>;
  /** Their times and those of samples left out as duplicates, ascending, in seconds. */
  readonly sorted: Float64Array<ArrayBuffer>;
  /** Samples left out because the next one has the same time. */
  readonly duplicates: number;
  /** Samples left out because, after sorting, another has the same time: the clock had gone back. */
  readonly overlapping: number;
  /** Places where the clock went back, by any amount. */
  readonly backwardJumps: number;
  /**
   * Stretches of time that were recorded twice, because the clock was set back by no more than
   * `maxBackward` and went on from there: samples of two moments are mixed in them.
   */
  readonly overlaps: readonly (readonly [start: number, end: number])[];
  /** Samples left out because the clock was set back by more than `maxBackward` beside them. */
  readonly rejectedByClock: number;
  /** Samples left out because their time is not a finite number, or far from both neighbours'. */
  readonly withoutTime: number;
}

/** Options of {@linkcode cleanTimes}. */
export interface CleanTimesOptions {
  /**
   * Largest step back, in seconds, that counts as disorder and is sorted; beyond it the clock was set,
   * and only the longest stretch between such steps remains. Default 1.
   */
  readonly maxBackward?: number;
}

/**
 * Makes the times of a stream strictly ascending: sorts small disorder (stable), keeps the last of
 * samples with equal times, and where the clock was set back keeps the longest stretch, because times
 * on both sides cannot be compared.
 *
 * @param time times of the samples as recorded, in seconds
 * @param options limits
 * @returns the remaining rows, their times and what was left out
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { cleanTimes } from "./clean_times.ts";
 *
 * const clean = cleanTimes(Float64Array.of(0, 0.1, 0.1, 0.3, 0.2));
 * assert.deepEqual([...clean.rows!], [0, 2, 4, 3]);
 * assert.deepEqual([clean.duplicates, clean.backwardJumps], [1, 1]);
 * ```
 */
export function cleanTimes(time: Float64Array, options: CleanTimesOptions = {}): CleanTimes {
  const { maxBackward = 1 } = options;
  let isAscending = true;
  for (let i = 0; i < time.length && isAscending; i++) {
    isAscending = Number.isFinite(time[i]) && (i === 0 || time[i]! > time[i - 1]!);
  }
  if (isAscending) {
    const copy = new Float64Array(time);
    return {
      rows: null,
      time: copy,
      sorted: copy,
      duplicates: 0,
      overlapping: 0,
      backwardJumps: 0,
      overlaps: [],
      rejectedByClock: 0,
      withoutTime: 0,
    };
  }
  const timed: number[] = [];
  for (let i = 0; i < time.length; i++) if (Number.isFinite(time[i])) timed.push(i);
  const finite = timed.filter((_, k) => !isStray(time, timed, k, maxBackward));

  let backwardJumps = 0, stretchStart = 0;
  let longest: [start: number, end: number] = [0, 0];
  for (let k = 1; k <= finite.length; k++) {
    const step = k < finite.length ? time[finite[k]!]! - time[finite[k - 1]!]! : -Infinity;
    if (step < 0 && k < finite.length) backwardJumps++;
    if (step >= -maxBackward) continue;
    if (k - stretchStart > longest[1] - longest[0]) longest = [stretchStart, k];
    stretchStart = k;
  }
  const recorded = finite.slice(...longest);
  const kept = recorded.slice();
  const duplicates = kept.filter((row, k) => k > 0 && time[row] === time[kept[k - 1]!]).length;
  kept.sort((a, b) => time[a]! - time[b]! || a - b);
  const rows = kept.filter((row, k) => k + 1 === kept.length || time[kept[k + 1]!] !== time[row]);
  return {
    rows: Int32Array.from(rows),
    time: Float64Array.from(rows, (row) => time[row]!),
    sorted: Float64Array.from(kept, (row) => time[row]!),
    duplicates,
    overlapping: kept.length - rows.length - duplicates,
    backwardJumps,
    overlaps: findOverlaps(recorded, time),
    rejectedByClock: finite.length - kept.length,
    withoutTime: time.length - finite.length,
  };
}

/** One wrong stamp among right ones: far from its neighbours, which are near each other. */
function isStray(time: Float64Array, rows: readonly number[], k: number, far: number): boolean {
  if (k === 0 || k + 1 === rows.length) return false;
  const [before, here, after] = [time[rows[k - 1]!]!, time[rows[k]!]!, time[rows[k + 1]!]!];
  return Math.abs(here - before) > far && Math.abs(after - here) > far &&
    Math.abs(after - before) <= far;
}

/**
 * A sample that merely arrived late fills a hole among those before it; a clock that was set back
 * dates the same stretch twice, with about twice the samples that its length explains.
 */
function findOverlaps(rows: readonly number[], time: Float64Array): [number, number][] {
  const at = (k: number) => time[rows[k]!]!;
  const steps = rows.slice(1).map((_, k) => at(k + 1) - at(k)).filter((step) => step > 0);
  if (steps.length === 0) return [];
  const [period] = quantiles(steps, [0.5]);
  const overlaps: [number, number][] = [];
  for (let k = 1; k < rows.length; k++) {
    const start = at(k), end = at(k - 1);
    if (start >= end) continue;
    let count = 0;
    for (let j = k - 1; j >= 0 && at(j) >= start && at(j) <= end; j--) count++;
    for (let j = k; j < rows.length && at(j) >= start && at(j) <= end; j++) count++;
    if (count > 1.5 * ((end - start) / period! + 1)) overlaps.push([start, end]);
  }
  return overlaps;
}
