import { digestOf, type EpisodeIdentity, identify, sortedByIdentity } from "./_digest.ts";
import type { EpisodeData } from "./_episode.ts";
import { addBlock, meanAndStd, noMoments } from "./_moments.ts";
import { type ActionRepresentation, commonActionRepresentation } from "./_representation.ts";
import { ACTION_DIM } from "./chunk.ts";
import { quantileSorted } from "./quantile.ts";
import { PROPRIOCEPTION_DIM, SENSOR_DIM } from "./window.ts";

/** Statistics of several dimensions; each list has one entry per dimension. */
export interface FieldStatistics {
  /** Values per dimension. */
  readonly count: number;
  /** Arithmetic mean. */
  readonly mean: readonly number[];
  /** Population standard deviation, exactly 0 for constant dimensions. */
  readonly std: readonly number[];
  /** Smallest value. */
  readonly min: readonly number[];
  /** Largest value. */
  readonly max: readonly number[];
  /** 1 % quantile. */
  readonly q01: readonly number[];
  /** Median. */
  readonly q50: readonly number[];
  /** 99 % quantile. */
  readonly q99: readonly number[];
  /** Dimensions where all values are equal, which no normaliser may divide by. */
  readonly constant: readonly number[];
}

/** Statistics of all values of a group of channels together. */
export interface GroupStatistics {
  /** Values. */
  readonly count: number;
  /** Arithmetic mean. */
  readonly mean: number;
  /** Population standard deviation. */
  readonly std: number;
  /** Smallest value. */
  readonly min: number;
  /** Largest value. */
  readonly max: number;
}

/** What a normaliser needs to know of the training episodes. */
export interface EpisodeStatistics {
  /** Version of the file's layout. */
  readonly version: 1;
  /** What an action is; null where no manifest says it. */
  readonly actionRepresentation: ActionRepresentation | null;
  /** The episodes it was computed from, sorted by task and name. */
  readonly episodes: readonly EpisodeIdentity[];
  /** Actions, 7 dimensions: mm, degrees, gripper; null without actions. */
  readonly action: FieldStatistics | null;
  /** Robot states, 12 dimensions: degrees, mm, degrees; null without robot states. */
  readonly proprioception: FieldStatistics | null;
  /** Force, 1 dimension, raw; null without a sensor. */
  readonly force: FieldStatistics | null;
  /** The 1025 depths of the A-line as one group, raw; null without a sensor. */
  readonly aline: GroupStatistics | null;
  /** SHA-256 over episodes and action representation: what it was computed from; hexadecimal. */
  readonly digest: string;
}

const BLOCK_ROWS = 256; // 1 MB of sensor rows at a time

/**
 * Computes the statistics of episodes; hand it the training part of a split only. Every action, robot
 * state and sensor row counts once, however many samples share it.
 *
 * Mean and standard deviation are two-pass in float64, quantiles are exact (all values of a dimension
 * are sorted, NumPy's linear method). The A-line, a thousand times larger, is read in blocks and gets
 * no quantiles. Episodes are taken in the order of task and name, so that the order of the input
 * changes no bit of the result.
 *
 * @param episodes training episodes
 * @returns the statistics
 * @throws {RangeError} when there is no episode, a value is not finite, or an action is not the same
 * thing in all episodes
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { episodeStatistics } from "./statistics.ts";
 *
 * const action = Float32Array.of(1, 0, 0, 0, 0, 0, 1, 3, 0, 0, 0, 0, 0, 1);
 * const { action: found } = episodeStatistics([{
 *   path: "/data/red/one",
 *   manifest: { name: "one", task: "red", instruction: "" },
 *   robotTime: new Float64Array(0),
 *   robotState: new Float32Array(0),
 *   action,
 *   actionTime: new Float64Array(4),
 *   segment: new Int32Array(2),
 *   images: [],
 *   sensor: null,
 * }]);
 * assert.equal(found?.mean[0], 2);
 * assert.equal(found?.std[0], 1);
 * assert.deepEqual(found?.constant, [1, 2, 3, 4, 5, 6]);
 * ```
 */
