import { cleanTimes } from "../clean_times.ts";
import type { FoundRecording } from "../discover.ts";
import type { Finding } from "../recording.ts";
import { streamQuality } from "../stream_quality.ts";
import { planWindows, WINDOW_ROWS } from "./sensor_windows.ts";

/** `metadata.json` as older programs read it; its names are theirs. */
export interface SensorMetadata {
  /** Name of the recording's folder. */
  readonly episode_name: string;
  /** First time of the robot log, in seconds. */
  readonly start_time: number;
  /** Last time of the robot log, in seconds. */
  readonly end_time: number;
  /** Folders of views, sorted. */
  readonly camera_views: readonly string[];
  /** round(1 / mean interval), in hertz. */
  readonly sensor_hz: number;
  /** round(1 / median interval), in hertz: a pause does not change it. */
  readonly robot_hz: number;
  /** Rows of a window. */
  readonly sensor_window_size: number;
  /** Actions per chunk that these programs expect. */
  readonly action_horizon: number;
  /** Values of an action. */
  readonly action_dim: number;
  /** Images of the first view. */
  readonly camera_frames_count: number;
  /** Windows of the sensor. */
  readonly sensor_windows_count: number;
  /** Rows of the robot log. */
  readonly robot_states_count: number;
}

/**
 * Measures what `metadata.json` says of a recording: real rates and counts, views in one order.
 *
 * @param found the recording, with a raw sensor NPZ
 * @returns the document
 * @throws {SyntaxError} when the robot log or the sensor file is missing or damaged
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { discoverRecordings } from "../discover.ts";
 * import { measureMetadata } from "./sensor_metadata.ts";
 *
 * const root = Deno.makeTempDirSync();
 * Deno.mkdirSync(`${root}/data_collection_20251108_065253`);
 * const [found] = discoverRecordings([root]).recordings;
 * assert.throws(() => measureMetadata(found!), /it should hold one robot_state_/);
 * ```
 */
export function measureMetadata(found: FoundRecording): SensorMetadata {
  const findings: Finding[] = [];
  const contents = found.layout.read(found.path, { findings });
  const sensor = contents.openSensor();
  if (sensor === null) {
    throw new SyntaxError(
      `Cannot measure ${found.path}: it should hold one sensor_data_*.npz, current value is none.`,
    );
  }
  const { sensorHz, windows } = planWindows(sensor.time);
  sensor.close();
  const robot = streamQuality(cleanTimes(contents.robot.time).time);
  if (robot.start === null || robot.end === null) {
    throw new SyntaxError(
      `Cannot measure ${found.path}: the robot log ${contents.robot.file} should have rows, ` +
        "current value is 0.",
    );
  }
  const first = contents.views[0];
  return {
    episode_name: found.path.split(/[\\/]/).at(-1)!,
    start_time: robot.start,
    end_time: robot.end,
    camera_views: [
      ...new Set(contents.views.map(({ name }) => name.replace(/_(left|right)$/, ""))),
    ],
    sensor_hz: sensorHz,
    robot_hz: Math.round(robot.hz),
    sensor_window_size: WINDOW_ROWS,
    action_horizon: 8,
    action_dim: 7,
    camera_frames_count: first === undefined ? 0 : first.files.length + first.withoutTime,
    sensor_windows_count: windows,
    robot_states_count: contents.robot.time.length,
  };
}
