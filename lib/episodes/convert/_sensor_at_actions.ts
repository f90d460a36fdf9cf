import { countUpTo } from "../align.ts";
import { ALINE_WIDTH, SENSOR_WIDTH } from "../layouts/_sensor.ts";

/** Sensor rows of a `data.pkl`, one per action. */
export interface SensorAtActions {
  /** (N) force. */
  readonly force: Float32Array<ArrayBuffer>;
  /** (N, 1025) A-lines. */
  readonly fpi: Float32Array<ArrayBuffer>;
}

/**
 * The newest sensor row at or before each action's start; zeros, the format's only way to say
 * "missing", before the first row.
 *
 * @param actionTime (N, 2) start and end of each action, in seconds
 * @param sensorTime (M) ascending, in seconds
 * @param readRow reads row m of `sensorTime` into 1026 values
 * @returns the rows; null when no action has one
 */
export function sensorAtActions(
  actionTime: Float64Array,
  sensorTime: Float64Array,
  readRow: (row: number, target: Float32Array) => void,
): SensorAtActions | null {
  const count = actionTime.length / 2;
  const force = new Float32Array(count);
  const fpi = new Float32Array(count * ALINE_WIDTH);
  const row = new Float32Array(SENSOR_WIDTH);
  let found = 0;
  for (let k = 0; k < count; k++) {
    const newest = countUpTo(sensorTime, actionTime[2 * k]!) - 1;
    if (newest < 0) continue;
    readRow(newest, row);
    force[k] = row[0]!;
    fpi.set(row.subarray(1), k * ALINE_WIDTH);
    found++;
  }
  return found === 0 ? null : { force, fpi };
}
