import { ACTION_DIM } from "./chunk.ts";
import { PROPRIOCEPTION_DIM, SENSOR_DIM, type TimeWindow } from "./window.ts";

/** What a batch is made of; an `EpisodeDataset` is one. */
export interface BatchShape {
  /** Actions per chunk, H. */
  readonly horizon: number;
  /** Cameras in the order of the image columns, V. */
  readonly views: readonly string[];
  /** Window of force and A-line; null leaves them out. */
  readonly sensorWindow: TimeWindow | null;
  /** Window of robot states; null leaves them out. */
  readonly proprioceptionWindow: TimeWindow | null;
}

/**
 * Memory for B samples that is filled again and again: row b of each array belongs to the b-th
 * sample. An age is how long before the sample's time the newest delivered row was recorded, in s,
 * NaN where nothing was; it is never negative.
 */
export interface Batch {
  /** B. */
  readonly size: number;
  /** `(B,)` place of the episode in the data set. */
  readonly episode: Int32Array;
  /** `(B,)` first action of the chunk. */
  readonly action: Int32Array;
  /** `(B,)` the sample's time t, s: nothing that goes into a policy is newer. */
  readonly time: Float64Array;
  /** `(B,)` what the policy is told to do. */
  readonly instruction: string[];
  /** `(B, H, 7)` mm and degrees. */
  readonly actions: Float32Array;
  /** `(B, H)` 1 for recorded actions, 0 for the padding at the end of a segment. */
  readonly actionMask: Uint8Array;
  /** `(B, rows, 1026)` force and A-line, newest row last. */
  readonly sensor: Float32Array;
  /** `(B, rows)` 1 for recorded rows. */
  readonly sensorMask: Uint8Array;
  /** `(B,)` number of recorded rows; there is a sensor where it is not 0. */
  readonly sensorRows: Int32Array;
  /** `(B,)` s. */
  readonly sensorAge: Float64Array;
  /** `(B, rows, 12)` robot states, newest row last. */
  readonly proprioception: Float32Array;
  /** `(B, rows)` 1 for recorded rows. */
  readonly proprioceptionMask: Uint8Array;
  /** `(B,)` number of recorded rows. */
  readonly proprioceptionRows: Int32Array;
  /** `(B,)` s. */
  readonly proprioceptionAge: Float64Array;
  /** `(B, V)` absolute path of the frame, null where there is none yet. */
  readonly image: (string | null)[];
  /** `(B, V)` number of the frame within its camera, −1 where there is none yet. */
  readonly imageIndex: Int32Array;
  /** `(B, V)` s. */
  readonly imageAge: Float64Array;
}

/**
 * Makes the memory that `EpisodeDataset.readBatch` fills.
 *
 * @param size samples, B
 * @param shape of one sample, an `EpisodeDataset` for instance
 * @returns the batch: zeros, empty texts, ages NaN
 * @throws {RangeError} when the size is not a positive integer
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createBatch, timeWindow } from "./mod.ts";
 *
 * const batch = createBatch(4, {
 *   horizon: 8,
 *   views: ["View1", "View5"],
 *   sensorWindow: timeWindow(100, 650),
 *   proprioceptionWindow: null,
 * });
 * assert.equal(batch.sensor.length, 4 * 65 * 1026);
 * ```
 */
export function createBatch(size: number, shape: BatchShape): Batch {
  if (!(Number.isSafeInteger(size) && size > 0)) {
    throw new RangeError(
      `Cannot make a batch: its size must be a positive integer, current value is ${size}.`,
    );
  }
  const { horizon, views, sensorWindow, proprioceptionWindow } = shape;
  const sensorRows = size * (sensorWindow?.rows ?? 0);
  const robotRows = size * (proprioceptionWindow?.rows ?? 0);
  return {
    size,
    episode: new Int32Array(size),
    action: new Int32Array(size),
    time: new Float64Array(size),
    instruction: new Array<string>(size).fill(""),
    actions: new Float32Array(size * horizon * ACTION_DIM),
    actionMask: new Uint8Array(size * horizon),
    sensor: new Float32Array(sensorRows * SENSOR_DIM),
    sensorMask: new Uint8Array(sensorRows),
    sensorRows: new Int32Array(size),
    sensorAge: new Float64Array(size).fill(NaN),
    proprioception: new Float32Array(robotRows * PROPRIOCEPTION_DIM),
    proprioceptionMask: new Uint8Array(robotRows),
    proprioceptionRows: new Int32Array(size),
    proprioceptionAge: new Float64Array(size).fill(NaN),
    image: new Array<string | null>(size * views.length).fill(null),
    imageIndex: new Int32Array(size * views.length),
    imageAge: new Float64Array(size * views.length).fill(NaN),
  };
}
