import { createNpzWriter } from "../../formats/npz_writer.ts";
import { breathe } from "../_breathe.ts";
import { ALINE_WIDTH, openSensorFile, SENSOR_WIDTH } from "../layouts/_sensor.ts";

/** Rows in memory at a time: 4 MB. */
const BLOCK_ROWS = 1024;

/**
 * Writes the rows behind the overlapping windows of a `sensor_data.npz` once each, as a raw sensor
 * NPZ: `timestamps` (N), `forces` (N), `alines` (N, 1025).
 *
 * Windows hold the time of their last row only. Times in between are spread evenly, so they are not
 * those of the recording; there are no `send_timestamps`, because windows do not hold them; and rows
 * after the last window's, fewer than one step from window to window, are lost to it.
 *
 * @param input windowed sensor NPZ
 * @param output raw sensor NPZ; replaced as a whole
 * @param signal stops between blocks, leaving the old file
 * @returns N
 * @throws {SyntaxError} when the input is damaged or holds rows already
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { readNpz, writeNpz } from "../../formats/mod.ts";
 * import { writeSensorRows } from "./sensor_rows.ts";
 *
 * const folder = Deno.makeTempDirSync();
 * writeNpz(`${folder}/sensor_data.npz`, {
 *   timestamps: { data: Float64Array.of(1) },
 *   data: { data: new Float32Array(650 * 1026), shape: [1, 650, 1026] },
 * });
 * const count = await writeSensorRows(`${folder}/sensor_data.npz`, `${folder}/sensor_data_1.npz`);
 * assert.equal(count, 650);
 * assert.deepEqual(readNpz(`${folder}/sensor_data_1.npz`).alines!.shape, [650, 1025]);
 * ```
 */
export async function writeSensorRows(
  input: string,
  output: string,
  signal?: AbortSignal,
): Promise<number> {
  signal?.throwIfAborted();
  const sensor = openSensorFile(input);
  try {
    if (sensor.variant !== "windowed") {
      throw new SyntaxError(
        `Cannot take windows apart in ${input}: it should hold data (W, 650, 1026), current ` +
          "arrays are rows already.",
      );
    }
    const count = sensor.time.length;
    const forces = new Float32Array(count);
    using file = createNpzWriter(output);
    file.add("timestamps", { data: sensor.time });
    {
      using writer = file.open("alines", { dtype: "float32", rowShape: [ALINE_WIDTH] });
      const rows = new Float32Array(BLOCK_ROWS * SENSOR_WIDTH);
      const alines = new Float32Array(BLOCK_ROWS * ALINE_WIDTH);
      for (let done = 0; done < count; done += BLOCK_ROWS) {
        await breathe(signal);
        const size = Math.min(BLOCK_ROWS, count - done);
        sensor.readRowsInto(done, rows.subarray(0, size * SENSOR_WIDTH));
        for (let k = 0; k < size; k++) {
          const at = k * SENSOR_WIDTH;
          forces[done + k] = rows[at]!;
          alines.set(rows.subarray(at + 1, at + SENSOR_WIDTH), k * ALINE_WIDTH);
        }
        writer.append(alines.subarray(0, size * ALINE_WIDTH));
      }
      writer.close();
    }
    file.add("forces", { data: forces });
    file.close();
    return count;
  } finally {
    sensor.close();
  }
}
