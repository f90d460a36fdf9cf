import { PHANTOM_VIEWS, type PhantomTask } from "../../lib/phantom/scene.ts";
import type { RecordingSource } from "../../lib/phantom/recordings/source.ts";

export const START = 1761760060;
export const RASTER = [16, 8] as const;

/** What a hand-made episode differs in. */
export interface SourceOptions {
  readonly seconds?: number;
  readonly seed?: number;
  readonly task?: PhantomTask;
  readonly offsets?: { readonly camera: number; readonly sensor: number };
  readonly hasSensor?: boolean;
}

/**
 * A small episode without a simulator, in which every value tells its row: row k of the robot has
 * x = k/8; row i of the sensor has force i and A-line values i + 1 to i + 1025.
 */
export function handMadeSource(options: SourceOptions = {}): RecordingSource {
  const { seconds = 4, seed = 7, task = "Red_point", hasSensor = true } = options;
  const offsets = options.offsets ?? { camera: 0, sensor: 0 };
  const rows = Math.round(100 * seconds) + 1;
  const time = Float64Array.from({ length: rows }, (_, k) => START + k / 100);
  const pose = new Float64Array(6 * rows), joints = new Float64Array(6 * rows);
  for (let k = 0; k < rows; k++) {
    pose.set([k / 8, 50 - k / 4, 200, 177 + k / 200, 20, 144], 6 * k);
    joints.set([k, 2, 3, 4, 5, 90 - k], 6 * k);
  }
  const count = Math.round(650 * (seconds + 0.2));
  return {
    seed,
    task,
    startTime: START,
    robot: {
      time,
      origin: time.map((t) => Math.round(Math.floor(t * 200 + 1e-6) * 5) / 1000),
      pose,
      joints,
    },
    cameras: PHANTOM_VIEWS.map((view, v) => ({
      view,
      time: Float64Array.from(
        { length: Math.round(5 * seconds) },
        (_, k) => START - 0.2 + 0.01 * v + 0.2 * k + offsets.camera,
      ),
      frame: (k: number) => new Uint8Array(3 * RASTER[0] * RASTER[1]).fill(10 * v + k),
    })),
    raster: RASTER,
    sensor: hasSensor
      ? {
        time: Float64Array.from(
          { length: count },
          (_, i) => START - 0.2 + i / 650 + offsets.sensor,
        ),
        index: Int32Array.from({ length: count }, (_, i) => i),
        rows: (start, end) =>
          Float32Array.from(
            { length: 1026 * (end - start) },
            (_, at) => start + Math.floor(at / 1026) + at % 1026,
          ),
      }
      : null,
    clockOffsets: offsets,
    receiverOffset: 0.125,
    hasSeveralClocks: offsets.camera !== 0 || offsets.sensor !== 0,
    truth: { h: 4, lost_rows: 0 },
  };
}
