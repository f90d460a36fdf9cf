import { createNpzWriter } from "../../formats/npz_writer.ts";
import { breathe } from "../_breathe.ts";
import { openSensorFile, SENSOR_WIDTH } from "../layouts/_sensor.ts";

/** Rows of a window. */
export const WINDOW_ROWS = 650;
/** Seconds from the start of a window to the start of the next. */
const STEP_SECONDS = 0.2;
/** Rate that is assumed where times give none, in hertz. */
const NOMINAL_HZ = 650;

/** Which rows windows consist of; window j begins at row j · step. */
export interface WindowPlan {
  /** round(1 / mean interval), in hertz. */
  readonly sensorHz: number;
  /** Rows from the start of a window to the start of the next. */
  readonly step: number;
  /** W. */
  readonly windows: number;
}

/**
 * Which windows of 650 rows older programs cut from a sensor stream: one every 0.2 s.
 *
 * @param time (N) times of the rows, in seconds
 * @returns rate, step and number of windows
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { planWindows } from "./sensor_windows.ts";
 *
 * const time = Float64Array.from({ length: 2000 }, (_, k) => 1000 + k / 650);
 * assert.deepEqual(planWindows(time), { sensorHz: 650, step: 130, windows: 11 });
 * ```
 */
export function planWindows(time: Float64Array): WindowPlan {
  const count = time.length;
  const mean = count < 2 ? NaN : (time[count - 1]! - time[0]!) / (count - 1);
  const sensorHz = mean > 0 && Number.isFinite(mean) ? Math.round(1 / mean) : NOMINAL_HZ;
  const step = Math.max(1, Math.trunc(sensorHz * STEP_SECONDS));
  const windows = count < WINDOW_ROWS ? 0 : Math.floor((count - WINDOW_ROWS) / step) + 1;
  return { sensorHz, step, windows };
}

/**
 * Cuts the rows of a raw sensor NPZ (`sensor_data_<time>.npz`) into the overlapping windows that older
 * programs read: `timestamps` (W) of each window's last row, `data` (W, 650, 1026), force first.
 *
 * Nothing here needs windows: the same rows are stored five times over. They exist for programs that
 * cannot read rows. Memory is that of one window, however long the recording.
 *
 * @param input raw sensor NPZ
 * @param output `sensor_data.npz`; replaced as a whole
 * @param signal stops between windows, leaving the old file
 * @returns rate, step and number of windows; with no window nothing is written
 * @throws {SyntaxError} when the input is damaged or holds windows already
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { readNpz, writeNpz } from "../../formats/mod.ts";
 * import { writeSensorWindows } from "./sensor_windows.ts";
 *
 * const folder = Deno.makeTempDirSync(), rows = 780;
 * writeNpz(`${folder}/sensor_data_1.npz`, {
 *   timestamps: { data: Float64Array.from({ length: rows }, (_, k) => k / 650) },
 *   forces: { data: new Float32Array(rows) },
 *   alines: { data: new Float32Array(rows * 1025), shape: [rows, 1025] },
 * });
 * await writeSensorWindows(`${folder}/sensor_data_1.npz`, `${folder}/sensor_data.npz`);
 * assert.deepEqual(readNpz(`${folder}/sensor_data.npz`).data!.shape, [2, 650, 1026]);
 * ```
 */
export async function writeSensorWindows(
  input: string,
  output: string,
  signal?: AbortSignal,
): Promise<WindowPlan> {
  signal?.throwIfAborted();
  const sensor = openSensorFile(input);
  try {
    if (sensor.variant !== "raw") {
      throw new SyntaxError(
        `Cannot cut windows from ${input}: it should hold rows (forces, alines), current arrays ` +
          "are windows already.",
      );
    }
    const plan = planWindows(sensor.time);
    if (plan.windows === 0) return plan;
    using file = createNpzWriter(output);
    const ends = Float64Array.from(
      { length: plan.windows },
      (_, j) => sensor.time[j * plan.step + WINDOW_ROWS - 1]!,
    );
    file.add("timestamps", { data: ends });
    {
      using data = file.open("data", { dtype: "float32", rowShape: [WINDOW_ROWS, SENSOR_WIDTH] });
      const window = new Float32Array(WINDOW_ROWS * SENSOR_WIDTH);
      for (let j = 0; j < plan.windows; j++) {
        await breathe(signal);
        const fresh = j === 0 ? WINDOW_ROWS : Math.min(plan.step, WINDOW_ROWS);
        const end = j * plan.step + WINDOW_ROWS;
        window.copyWithin(0, fresh * SENSOR_WIDTH);
        sensor.readRowsInto(end - fresh, window.subarray((WINDOW_ROWS - fresh) * SENSOR_WIDTH));
        data.append(window);
      }
      data.close();
    }
    file.close();
    return plan;
  } finally {
    sensor.close();
  }
}
