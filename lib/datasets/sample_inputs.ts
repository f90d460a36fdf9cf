import type { EpisodeDataset } from "./episode_dataset.ts";
import { PROPRIOCEPTION_DIM, SENSOR_DIM, windowRange } from "./window.ts";

/** Everything of one sample with the times at which it was recorded, on the episode's clock in s. */
export interface SampleInputs {
  /** The sample's time: nothing that goes into a policy is newer. */
  readonly now: number;
  /** Folder of the episode. */
  readonly episode: string;
  /** First action of the chunk. */
  readonly action: number;
  /** What the policy is told. */
  readonly instruction: string;
  /** The newest image of each camera. */
  readonly images: readonly {
    /** Camera. */
    readonly view: string;
    /** When it was recorded; NaN where there is none yet. */
    readonly time: number;
    /** Path of the file; null where there is none yet. */
    readonly file: string | null;
  }[];
  /** The past window of force and A-lines. */
  readonly sensor: {
    /** `(n,)` when the rows were recorded. */
    readonly time: Float64Array;
    /** `(n,)` raw. */
    readonly force: Float32Array;
  };
  /** The past window of robot states. */
  readonly robot: {
    /** `(n,)` when the rows were recorded. */
    readonly time: Float64Array;
    /** `(n, 12)` joints in degrees, x y z in mm, a b r in degrees. */
    readonly state: Float32Array;
  };
  /** The actions to predict: recorded ones only. */
  readonly chunk: {
    /** `(h,)` ends of the actions. */
    readonly time: Float64Array;
    /** `(h, 7)` mm and degrees. */
    readonly actions: Float32Array;
  };
}

/**
 * One sample end to end on one time axis, as a training run reads it.
 *
 * @param dataset whose sample
 * @param index of the sample, 0 … S − 1
 * @returns inputs and target with their times
 * @throws {RangeError} when there is no such sample
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { EpisodeDataset, sampleInputs } from "./mod.ts";
 *
 * const dataset = new EpisodeDataset([{
 *   path: "/data/red/one",
 *   manifest: { name: "one", task: "red", instruction: "Insert the needle" },
 *   robotTime: Float64Array.of(0, 0.09, 0.2),
 *   robotState: new Float32Array(3 * 12),
 *   action: new Float32Array(7),
 *   actionTime: Float64Array.of(0.1, 0.2),
 *   segment: new Int32Array(1),
 *   images: [{ view: "View1", time: Float64Array.of(0.05), file: () => "/data/0.jpg" }],
 *   sensor: null,
 * }]);
 * const { now, robot, images, chunk } = sampleInputs(dataset, 0);
 * assert.deepEqual([now, [...robot.time], [...chunk.time]], [0.1, [0, 0.09], [0.2]]);
 * assert.deepEqual(images, [{ view: "View1", time: 0.05, file: "/data/0.jpg" }]);
 * ```
 */
export function sampleInputs(dataset: EpisodeDataset, index: number): SampleInputs {
  const { sensorWindow, proprioceptionWindow, views } = dataset;
  const batch = dataset.readBatch([index]), now = batch.time[0]!, first = batch.action[0]!;
  const episode = dataset.episodes[batch.episode[0]!]!;
  const steps = batch.actionMask.reduce((sum, is) => sum + is, 0);
  const sensorTime = rowTimes(episode.sensor?.time, now, sensorWindow);
  const robotTime = rowTimes(episode.robotTime, now, proprioceptionWindow);
  const rows = batch.sensor.subarray(batch.sensor.length - sensorTime.length * SENSOR_DIM);
  const states = robotTime.length * PROPRIOCEPTION_DIM;
  return {
    ...{ now, episode: episode.path, action: first, instruction: batch.instruction[0]! },
    images: views.map((view, v) => ({
      view,
      time: now - batch.imageAge[v]!,
      file: batch.image[v]!,
    })),
    sensor: {
      time: sensorTime,
      force: Float32Array.from(sensorTime, (_, row) => rows[row * SENSOR_DIM]!),
    },
    robot: {
      time: robotTime,
      state: batch.proprioception.slice(batch.proprioception.length - states),
    },
    chunk: {
      time: Float64Array.from(
        { length: steps },
        (_, h) => episode.actionTime[2 * (first + h) + 1]!,
      ),
      actions: batch.actions.slice(0, steps * 7),
    },
  };
}

function rowTimes(
  times: Float64Array | undefined,
  now: number,
  window: EpisodeDataset["sensorWindow"],
): Float64Array {
  if (times === undefined || window === null) return new Float64Array(0);
  const { start, end } = windowRange(times, now, window);
  return times.slice(start, end);
}
