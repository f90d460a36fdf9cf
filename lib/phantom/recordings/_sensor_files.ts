import { createNpzWriter, writeNpz } from "../../formats/npz_writer.ts";
import { SENSOR_VALUES } from "../_sensor.ts";
import type { SensorRows } from "./_take.ts";

/** Rows of a stored window: 1 s. */
export const WINDOW_ROWS = 650;
/** A window is stored when the last one is at least this old, seconds. */
const WINDOW_SECONDS = 0.2;
const A_LINE_VALUES = SENSOR_VALUES - 1;

/** Raw rows: `timestamps`, `send_timestamps`, `forces` (N,), `alines` (N, 1025). */
export function writeRawSensor(path: string, sensor: SensorRows): void {
  const count = sensor.time.length;
  const rows = sensor.read(0, count);
  const forces = new Float32Array(count);
  const alines = new Float32Array(count * A_LINE_VALUES);
  for (let row = 0; row < count; row++) {
    const start = row * SENSOR_VALUES;
    forces[row] = rows[start]!;
    alines.set(rows.subarray(start + 1, start + SENSOR_VALUES), row * A_LINE_VALUES);
  }
  writeNpz(path, {
    timestamps: { data: sensor.time },
    send_timestamps: { data: sensor.sendTime },
    forces: { data: forces },
    alines: { data: alines, shape: [count, A_LINE_VALUES] },
  });
}

/**
 * Windows of the newest 650 rows, taken whenever a datagram arrives and the last window is 0.2 s
 * old: `timestamps` (W,) of each window's last row, `data` (W, 650, 1026).
 *
 * @returns how many windows; without any there is no file
 */
export function writeSensorWindows(path: string, sensor: SensorRows): number {
  const ends = windowEnds(sensor);
  if (ends.length === 0) return 0;
  using file = createNpzWriter(path);
  file.add("timestamps", { data: Float64Array.from(ends, (end) => sensor.time[end - 1]!) });
  using data = file.open("data", { dtype: "float32", rowShape: [WINDOW_ROWS, SENSOR_VALUES] });
  const window = new Float32Array(WINDOW_ROWS * SENSOR_VALUES);
  let read = 0;
  for (const end of ends) {
    const start = Math.max(read, end - WINDOW_ROWS);
    window.copyWithin(0, (end - start) * SENSOR_VALUES);
    window.set(sensor.read(start, end), (WINDOW_ROWS - (end - start)) * SENSOR_VALUES);
    data.append(window);
    read = end;
  }
  data.close();
  file.close();
  return ends.length;
}

/** One past the last row of each window. */
function windowEnds({ time, datagram }: SensorRows): number[] {
  const ends: number[] = [];
  for (let end = WINDOW_ROWS; end <= time.length; end++) {
    const isArrival = end === time.length || datagram[end] !== datagram[end - 1];
    const last = ends.length === 0 ? -Infinity : time[ends.at(-1)! - 1]!;
    if (isArrival && time[end - 1]! - last >= WINDOW_SECONDS) ends.push(end);
  }
  return ends;
}
