import { ACTION_DIM } from "../chunk.ts";

/** Rows of a recording, and how many zero rows the reference appended. */
export interface PaddedRows {
  /** First row. */
  readonly start: number;
  /** One past the last row. */
  readonly end: number;
  /** Rows of zeros at the end. */
  readonly zeros: number;
}

/**
 * Robot rows per action in the reference: trunc(robotHz / 10), so that at 98 Hz an action lasts
 * 91.8 ms. Ours are found by time.
 *
 * @param robotHz rate of the robot log in the metadata, Hz
 * @returns k
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { rowsPerAction } from "./window_samples.ts";
 *
 * assert.equal(rowsPerAction(98), 9);
 * ```
 */
export function rowsPerAction(robotHz: number): number {
  return Math.trunc(robotHz / 10);
}

/**
 * The number of samples the reference makes of P robot rows: floor((P − k) / k), at least 0. Where k
 * does not divide P the last action is lost: there are floor((P − 1) / k).
 *
 * @param rows P
 * @param k rows per action; default 10
 * @returns the number
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { windowSampleCount } from "./window_samples.ts";
 *
 * assert.equal(windowSampleCount(1755), 174);
 * ```
 */
export function windowSampleCount(rows: number, k = 10): number {
  return Math.max(0, Math.floor((rows - k) / k));
}

/**
 * The robot row whose number the reference takes for a sample's visual observation:
 * floor(index / R) · k · R.
 *
 * @param index of the sample
 * @param k rows per action; default 10
 * @param reuse R; default 3
 * @returns the row
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { visionRow } from "./window_samples.ts";
 *
 * assert.deepEqual([2, 3, 14].map((i) => visionRow(i)), [0, 30, 120]);
 * ```
 */
export function visionRow(index: number, k = 10, reuse = 3): number {
  return Math.floor(index / reuse) * k * reuse;
}

/**
 * The stored sensor window the reference shows for a sample: the one of the same number, although
 * windows come at 5 Hz and samples at 10 Hz, so that it lies ever further in the future.
 *
 * @param index of the sample
 * @param windows stored
 * @returns number of the window, −1 if there are none
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { storedWindow } from "./window_samples.ts";
 *
 * assert.equal(storedWindow(18, 8), 7);
 * ```
 */
export function storedWindow(index: number, windows: number): number {
  return Math.min(index, windows - 1);
}

/**
 * The robot rows the reference shows for a sample: a window **centred** on it, half of it future;
 * shifted at the start, padded with zeros at the end. Ours is the past: `readProprioceptionWindow`.
 *
 * @param index of the sample
 * @param rows P
 * @param k rows per action; default 10
 * @param size rows of the window; default 100
 * @returns the rows
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { centredRobotRows } from "./window_samples.ts";
 *
 * assert.deepEqual(centredRobotRows(18, 205), { start: 130, end: 205, zeros: 25 });
 * ```
 */
export function centredRobotRows(index: number, rows: number, k = 10, size = 100): PaddedRows {
  const start = Math.min(rows, Math.max(0, index * k - size / 2));
  const end = Math.min(rows, start + size);
  return { start, end, zeros: size - (end - start) };
}

/**
 * The chunk the reference trains on: pose differences over k rows, the last one repeated, and with
 * `zeroEnd` (its second version) standing still in the last five actions of a recording. Ours repeats
 * and masks, and invents no standstill: `readChunk`.
 *
 * @param poses `(P, 6)` x y z in mm, a b r in degrees
 * @param index of the sample
 * @param options rows per action k, default 10; horizon H, default 8; zeroEnd, default true
 * @returns `(H, 7)` actions; all zeros where no action is left
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { windowChunk } from "./window_samples.ts";
 *
 * const poses = Float32Array.from({ length: 205 * 6 }, (_, i) => i % 6 === 0 ? i / 24 : 0);
 * const x = (chunk: Float32Array) => [...chunk].filter((_, i) => i % 7 === 0);
 * assert.deepEqual(x(windowChunk(poses, 12)), [2.5, 2.5, 0, 0, 0, 0, 0, 0]);
 * ```
 */
export function windowChunk(
  poses: Float32Array,
  index: number,
  { k = 10, horizon = 8, zeroEnd = true } = {},
): Float32Array {
  const rows = poses.length / 6;
  const total = windowSampleCount(rows, k);
  const chunk = new Float32Array(horizon * ACTION_DIM);
  for (let m = 0; m < horizon; m++) {
    const at = m * ACTION_DIM;
    const from = (index + m) * k * 6, until = from + k * 6;
    if (until / 6 >= rows) {
      if (m > 0) chunk.copyWithin(at, at - ACTION_DIM, at);
      continue;
    }
    const standsStill = zeroEnd && total - (index + m) <= 5;
    for (let d = 0; d < 6 && !standsStill; d++) {
      chunk[at + d] = poses[until + d]! - poses[from + d]!;
    }
    chunk[at + 6] = 1;
  }
  return chunk;
}

/**
 * The windows of 650 rows that the reference stored five times a second, four fifths of each the same
 * as in the one before. Ours keeps the rows once and cuts windows when they are read.
 *
 * @param rows of the sensor recording
 * @param hz its rate; default 650
 * @param size rows of a window; default 650
 * @returns first row of each window
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { storedWindowStarts } from "./window_samples.ts";
 *
 * assert.deepEqual([...storedWindowStarts(780)], [0, 130]);
 * ```
 */
export function storedWindowStarts(rows: number, hz = 650, size = 650): Int32Array {
  const step = Math.max(1, Math.trunc(hz * 0.2));
  const count = rows < size ? 0 : Math.floor((rows - size) / step) + 1;
  return Int32Array.from({ length: count }, (_, k) => k * step);
}