export function episodeStatistics(episodes: readonly EpisodeData[]): EpisodeStatistics {
  if (episodes.length === 0) {
    throw new RangeError(
      `Cannot compute statistics: there must be at least one training episode, current value is 0.`,
    );
  }
  const actionRepresentation = commonActionRepresentation(episodes);
  const identified = sortedByIdentity(
    episodes.map((episode) => ({ episode, identity: identify(episode) })),
    ({ identity }) => identity,
  );
  const sorted = identified.map(({ episode }) => episode);
  const identities = identified.map(({ identity }) => identity);
  const { force, aline } = sensorStatistics(sorted);
  return {
    version: 1,
    actionRepresentation,
    episodes: identities,
    action: fieldStatistics(sorted, "action", ACTION_DIM, (episode) => episode.action),
    proprioception: fieldStatistics(
      sorted,
      "robot_state",
      PROPRIOCEPTION_DIM,
      (episode) => episode.robotState,
    ),
    force,
    aline,
    digest: sourceDigest(identities, actionRepresentation),
  };
}

/** What {@linkcode EpisodeStatistics.digest} holds. */
export function sourceDigest(
  episodes: readonly EpisodeIdentity[],
  representation: ActionRepresentation | null,
): string {
  return digestOf({ version: 1, episodes, representation });
}

/** Column by column, so that one dimension at a time is in memory a second time. */
function fieldStatistics(
  episodes: readonly EpisodeData[],
  array: string,
  width: number,
  of: (episode: EpisodeData) => Float32Array,
): FieldStatistics | null {
  const count = episodes.reduce((sum, episode) => sum + of(episode).length / width, 0);
  if (count === 0) return null;
  const column = new Float32Array(count);
  return describeColumns(
    Array.from({ length: width }, (_, dimension) => {
      let at = 0;
      for (const episode of episodes) {
        const values = of(episode);
        for (let i = dimension; i < values.length; i += width) {
          column[at++] = finite(values[i]!, episode, array, (i - dimension) / width, dimension);
        }
      }
      return describe(column);
    }),
  );
}

type Column = ReturnType<typeof describe>;

/** Sorts the column in place. */
function describe(column: Float32Array) {
  const moments = noMoments();
  addBlock(moments, column);
  column.sort();
  return {
    count: column.length,
    ...meanAndStd(moments),
    min: moments.min,
    max: moments.max,
    q01: quantileSorted(column, 0.01),
    q50: quantileSorted(column, 0.5),
    q99: quantileSorted(column, 0.99),
  };
}

function describeColumns(columns: readonly Column[]): FieldStatistics {
  const all = (key: keyof Column) => columns.map((column) => column[key]);
  return {
    count: columns[0]!.count,
    mean: all("mean"),
    std: all("std"),
    min: all("min"),
    max: all("max"),
    q01: all("q01"),
    q50: all("q50"),
    q99: all("q99"),
    constant: columns.flatMap(({ min, max }, dimension) => min === max ? [dimension] : []),
  };
}

function sensorStatistics(episodes: readonly EpisodeData[]) {
  const rows = episodes.reduce((sum, { sensor }) => sum + (sensor?.rows ?? 0), 0);
  if (rows === 0) return { force: null, aline: null };
  const force = new Float32Array(rows);
  const moments = noMoments();
  const block = new Float32Array(BLOCK_ROWS * SENSOR_DIM);
  let at = 0;
  for (const episode of episodes) {
    const { sensor } = episode;
    for (let start = 0; sensor !== null && start < sensor.rows; start += BLOCK_ROWS) {
      const count = Math.min(BLOCK_ROWS, sensor.rows - start);
      const values = block.subarray(0, count * SENSOR_DIM);
      sensor.readRowsInto(start, values);
      for (let row = 0; row < count; row++) {
        const first = row * SENSOR_DIM;
        force[at++] = finite(values[first]!, episode, "sensor", start + row, 0);
        addBlock(moments, values, first + 1, first + SENSOR_DIM);
      }
      if (!Number.isFinite(moments.mean)) refuseNonFinite(values, episode, start);
    }
  }
  const { count, min, max } = moments;
  return {
    force: describeColumns([describe(force)]),
    aline: { count, ...meanAndStd(moments), min, max } satisfies GroupStatistics,
  };
}

/** A sum is not finite: finds the value that is to blame. */
function refuseNonFinite(values: Float32Array, episode: EpisodeData, start: number): void {
  values.forEach((value, i) =>
    finite(value, episode, "sensor", start + Math.floor(i / SENSOR_DIM), i % SENSOR_DIM)
  );
}

function finite(
  value: number,
  episode: EpisodeData,
  array: string,
  row: number,
  column: number,
): number {
  if (Number.isFinite(value)) return value;
  throw new RangeError(
    `Cannot compute statistics of ${episode.path}: ${array} must be finite, ` +
      `current value is ${value} at row ${row}, column ${column}. ` +
      `Leave the episode out, or build it again from a sound recording.`,
  );
}
