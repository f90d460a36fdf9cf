import type { Episode } from "../episode.ts";
import { SENSOR_WIDTH } from "../layouts/_sensor.ts";
import { percentiles } from "../stream_quality.ts";

/** The moment at which the force changes for good, found in two ways. */
export interface Puncture {
  /** First time at which the force is above the threshold, s; null if it never is. */
  readonly byThreshold: number | null;
  /** The threshold: median of the first fifth plus six times its spread. */
  readonly threshold: number;
  /** Time at which splitting the force into two constant levels leaves the least error, s. */
  readonly byChangePoint: number | null;
  /** Level after minus level before that time. */
  readonly step: number;
  /** Share of the force's variance that the two levels explain, 0 to 1; near 0 there is no step. */
  readonly explained: number;
}

const QUIET_SHARE = 0.2, SPREADS = 6, MAD_TO_SIGMA = 1.4826;

/**
 * When the needle meets or passes through something: by a threshold over the force at rest, and by the
 * one change of level that explains most of the force (binary segmentation's first step; Scott and
 * Knott, 1974).
 *
 * @param time `(n,)` ascending, s
 * @param force `(n,)` raw; rows that are not finite are left out
 * @returns both moments; look at the figure where they disagree
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { detectPuncture } from "./force.ts";
 *
 * const time = Float64Array.from({ length: 100 }, (_, i) => i / 100);
 * const force = time.map((t) => t < 0.7 ? 2.4 : 3);
 * const { byChangePoint, byThreshold, step } = detectPuncture(time, force);
 * assert.deepEqual([byChangePoint, byThreshold], [0.7, 0.7]);
 * assert(Math.abs(step - 0.6) < 1e-9);
 * ```
 */
export function detectPuncture(time: ArrayLike<number>, force: ArrayLike<number>): Puncture {
  const rows = Array.from({ length: Math.min(time.length, force.length) }, (_, row) => row)
    .filter((row) => Number.isFinite(time[row]) && Number.isFinite(force[row]));
  const n = rows.length, felt = rows.map((row) => force[row]!);
  const quiet = felt.slice(0, Math.ceil(n * QUIET_SHARE));
  const rest = median(quiet);
  const spread = MAD_TO_SIGMA * median(quiet.map((value) => Math.abs(value - rest)));
  const threshold = rest + SPREADS * Math.max(spread, 1e-9);
  const first = felt.findIndex((value) => value > threshold);

  const total = felt.reduce((sum, value) => sum + value, 0);
  const squares = felt.reduce((sum, value) => sum + (value - total / n) ** 2, 0);
  let best = 0, at = -1, step = 0, sum = 0;
  for (let i = 1; i < n; i++) {
    sum += felt[i - 1]!;
    const before = sum / i, after = (total - sum) / (n - i);
    const gain = i * (n - i) / n * (after - before) ** 2;
    if (gain > best) [best, at, step] = [gain, i, after - before];
  }
  return {
    byThreshold: first < 0 ? null : time[rows[first]!]!,
    threshold,
    byChangePoint: at < 0 ? null : time[rows[at]!]!,
    step,
    explained: squares > 0 ? Math.min(1, best / squares) : 0,
  };
}

/** Zero of none. */
function median(values: readonly number[]): number {
  return percentiles(values).p50;
}

/** Rows of an episode's sensor. */
export interface SensorStretch {
  /** `(n,)` s. */
  readonly time: Float64Array<ArrayBuffer>;
  /** `(n,)` raw. */
  readonly force: Float32Array<ArrayBuffer>;
  /** `(n, depths)` A-lines, raw. */
  readonly aline: Float32Array<ArrayBuffer>;
  /** Samples of an A-line, 1025. */
  readonly depths: number;
}

const BLOCK = 64;

/**
 * Reads the sensor between two times, force and A-lines apart: a row's first value is the force, the
 * others are the A-line. Of more rows than asked for evenly spaced ones are taken.
 *
 * @param episode an opened episode
 * @param options `from` and `to`, s, default all; `rows` at most, default 4000
 * @returns the rows, read block by block
 * @throws {RangeError} if the episode has no sensor
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { readSensorStretch } from "./force.ts";
 *
 * const sensor = {
 *   file: "", rows: 2, time: Float64Array.of(0, 1), range: new Int32Array(0),
 *   readRowsInto: (start: number, target: Float32Array) => target.fill(start + 1),
 * };
 * const { force, depths } = readSensorStretch({ path: "demo", sensor }, { from: 1 });
 * assert.deepEqual([[...force], depths], [[2], 1025]);
 * ```
 */
export function readSensorStretch(
  { path, sensor }: Pick<Episode, "path" | "sensor">,
  options: { readonly from?: number; readonly to?: number; readonly rows?: number } = {},
): SensorStretch {
  if (sensor === null) {
    throw new RangeError(`Cannot read the sensor of ${path}: the episode has none.`);
  }
  const { from = -Infinity, to = Infinity, rows = 4000 } = options;
  const inside = sensor.time.keys().filter((i) => sensor.time[i]! >= from && sensor.time[i]! <= to)
    .toArray();
  const every = Math.max(1, Math.ceil(inside.length / rows));
  const chosen = inside.filter((_, k) => k % every === 0);
  const width = SENSOR_WIDTH, depths = width - 1;
  const stretch = {
    time: Float64Array.from(chosen, (row) => sensor.time[row]!),
    force: new Float32Array(chosen.length),
    aline: new Float32Array(chosen.length * depths),
    depths,
  };
  const block = new Float32Array((every === 1 ? BLOCK : 1) * width);
  for (let k = 0; k < chosen.length;) {
    const count = Math.min(block.length / width, chosen.length - k);
    const part = block.subarray(0, count * width);
    sensor.readRowsInto(chosen[k]!, part);
    for (let i = 0; i < count; i++, k++) {
      stretch.force[k] = part[i * width]!;
      stretch.aline.set(part.subarray(i * width + 1, (i + 1) * width), k * depths);
    }
  }
  return stretch;
}
