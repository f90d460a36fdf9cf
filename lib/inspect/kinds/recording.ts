import { join, relative } from "node:path";
import { discoverRecordings, taskOf } from "../../episodes/discover.ts";
import { readViews } from "../../episodes/layouts/_views.ts";
import { openNpy } from "../../formats/npy_reader.ts";
import { folderBytes } from "../../formats/_folder_files.ts";
import { describeReader } from "../_tensors.ts";
import type { InspectOptions, Kind, Place, TensorEntry } from "../inspection.ts";
import { describeCsv } from "./csv.ts";
import { describeNpz } from "./npz.ts";

const ROBOT_LOG = /^(robot_state_.*|robot_states|robot_rt_.*)\.csv$/;
const SENSOR_FILE = /^sensor_data(_.*)?\.npz$/;

/** A recording: images, robot log, sensor file, as the recorders left them. */
export const recording: Kind = {
  name: "recording",
  summary: "a folder of images, robot log and sensor file, as a recorder left it",
  claims: ({ isFolder, path }) => isFolder && layoutOf(path) !== undefined,
  inspect: async (place, options) => {
    const { path, entries } = place;
    const layout = layoutOf(path)!;
    const { tensors, sensor } = await describeArrays(place, options);
    const streams: Stream[] = [
      ...await describeRobot(place, options),
      ...describeViews(path, layout === "new-dataset" ? "images" : "."),
      ...sensor,
    ];
    return {
      tensors,
      keys: streams.map(({ stream }) => stream),
      bytes: folderBytes(path),
      details: {
        layout,
        task: taskOf(path),
        hasContainer: entries.includes("episode") && contains(join(path, "episode")),
        otherFiles: entries.filter((name) => /\.(json|pkl)$/.test(name)),
        streams,
      },
    };
  },
};

/** What is known about a stream without reading it. */
interface Stream {
  /** `robot`, `sensor`, or the name of a view. */
  readonly stream: string;
  /** File, or folder of the images, relative to the recording. */
  readonly file: string;
  /** Rows or images; windows of a windowed sensor file. */
  readonly samples: number;
  readonly note?: string;
  /** By the names of the images, in seconds. */
  readonly firstTime?: number;
  readonly lastTime?: number;
}

function layoutOf(path: string): string | undefined {
  return discoverRecordings([path]).recordings.find((found) => found.path === path)?.layout.name;
}

async function describeRobot(
  { path, entries }: Place,
  { signal }: InspectOptions,
): Promise<Stream[]> {
  const logs: Stream[] = [];
  for (const file of entries.filter((name) => ROBOT_LOG.test(name))) {
    const log = join(path, file);
    const { rows, isEstimate } = await describeCsv(
      { path: log, bytes: Deno.statSync(log).size },
      signal === undefined ? {} : { signal },
    );
    logs.push({
      stream: "robot",
      file,
      samples: rows,
      ...(isEstimate ? { note: "estimated" } : {}),
    });
  }
  return logs;
}

function describeViews(path: string, images: string): Stream[] {
  return readViews(join(path, images), []).map(({ name, folder, files, time }) => ({
    stream: name,
    file: relative(path, folder),
    samples: files.length,
    firstTime: time[0]!,
    lastTime: time.at(-1)!,
  }));
}

async function describeArrays({ path, entries }: Place, options: InspectOptions) {
  const tensors: TensorEntry[] = [];
  const sensor: Stream[] = [];
  for (const file of entries) {
    if (file.endsWith(".npy")) {
      using reader = openNpy(join(path, file));
      tensors.push(await describeReader(file, reader, options));
    }
    if (!file.endsWith(".npz")) continue;
    const arrays = await describeNpz(join(path, file), options);
    tensors.push(...arrays.map((each) => ({ ...each, name: `${file}/${each.name}` })));
    if (!SENSOR_FILE.test(file)) continue;
    const windows = arrays.find(({ name }) => name === "data");
    const rows = arrays.find(({ name }) => /^alines?$/.test(name));
    const samples = (windows ?? rows)?.shape[0] ?? 0;
    sensor.push({
      stream: "sensor",
      file,
      samples,
      note: windows === undefined ? "raw" : "windows",
    });
  }
  return { tensors, sensor };
}

function contains(folder: string): boolean {
  return [...Deno.readDirSync(folder)].some(({ name }) => name === "episode.json");
}
