import type { NpyReader } from "../../formats/npy_reader.ts";
import { type NpzReader, openNpz } from "../../formats/npz_reader.ts";
import type { SensorSource } from "../recording.ts";
import { rebuildRows } from "./_windows.ts";

/** Values of an A-line. */
export const ALINE_WIDTH = 1025;
/** Values of a sensor row: force, then the A-line. */
export const SENSOR_WIDTH = ALINE_WIDTH + 1;
/** Rows that are interleaved at a time. */
const BLOCK_ROWS = 256;

/**
 * The sensor file of a recording: `sensor_data_*.npz`, else `sensor_data.npz`; null without one.
 *
 * @throws {SyntaxError} when there are several, or when it is damaged
 */
export function openSensor(folder: string): SensorSource | null {
  const names = [...Deno.readDirSync(folder)].map(({ name }) => name);
  const raw = names.filter((name) => /^sensor_data_.*\.npz$/.test(name)).sort();
  if (raw.length > 1) {
    throw new SyntaxError(
      `Cannot choose the sensor file of ${folder}: there should be one sensor_data_*.npz, ` +
        `current value is ${raw.join(", ")}. Move the others away.`,
    );
  }
  const name = raw[0] ?? names.find((name) => name === "sensor_data.npz");
  return name === undefined ? null : openSensorFile(`${folder}/${name}`);
}

/** Opens a sensor NPZ of either kind. */
export function openSensorFile(path: string): SensorSource {
  const file = openNpz(path);
  try {
    return file.names.includes("data") ? windowed(file) : rows(file);
  } catch (error) {
    file.close();
    throw error;
  }
}

function member(file: NpzReader, ...names: string[]): string {
  const name = names.find((name) => file.names.includes(name));
  if (name !== undefined) return name;
  throw new SyntaxError(
    `Cannot read the sensor file ${file.path}: it should hold ${names.join(" or ")}, ` +
      `current arrays are ${file.names.join(", ")}.`,
  );
}

function rows(file: NpzReader): SensorSource {
  const time = file.read(member(file, "timestamps", "timestamp"), {
    dtype: "float64",
    shape: [null],
  }).data;
  const force = file.read(member(file, "forces", "force"), { dtype: "float32" });
  const isColumn = force.shape.length === 1 || (force.shape.length === 2 && force.shape[1] === 1);
  const name = member(file, "alines", "aline");
  const alines = file.member(name);
  const count = time.length;
  if (!isColumn || force.shape[0] !== count) {
    mismatch(file, "forces", `(${count},)`, force.shape);
  }
  if (
    alines.dtype !== "float32" || alines.shape.length !== 2 || alines.shape[0] !== count ||
    alines.shape[1] !== ALINE_WIDTH
  ) mismatch(file, "alines", `float32 (${count}, ${ALINE_WIDTH})`, alines.shape, alines.dtype);
  const sendTime = file.names.includes("send_timestamps")
    ? file.read("send_timestamps", { dtype: "float64", shape: [count] }).data
    : null;
  return {
    file: file.path,
    variant: "raw",
    time,
    sendTime,
    lostInWindows: 0,
    readRowsInto: checkedFromFrontToBack(force.data, alines, file.stream(name)),
    close: () => file.close(),
  };
}

/**
 * Rows that are read one after the other from the first on come through the archive's stream, so that
 * the CRC-32 is checked at the last; others are read where they lie.
 */
function checkedFromFrontToBack(force: Float32Array, alines: NpyReader, stream: NpyReader) {
  let next = 0;
  return (start: number, target: Float32Array) => {
    const isInTurn = start === next || start === 0;
    if (isInTurn) next = start + target.length / SENSOR_WIDTH;
    interleave(force, isInTurn ? stream : alines, start, target);
  };
}

/** Puts force before each A-line. */
function interleave(
  force: Float32Array,
  alines: NpyReader,
  start: number,
  target: Float32Array,
): void {
  const count = target.length / SENSOR_WIDTH;
  const block = new Float32Array(Math.min(count, BLOCK_ROWS) * ALINE_WIDTH);
  for (let done = 0; done < count; done += BLOCK_ROWS) {
    const size = Math.min(BLOCK_ROWS, count - done);
    const part = block.subarray(0, size * ALINE_WIDTH);
    alines.readRowsInto(start + done, part);
    for (let k = 0; k < size; k++) {
      const at = (done + k) * SENSOR_WIDTH;
      target[at] = force[start + done + k]!;
      target.set(part.subarray(k * ALINE_WIDTH, (k + 1) * ALINE_WIDTH), at + 1);
    }
  }
}

function windowed(file: NpzReader): SensorSource {
  const windows = file.member("data");
  const [count, size, width] = windows.shape;
  if (windows.dtype !== "float32" || windows.shape.length !== 3 || width !== SENSOR_WIDTH) {
    mismatch(file, "data", `float32 (W, 650, ${SENSOR_WIDTH})`, windows.shape, windows.dtype);
  }
  const ends = file.read(member(file, "timestamps", "timestamp"), {
    dtype: "float64",
    shape: [count!],
  }).data;
  return {
    file: file.path,
    variant: "windowed",
    sendTime: null,
    ...rebuildRows(windows, ends, size!),
    close: () => file.close(),
  };
}

function mismatch(
  file: NpzReader,
  name: string,
  expected: string,
  shape: readonly number[],
  dtype = "",
): never {
  throw new SyntaxError(
    `Cannot read the sensor file ${file.path}: ${name} should be ${expected}, ` +
      `current value is ${dtype} (${shape.join(", ")}).`,
  );
}
