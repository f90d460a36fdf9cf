import type { EpisodeData } from "./_episode.ts";
import { assertSorted } from "./_assert_sorted.ts";
import { type ActionRepresentation, commonActionRepresentation } from "./_representation.ts";
import { type Batch, type BatchShape, createBatch } from "./batch.ts";
import { ACTION_DIM, assertLength, assertSample, readChunk } from "./chunk.ts";
import { cameraOfView, newestImage, observationAction } from "./image_choice.ts";
import { type SampleTable, sampleTable, type SampleTableOptions } from "./sample_table.ts";
import {
  PROPRIOCEPTION_DIM,
  readProprioceptionWindow,
  readSensorWindow,
  type RowRange,
  SENSOR_DIM,
  type TimeWindow,
  timeWindow,
} from "./window.ts";

/** What an {@linkcode EpisodeDataset} serves. */
export interface EpisodeDatasetOptions extends SampleTableOptions {
  /** Force and A-line of the past so many ms; default 100, null leaves them out. */
  readonly sensorMilliseconds?: number | null;
  /** Nominal rate of the sensor, Hz; default 650. */
  readonly sensorHz?: number;
  /** Robot states of the past so many ms; default 1000, null leaves them out. */
  readonly proprioceptionMilliseconds?: number | null;
  /** Nominal rate of the robot states, Hz; default 100. */
  readonly proprioceptionHz?: number;
  /** Cameras to serve, see {@linkcode cameraOfView}; default all that occur, sorted by name. */
  readonly views?: readonly string[];
  /** Consecutive starts that share one visual observation, R; default 1. */
  readonly visionReuse?: number;
  /**
   * Actions from looking to the first use of what a slow model saw; default 0. To evaluate on what a
   * robot has: policies trained on it learn less from what they see, and insert less often.
   */
  readonly visionDelay?: number;
}

/**
 * Fills rows of a sensor.
 *
 * @param episode its place in the data set
 * @param start first row
 * @param target `(rows, 1026)` to be filled
 */
export type SensorRowReader = (episode: number, start: number, target: Float32Array) => void;

/**
 * Samples of a collection of episodes: for each action start at time t the chunk of actions that
 * follows, and what was known at t: force, A-line, robot states, newest camera frames, instruction.
 *
 * Every input is chosen by time, none is newer than t. Windows are read by range when a sample is,
 * into memory the caller owns; the data set itself holds 16 bytes per sample. The episodes stay open and
 * belong to the caller.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { EpisodeDataset } from "./mod.ts";
 *
 * const episode = {
 *   path: "/data/red/one",
 *   manifest: { name: "one", task: "red", instruction: "Insert the needle" },
 *   robotTime: Float64Array.of(0, 0.1, 0.2),
 *   robotState: new Float32Array(3 * 12),
 *   action: new Float32Array(2 * 7),
 *   actionTime: Float64Array.of(0, 0.1, 0.1, 0.2),
 *   segment: new Int32Array(2),
 *   images: [{ view: "View1", time: Float64Array.of(0.05), file: (k: number) => `/data/${k}.jpg` }],
 *   sensor: null,
 * };
 * const dataset = new EpisodeDataset([episode]);
 * const { image, imageAge, sensorRows } = dataset.readBatch([0, 1]);
 * assert.deepEqual(image, [null, "/data/0.jpg"]); // at t = 0 the frame of 0.05 s is in the future
 * assert.equal(imageAge[1], 0.05);
 * assert.deepEqual([...sensorRows], [0, 0]);
 * ```
 */
export class EpisodeDataset implements BatchShape {
  /** The episodes, in the order given. */
  readonly episodes: readonly EpisodeData[];
  /** What an action is in all of them; null where no manifest says it. */
  readonly actionRepresentation: ActionRepresentation | null;
  /** Where the samples begin. */
  readonly samples: SampleTable;
  /** Cameras, in the order of the image columns. */
  readonly views: readonly string[];
  /** Window of force and A-line. */
  readonly sensorWindow: TimeWindow | null;
  /** Window of robot states. */
  readonly proprioceptionWindow: TimeWindow | null;
  /** Consecutive starts that share one visual observation. */
  readonly visionReuse: number;
  /** Actions from looking to the first use of what was seen. */
  readonly visionDelay: number;
  /** For each episode its camera of each view, −1 where it has none. */
  readonly #camera: readonly Int32Array[];

