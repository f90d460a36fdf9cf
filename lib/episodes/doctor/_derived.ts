import { basename, dirname, join } from "node:path";
import { readDataPkl } from "../../formats/data_pkl.ts";
import { openNpz } from "../../formats/npz_reader.ts";
import type { AlignedRecording } from "../align.ts";
import type { Recording } from "../recording.ts";
import { plural } from "../_plural.ts";
import { areOf, isDataError, listed, namesIn, type Report } from "./_report.ts";

const INTERVAL_JSON = /_single\.json$|_precise_.*\.json$/;
const RAW_SENSOR = /^sensor_data_.*\.npz$/;

/** Files that other programs derived from a recording, against the recording itself. */
export function checkDerivedFiles(
  recording: Recording,
  { robotClean }: AlignedRecording,
  report: Report,
): void {
  if (recording.layout === "meca500-log") return;
  const { path } = recording;
  const names = namesIn(path);
  const folders = new Folders();
  const rows = robotRows(recording, robotClean.time.length);
  /** What cannot be read is one finding; the recording does not need it. */
  const attempt = (file: string, check: (file: string) => void) => {
    try {
      check(file);
    } catch (error) {
      if (!isDataError(error)) throw error;
      report(
        "warning",
        "derived.unreadable",
        file,
        `${error.message} Episodes do not need this file: delete it, or make it again.`,
      );
    }
  };
  for (const name of names.filter((each) => INTERVAL_JSON.test(each))) {
    attempt(join(path, name), (file) => checkIntervalJson(file, folders, report));
  }
  for (const file of [join(path, "data.pkl"), join(path, "episode", "data.pkl")]) {
    if (!namesIn(dirname(file)).includes("data.pkl")) continue;
    attempt(file, (file) => checkDataPkl(file, rows, recording, folders, report));
  }
  if (names.includes("robot_states.npz")) {
    attempt(join(path, "robot_states.npz"), (file) => checkRobotNpz(file, rows, recording, report));
  }
  if (names.includes("metadata.json")) {
    attempt(
      join(path, "metadata.json"),
      (file) => checkMetadata(file, names, rows, recording, report),
    );
  }
  const raw = names.filter((name) => RAW_SENSOR.test(name));
  if (raw.length > 0 && names.includes("sensor_data.npz")) {
    report(
      "info",
      "derived.sensor-windows",
      join(path, "sensor_data.npz"),
      `It repeats rows of ${
        raw[0]
      } in overlapping windows, about five times their size. Episodes ` +
        "are made from the rows; it may be deleted.",
    );
  }
}

/** Which files exist, by one look at each folder. */
class Folders {
  readonly #names = new Map<string, ReadonlySet<string>>();

  holds(path: string): boolean {
    const folder = dirname(path);
    let names = this.#names.get(folder);
    if (names === undefined) this.#names.set(folder, names = new Set(namesIn(folder)));
    return names.has(basename(path));
  }
}

function reportMissingImages(
  file: string,
  images: readonly string[],
  folders: Folders,
  report: Report,
): void {
  const missing = images.filter((image) => !folders.holds(image));
  if (missing.length === 0) return;
  report(
    "warning",
    "derived.images-missing",
    file,
    `${missing.length} of the ${plural(images.length, "image")} that it names ${
      areOf(missing.length)
    } not there: ${
      listed(missing, 1)
    }. It holds absolute paths: was the recording moved since? Make it again, or delete it; ` +
      "episodes do not need it.",
  );
}

function checkIntervalJson(file: string, folders: Folders, report: Report): void {
  const records: unknown = readJson(file);
  const images = Array.isArray(records)
    ? records.flatMap((record: { image?: unknown; images?: unknown } | null) => [
      record?.image,
      ...(typeof record?.images === "object" && record.images !== null
        ? Object.values(record.images)
        : []),
    ]).filter((image) => typeof image === "string")
    : undefined;
  if (images === undefined || images.length === 0) {
    throw new SyntaxError(`Cannot use ${file}: it should be a list of records that name images.`);
  }
  reportMissingImages(file, [...new Set(images)], folders, report);
}

