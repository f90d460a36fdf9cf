import type { RecordingSource } from "./source.ts";

/** The part of an episode before a moment, in seconds after its start, each stream by its own clock. */
export function firstSeconds(source: RecordingSource, seconds: number): RecordingSource {
  const end = source.startTime + seconds;
  const before = (time: Float64Array, limit: number) => time.filter((each) => each < limit).length;
  const { time, origin, pose, joints } = source.robot;
  const rows = before(time, end);
  const cameraEnd = end + source.clockOffsets.camera;
  const sensorRows = before(source.sensor?.time ?? time, end + source.clockOffsets.sensor);
  return {
    ...source,
    robot: {
      time: time.subarray(0, rows),
      origin: origin.subarray(0, rows),
      pose: pose.subarray(0, rows * 6),
      joints: joints.subarray(0, rows * 6),
    },
    cameras: source.cameras.map((camera) => ({
      ...camera,
      time: camera.time.subarray(0, before(camera.time, cameraEnd)),
    })),
    sensor: source.sensor && {
      ...source.sensor,
      time: source.sensor.time.subarray(0, sensorRows),
      index: source.sensor.index.subarray(0, sensorRows),
    },
  };
}