  /**
   * Lists the samples; nothing is read yet.
   *
   * @param episodes open episodes
   * @param options horizon, stride, windows, cameras
   * @throws {RangeError} when an option is out of range, a camera is in no episode, the times of an
   * episode go backwards, or an action is not the same in all
   */
  constructor(episodes: readonly EpisodeData[], options: EpisodeDatasetOptions = {}) {
    const {
      sensorMilliseconds = 100,
      sensorHz = 650,
      proprioceptionMilliseconds = 1000,
      proprioceptionHz = 100,
      visionReuse = 1,
      visionDelay = 0,
    } = options;
    episodes.forEach(assertTimes);
    this.episodes = episodes;
    this.actionRepresentation = commonActionRepresentation(episodes);
    this.samples = sampleTable(episodes, options);
    this.sensorWindow = sensorMilliseconds === null
      ? null
      : timeWindow(sensorMilliseconds, sensorHz);
    this.proprioceptionWindow = proprioceptionMilliseconds === null
      ? null
      : timeWindow(proprioceptionMilliseconds, proprioceptionHz);
    this.visionReuse = visionReuse;
    this.visionDelay = visionDelay;
    this.views = chooseViews(episodes, options.views);
    this.#camera = episodes.map(({ images }) =>
      Int32Array.from(
        this.views,
        (view) => images.findIndex((camera) => cameraOfView(camera.view) === view),
      )
    );
    if (this.length > 0) this.observationAction(0); // checks reuse and delay
  }

  /** Number of samples, S. */
  get length(): number {
    return this.samples.length;
  }

  /** Actions per chunk, H. */
  get horizon(): number {
    return this.samples.horizon;
  }

  /**
   * The time of a sample: the start of its first action.
   *
   * @param index of the sample, 0 … S − 1
   * @returns s, on the robot's clock
   * @throws {RangeError} when there is no such sample
   */
  time(index: number): number {
    assertSample(this.samples, index);
    const { actionTime } = this.episodes[this.samples.episode[index]!]!;
    return actionTime[2 * this.samples.action[index]!]!;
  }

  /**
   * The action at whose start the images of a sample are taken, see {@linkcode observationAction}.
   *
   * @param index of the sample, 0 … S − 1
   * @returns the action, in the sample's segment
   * @throws {RangeError} when there is no such sample
   */
  observationAction(index: number): number {
    return observationAction(this.samples, index, this.visionReuse, this.visionDelay);
  }

  /**
   * For how many actions before this one the visual observation of a sample has been known.
   *
   * @param index of the sample, 0 … S − 1
   * @returns 0 … R − 1
   * @throws {RangeError} when there is no such sample
   */
  reuseStep(index: number): number {
    const age = this.samples.action[index]! - this.observationAction(index);
    return Math.max(0, age - this.visionDelay); // at the start of a segment the first one is known
  }

  /**
   * Reads samples into memory that can be used again.
   *
   * @param indices of the samples, at most as many as the batch holds
   * @param batch from `createBatch(size, dataset)`; default a new one
   * @param readSensor gets the sensor's rows in place of the episodes' own `readRowsInto`; it may leave
   * the reading to another thread
   * @returns the batch; rows beyond the given indices keep what they held
   * @throws {RangeError} when there is no such sample, or the batch is too small or of another shape
   */
  readBatch(
    indices: ArrayLike<number>,
    batch: Batch = createBatch(indices.length, this),
    readSensor?: SensorRowReader,
  ): Batch {
    if (indices.length > batch.size) {
      throw new RangeError(
        `Cannot read ${indices.length} samples: the batch holds fewer, ` +
          `current value is ${batch.size}. Make a larger one with createBatch.`,
      );
    }
    this.#assertShape(batch);
    for (let row = 0; row < indices.length; row++) {
      this.#readRow(indices[row]!, batch, row, readSensor);
    }
    return batch;
  }

  #readRow(index: number, batch: Batch, row: number, readSensor?: SensorRowReader): void {
    const t = this.time(index);
    const number = this.samples.episode[index]!;
    const episode = this.episodes[number]!;
    batch.episode[row] = number;
    batch.action[row] = this.samples.action[index]!;
    batch.time[row] = t;
    batch.instruction[row] = episode.manifest.instruction;
    const { horizon, sensorWindow, proprioceptionWindow } = this;
    const actions = part(batch.actions, row, horizon * ACTION_DIM);
    readChunk(episode, this.samples, index, actions, part(batch.actionMask, row, horizon));
    if (sensorWindow !== null) {
      const { rows } = sensorWindow;
      const target = part(batch.sensor, row, rows * SENSOR_DIM);
      const mask = part(batch.sensorMask, row, rows);
      const source = readSensor === undefined || episode.sensor === null ? episode : {
        sensor: {
          ...episode.sensor,
          readRowsInto: (start: number, rows: Float32Array) => readSensor(number, start, rows),
        },
      };
      const range = readSensorWindow(source, t, sensorWindow, target, mask);
      batch.sensorRows[row] = range.end - range.start;
      batch.sensorAge[row] = age(episode.sensor?.time, range, t);
    }
    if (proprioceptionWindow !== null) {
      const { rows } = proprioceptionWindow;
      const target = part(batch.proprioception, row, rows * PROPRIOCEPTION_DIM);
      const mask = part(batch.proprioceptionMask, row, rows);
      const range = readProprioceptionWindow(episode, t, proprioceptionWindow, target, mask);
      batch.proprioceptionRows[row] = range.end - range.start;
      batch.proprioceptionAge[row] = age(episode.robotTime, range, t);
    }
    this.#chooseImages(index, t, batch, row);
  }

  #chooseImages(index: number, t: number, batch: Batch, row: number): void {
    const { images, actionTime } = this.episodes[this.samples.episode[index]!]!;
    const observed = actionTime[2 * this.observationAction(index)]!;
    const cameras = this.#camera[this.samples.episode[index]!]!;
    for (let v = 0; v < cameras.length; v++) {
      const camera = images[cameras[v]!]; // none at −1
      const frame = camera === undefined ? -1 : newestImage(camera.time, observed);
      const at = row * cameras.length + v;
      batch.imageIndex[at] = frame;
      batch.image[at] = frame < 0 ? null : camera!.file(frame);
      batch.imageAge[at] = frame < 0 ? NaN : t - camera!.time[frame]!;
    }
  }

  #assertShape({ size, ...batch }: Batch): void {
    assertLength("actions", batch.actions, size * this.horizon * ACTION_DIM);
    assertLength("images", batch.imageIndex, size * this.views.length);
    assertLength("sensor windows", batch.sensorMask, size * (this.sensorWindow?.rows ?? 0));
    assertLength(
      "proprioception windows",
      batch.proprioceptionMask,
      size * (this.proprioceptionWindow?.rows ?? 0),
    );
  }
}

function part<T extends Float32Array | Uint8Array>(array: T, row: number, length: number): T {
  return array.subarray(row * length, (row + 1) * length) as T;
}

function age(times: Float64Array | undefined, { start, end }: RowRange, t: number): number {
  return end > start ? t - times![end - 1]! : NaN;
}

function assertTimes({ path, robotTime, sensor, images }: EpisodeData): void {
  assertSorted(robotTime, path, "robot_time");
  if (sensor !== null) assertSorted(sensor.time, path, "sensor_time");
  for (const { view, time } of images) assertSorted(time, path, `image_time_${view}`);
}

function chooseViews(
  episodes: readonly EpisodeData[],
  wanted?: readonly string[],
): readonly string[] {
  const found = new Set(
    episodes.flatMap(({ images }) => images.map(({ view }) => cameraOfView(view))),
  );
  const missing = wanted?.filter((view) => !found.has(view)) ?? [];
  if (missing.length > 0) {
    throw new RangeError(
      `Cannot serve the views ${missing.join(", ")}: they must be in one of the episodes, ` +
        `current value is ${[...found].sort().join(", ") || "no view"}.`,
    );
  }
  return wanted ?? [...found].sort();
}
