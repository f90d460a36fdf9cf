import { breathe } from "../_breathe.ts";
import { SENSOR_WIDTH } from "../layouts/_sensor.ts";
import { type CheckOptions, isDataError, type Report } from "./_report.ts";

/** Rows that are looked at: as many runs of as many rows, spread evenly. */
const RUNS = 64, RUN_ROWS = 16;

/** Rows of a sensor, wherever they are stored. */
export interface SensorRows {
  readonly file: string;
  readonly rows: number;
  readonly readRowsInto: (start: number, target: Float32Array) => void;
}

/** Looks at sampled rows: values that are no numbers, channels that never change. */
export async function checkSensorRows(
  { file, rows, readRowsInto }: SensorRows,
  prefix: "sensor." | "episode.sensor-",
  report: Report,
  { signal }: CheckOptions,
): Promise<void> {
  if (rows === 0) {
    report("warning", `${prefix}empty`, file, "The sensor file holds no rows.");
    return;
  }
  const step = Math.max(RUN_ROWS, Math.floor(rows / RUNS));
  const block = new Float32Array(RUN_ROWS * SENSOR_WIDTH);
  const seen = { rows: 0, force: new Range(), aline: new Range() };
  for (let start = 0; start < rows; start += step) {
    await breathe(signal);
    const count = Math.min(RUN_ROWS, rows - start);
    const part = block.subarray(0, count * SENSOR_WIDTH);
    try {
      readRowsInto(start, part);
    } catch (error) {
      if (!isDataError(error)) throw error;
      report("error", `${prefix}damaged`, file, error.message);
      return;
    }
    const bad = part.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) {
      const row = start + Math.floor(bad / SENSOR_WIDTH), channel = bad % SENSOR_WIDTH;
      report(
        "error",
        `${prefix}values`,
        `${file}, row ${row}`,
        `${channel === 0 ? "The force" : `A-line value ${channel - 1}`} should be a finite ` +
          `number, current value is ${part[bad]}. Training on it would spoil the model: record ` +
          "again, or cut the recording.",
      );
      return;
    }
    for (let at = 0; at < part.length; at += SENSOR_WIDTH) {
      seen.force.add(part[at]!);
      for (let k = 1; k < SENSOR_WIDTH; k++) seen.aline.add(part[at + k]!);
    }
    seen.rows += count;
  }
  if (seen.rows < 2 || prefix !== "sensor.") return; // a container repeats its recording
  const channels = [["force", seen.force], ["A-line", seen.aline]] as const;
  for (const [name, { min, max }] of channels) {
    if (min !== max) continue;
    report(
      "warning",
      `${prefix}constant`,
      file,
      `The ${name} should change, current value is ${min} in all ${seen.rows} rows looked at. ` +
        "Was the sensor connected? Leave it out, or record again.",
    );
  }
}

class Range {
  min = Infinity;
  max = -Infinity;

  add(value: number): void {
    if (value < this.min) this.min = value;
    if (value > this.max) this.max = value;
  }
}