function checkDataPkl(
  file: string,
  rows: readonly number[],
  { robot, sensor }: Recording,
  folders: Folders,
  report: Report,
): void {
  const { image, sensorData, metadata } = readDataPkl(file);
  if (sensorData === null && sensor !== null) {
    report(
      "warning",
      "derived.no-sensor",
      file,
      `It should hold sensor rows, for there is ${sensor.file}, current value is None. The Python ` +
        "reference looks for another file name and for other array names than its recorder " +
        "writes, and so leaves the sensor out. Write it anew: deno task preprocess --format both",
    );
  }
  if (!rows.includes(metadata.numRobotStates)) {
    report(
      "warning",
      "derived.stale",
      `${file} at metadata.num_robot_states`,
      `It should be ${
        rows[0]
      }, as in ${robot.file}, current value is ${metadata.numRobotStates}. ` +
        "It was made from another log: make it again.",
    );
  }
  reportMissingImages(file, [...image.values()].flat(), folders, report);
}

function checkRobotNpz(
  file: string,
  rows: readonly number[],
  { robot }: Recording,
  report: Report,
): void {
  using archive = openNpz(file);
  using states = archive.member("robot_states");
  if (rows.includes(states.rows)) return;
  report(
    "warning",
    "derived.stale",
    `${file} at robot_states`,
    `It should hold ${
      plural(rows[0]!, "row")
    }, as ${robot.file} does, current value is ${states.rows}. It ` +
      "was made from another log: make it again.",
  );
}

/** Rows that a program may have counted in the log, those of the file first. */
function robotRows({ robot, findings }: Recording, clean: number): readonly number[] {
  const all = robot.time.length + robot.blankRows;
  const isTorn = findings.some(({ code }) => code === "robot.torn");
  return [all, robot.time.length, clean, ...(isTorn ? [all + 1] : [])];
}

function checkMetadata(
  file: string,
  names: readonly string[],
  rows: readonly number[],
  { path, robot, views, findings }: Recording,
  report: Report,
): void {
  const metadata = readJson(file) as Record<string, unknown>;
  const expect = (key: string, found: readonly number[], what: string) => {
    const value = metadata[key];
    if (typeof value !== "number" || found.includes(value)) return;
    report(
      "warning",
      "metadata.counts",
      `${file} at ${key}`,
      `It should be ${found[0]}, the number of ${what}, current value is ${value}. Files were ` +
        "lost, added or exchanged since the recording; episodes are made from what is there.",
    );
  };
  expect("robot_states_count", rows, `rows of ${basename(robot.file)}`);
  const isDamaged = findings.some(({ code }) => code === "sensor.damaged"); // said before
  if (!names.includes("sensor_data.npz")) {
    expect("sensor_windows_count", [0], "windows, for there is no sensor_data.npz,");
  } else if (!isDamaged) {
    using archive = openNpz(join(path, "sensor_data.npz"));
    if (archive.names.includes("data")) {
      using windows = archive.member("data");
      expect("sensor_windows_count", [windows.rows], "windows in sensor_data.npz");
    }
  }
  if (metadata.camera_frames_count === 0 && views.length > 0) {
    report(
      "info",
      "metadata.counts",
      `${file} at camera_frames_count`,
      "It is 0, as in all recordings of this recorder, though there are images; it is not used.",
    );
  } else {
    const counts = views.map(({ files, withoutTime }) => files.length + withoutTime);
    const total = counts.reduce((sum, count) => sum + count, 0);
    expect("camera_frames_count", [...counts, total], "images of a view");
  }
  checkViewNames(file, metadata.camera_views, views, report);
}

function checkViewNames(
  file: string,
  value: unknown,
  views: Recording["views"],
  report: Report,
): void {
  if (!Array.isArray(value)) return;
  const found = [...new Set(views.map(({ name }) => name.replace(/_(left|right)$/, "")))];
  const lost = value.map(String).filter((name) => !found.includes(name)).sort();
  const extra = found.filter((name) => !value.includes(name));
  if (lost.length + extra.length === 0) return;
  report(
    "warning",
    "metadata.views",
    `${file} at camera_views`,
    `It should name the views that are there, ${found.join(", ")}, current value is ${
      value.toSorted().join(", ")
    }. ${
      lost.length > 0 ? `The images of ${lost.join(", ")} were lost` : "Images were added"
    } since the recording.`,
  );
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(Deno.readTextFileSync(file));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new SyntaxError(
      `Cannot read ${file}: it should be JSON, current value: ${error.message}.`,
    );
  }
}
