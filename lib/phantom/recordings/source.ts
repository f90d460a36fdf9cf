import type { PhantomTask, PhantomView } from "../scene.ts";

/** The robot's log as the robot's own computer stamps it. */
export interface RobotSource {
  /** `(m,)` seconds, full resolution, not decreasing. */
  readonly time: Float64Array;
  /** `(m,)` seconds: the publisher's coarse clock (1 ms, refreshed every 5 ms). */
  readonly origin: Float64Array;
  /** `(m·6)` x, y, z in mm, a, b, r in degrees, row by row; angles within [−180, 180). */
  readonly pose: Float64Array;
  /** `(m·6)` joints 1 to 6 in degrees, row by row. */
  readonly joints: Float64Array;
}

/** One camera's frames. */
export interface CameraSource {
  /** Which camera. */
  readonly view: PhantomView;
  /** `(frames,)` seconds on the cameras' clock, increasing. */
  readonly time: Float64Array;
  /** RGB raster of frame k, `height · width · 3` bytes. */
  frame(k: number): Uint8Array;
}

/** The rows of the OCT and force sensor. */
export interface SensorSource {
  /** `(M,)` seconds on the sensor's clock, increasing. */
  readonly time: Float64Array;
  /** `(M,)` number of each row when those that were lost on the way are counted too. */
  readonly index: Int32Array;
  /** Rows `start` to `end` (not included), each 1 force and 1025 A-line values. */
  rows(start: number, end: number): Float32Array;
}

/** What a simulated episode hands to the recorders. */
export interface RecordingSource {
  /** Seed of the episode; all draws of the faults follow from it. */
  readonly seed: number;
  /** Task; the folders of some layouts are called so. */
  readonly task: PhantomTask;
  /** Unix seconds at which the episode begins on the robot's clock. */
  readonly startTime: number;
  /** Robot log. */
  readonly robot: RobotSource;
  /** Cameras, at most one of each name. */
  readonly cameras: readonly CameraSource[];
  /** Width and height of all frames, pixels. */
  readonly raster: readonly [width: number, height: number];
  /** Sensor, or none. */
  readonly sensor: SensorSource | null;
  /** Clock minus robot clock when the episode begins, seconds. */
  readonly clockOffsets: { readonly camera: number; readonly sensor: number };
  /** Receiver's clock minus robot clock, seconds. */
  readonly receiverOffset: number;
  /** Whether a recorder has to know the offsets: false where all clocks are one. */
  readonly hasSeveralClocks: boolean;
  /** Ground truth of the simulator, as it is written into the recording. */
  readonly truth: Readonly<Record<string, unknown>>;
}
