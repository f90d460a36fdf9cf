import { join } from "node:path";
import type { FoundRecording } from "../discover.ts";
import { openSensor } from "../layouts/_sensor.ts";
import { isThere } from "../../formats/_path.ts";
import { writeJson, written } from "./_output.ts";
import type { ConversionResult, ConvertedFile, ConvertOptions } from "./conversion.ts";
import { measureMetadata } from "./sensor_metadata.ts";
import { writeSensorWindows } from "./sensor_windows.ts";

/**
 * Writes what older programs want to find in a recording with a raw sensor NPZ: `sensor_data.npz` with
 * windows, and `metadata.json`. Members of a `metadata.json` that are not theirs are kept, such as
 * `instruction` and `clock_offsets`.
 *
 * @param found the recording
 * @param folder where the files go; it is created
 * @param options `metadata`, `overwrite`, `signal`
 * @returns files written and kept
 * @throws {SyntaxError} when the recording has no raw sensor NPZ or is damaged
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { discoverRecordings } from "../discover.ts";
 * import { writeWindowFiles } from "./window_files.ts";
 *
 * const root = Deno.makeTempDirSync();
 * Deno.mkdirSync(`${root}/data_collection_20251108_065253`);
 * const [found] = discoverRecordings([root]).recordings;
 * await assert.rejects(writeWindowFiles(found!, root), /it should hold a sensor_data_\*\.npz/);
 * ```
 */
export async function writeWindowFiles(
  found: FoundRecording,
  folder: string,
  { metadata = false, overwrite = false, signal }: ConvertOptions = {},
): Promise<ConversionResult> {
  const sensor = openSensor(found.path);
  sensor?.close();
  if (sensor?.variant !== "raw") {
    throw new SyntaxError(
      `Cannot cut windows of ${found.path}: it should hold a sensor_data_*.npz with rows, current ` +
        `value is ${sensor === null ? "none" : `windows in ${sensor.file}`}.`,
    );
  }
  const document = metadata ? measureMetadata(found) : null; // before anything is written
  Deno.mkdirSync(folder, { recursive: true });
  const files: ConvertedFile[] = [], kept: string[] = [], remarks: string[] = [];
  const windows = join(folder, "sensor_data.npz");
  if (isThere(windows) && !overwrite) kept.push(windows);
  else {
    const plan = await writeSensorWindows(sensor.file, windows, signal);
    if (plan.windows > 0) files.push(written(windows, 2));
    else remarks.push(`${sensor.file}: fewer rows than one window, ${sensor.time.length}.`);
  }
  if (document !== null) {
    const path = join(folder, "metadata.json");
    if (isThere(path) && !overwrite) kept.push(path);
    else {
      writeJson(path, { ...readMembers(path), ...document });
      files.push(written(path, 0));
    }
  }
  return { files, kept, failed: [], remarks };
}

/** Members of a JSON object; none where there is no file. */
function readMembers(path: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(Deno.readTextFileSync(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return {};
    throw new SyntaxError(`Cannot complete ${path}: ${(error as Error).message}.`);
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new SyntaxError(
    `Cannot complete ${path}: it should hold an object, current value is ${
      JSON.stringify(value).slice(0, 40)
    }.`,
  );
}
