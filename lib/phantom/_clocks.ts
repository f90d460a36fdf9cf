/** The clocks of cameras and sensor against the robot's, and what the network loses. */
import { Stream } from "./_stream.ts";

/**
 * How the streams are stamped: `true` all clocks agree, `offset` cameras and sensor are off by
 * constants, `full` they also drift, and frames and datagrams are lost.
 */
export type ClockMode = "true" | "offset" | "full";

/** One number per computer that stamps a stream. */
export interface PerClock {
  /** The robot's own computer: the reference, always 0. */
  readonly robot: number;
  /** The computer of the cameras. */
  readonly camera: number;
  /** The computer of the sensor. */
  readonly sensor: number;
}

/** Rows of the sensor that travel, and are lost, together. */
export const DATAGRAM_ROWS = 15;

const CAMERA_JITTER = 0.002, SENSOR_JITTER = 0.0001; // s
const FRAME_LOSS = 0.01, DATAGRAM_LOSS = 0.004;

/** The stamps of all streams that are not the robot's. */
export interface Stamps {
  /** Clock minus robot clock at the start, seconds. */
  readonly offset: PerClock;
  /** Growth of that difference, seconds per second. */
  readonly drift: PerClock;
  /** Per camera: stamp of each frame, lost or not, seconds since the start by the camera's clock. */
  readonly frames: readonly Float64Array[];
  /** `(M,)` stamp of each row, lost or not. */
  readonly rows: Float64Array;
  /** Per camera: numbers of the lost frames. */
  readonly lostFrames: readonly number[][];
  /** Numbers of the lost rows. */
  readonly lostRows: number[];
}

/**
 * Stamps the streams of an episode. All modes draw the same numbers, so that switching one effect
 * off leaves the others as they were.
 *
 * @param frames per camera: true times, seconds
 * @param rows `(M,)` true times, seconds
 */
export function stampStreams(
  seed: number,
  mode: ClockMode,
  frames: readonly Float64Array[],
  rows: Float64Array,
): Stamps {
  const stream = new Stream(seed, 8);
  const [cameraOffset, sensorOffset] = stream.uniforms(-0.25, 0.25, 2) as [number, number];
  const [cameraDrift, sensorDrift] = stream.uniforms(-2e-5, 2e-5, 2) as [number, number];
  const offset = mode === "true"
    ? { robot: 0, camera: 0, sensor: 0 }
    : { robot: 0, camera: cameraOffset, sensor: sensorOffset };
  const drift = mode === "full"
    ? { robot: 0, camera: cameraDrift, sensor: sensorDrift }
    : { robot: 0, camera: 0, sensor: 0 };
  const stamp = (times: Float64Array, clock: "camera" | "sensor", jitter: number) => {
    const noise = stream.normals(times.length);
    return times.map((time, i) => offset[clock] + (1 + drift[clock]) * time + jitter * noise[i]!);
  };
  const frameStamps = frames.map((times) => stamp(times, "camera", CAMERA_JITTER));
  const rowStamps = stamp(rows, "sensor", SENSOR_JITTER);
  const losses = drawLosses(stream, frames.map(({ length }) => length), rows.length);
  const none = { lostFrames: frames.map(() => []), lostRows: [] };
  return {
    offset,
    drift,
    frames: frameStamps,
    rows: rowStamps,
    ...mode === "full" ? losses : none,
  };
}

function drawLosses(
  stream: Stream,
  frames: readonly number[],
  rows: number,
): Pick<Stamps, "lostFrames" | "lostRows"> {
  const lost = (count: number, chance: number) =>
    stream.uniforms(0, 1, count).flatMap((draw, i) => draw < chance ? [i] : []);
  const lostFrames = frames.map((count) => lost(count, FRAME_LOSS));
  const lostRows = lost(Math.ceil(rows / DATAGRAM_ROWS), DATAGRAM_LOSS).flatMap((datagram) =>
    Array.from({ length: DATAGRAM_ROWS }, (_, i) => datagram * DATAGRAM_ROWS + i)
  ).filter((row) => row < rows);
  return { lostFrames, lostRows };
}
