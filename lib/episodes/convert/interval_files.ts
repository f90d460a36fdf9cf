import { dirname, join, relative, resolve, sep } from "node:path";
import { type SingleViewRecord, writeIntervalJson } from "../../formats/interval_json.ts";
import type { FoundRecording } from "../discover.ts";
import { readRecording } from "../read_recording.ts";
import { isThere } from "../../formats/_path.ts";
import { written } from "./_output.ts";
import type { ConversionResult, ConvertedFile, ConvertOptions } from "./conversion.ts";
import { intervalRecords } from "./interval_records.ts";

/**
 * Writes interval JSON files of a recording, `<recording>_<viewKey>_single.json` for each view:
 * images matched with robot rows, with the sensor's interval since the image before, or without.
 *
 * Both kinds have the same names, as they had in the programs that they come from, and readers that
 * find the one without intervals silently do something else. So a file of the other kind is never
 * kept as if it were right, and replaced only with `overwrite`, with a remark.
 *
 * @param found the recording
 * @param folder where the files go; it is created
 * @param options intervals, limits, paths; `overwrite`
 * @returns files written and kept; views without a record get no file and a remark
 * @throws {SyntaxError} when the recording is damaged
 * @throws {Deno.errors.AlreadyExists} when a file of the other kind is there and is not to be replaced
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { discoverRecordings } from "../discover.ts";
 * import { writeIntervalFiles } from "./interval_files.ts";
 *
 * const root = Deno.makeTempDirSync();
 * Deno.mkdirSync(`${root}/recv_all_20251027_170308`);
 * const [found] = discoverRecordings([root]).recordings;
 * assert.throws(() => writeIntervalFiles(found!, root), /it should hold one robot_state_/);
 * ```
 */
export function writeIntervalFiles(
  found: FoundRecording,
  folder: string,
  options: ConvertOptions = {},
): ConversionResult {
  const { intervals = true, overwrite = false, absolutePaths = false, clock } = options;
  const recording = readRecording(found, {
    damagedSensor: "drop",
    checkImages: options.compat !== true,
    ...(clock === undefined ? {} : { clock }),
  });
  recording.close(); // the sensor's rows are not needed
  const files: ConvertedFile[] = [], kept: string[] = [];
  const remarks = recording.findings.filter(({ code }) => /^(robot|image|view)\./.test(code))
    .map(({ message, where }) => `${message} (${where})`);
  const isLower = recording.layout === "captures"; // as the folders of that layout
  const views = intervalRecords(recording, options).map(({ viewKey, records, unmatched }) => {
    const name = `${recording.name}_${isLower ? viewKey.toLowerCase() : viewKey}_single.json`;
    return { path: join(folder, name), name, records, unmatched };
  });
  const other = views.filter(({ path }) => isThere(path) && hasIntervals(path) !== intervals);
  if (other.length > 0 && !overwrite) {
    throw new Deno.errors.AlreadyExists(
      `Cannot write ${other[0]!.path}: it is there already, ${intervals ? "without" : "with"} ` +
        `sensor intervals, which the new one would be ${intervals ? "with" : "without"}. ` +
        "Give --overwrite to replace it, or another OUTPUT.",
    );
  }
  for (const { path, name, records, unmatched } of views) {
    if (unmatched > 0) {
      const images = unmatched === 1 ? "1 image has" : `${unmatched} images have`;
      remarks.push(`${name}: ${images} no robot row near enough.`);
    }
    if (records.length === 0) {
      remarks.push(`${name} is not written: no image of the view can get a record.`);
      continue;
    }
    if (isThere(path) && !overwrite) {
      kept.push(path);
      continue;
    }
    if (other.some((each) => each.path === path)) {
      remarks.push(`${name} had ${intervals ? "no sensor intervals" : "sensor intervals"} before.`);
    }
    Deno.mkdirSync(dirname(path), { recursive: true });
    writeIntervalJson(
      path,
      absolutePaths ? records : records.map((each) => relativeTo(path, each)),
    );
    files.push(written(path, records.length));
  }
  return { files, kept, failed: [], remarks };
}

/** The record with its image relative to the JSON file, so that both move together. */
function relativeTo(path: string, record: SingleViewRecord): SingleViewRecord {
  const image = relative(dirname(resolve(path)), record.image).replaceAll(sep, "/");
  return { ...record, image };
}

/** Of which kind a file is; undefined of neither. */
function hasIntervals(path: string): boolean | undefined {
  try {
    const [first] = JSON.parse(Deno.readTextFileSync(path));
    return typeof first === "object" && first !== null ? "sensor_interval" in first : undefined;
  } catch {
    return undefined; // no JSON, or no list
  }
}
