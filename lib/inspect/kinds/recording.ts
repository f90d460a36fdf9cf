import { join } from "node:path";
import { discoverRecordings, taskOf } from "../../episodes/discover.ts";
import { readViews } from "../../episodes/layouts/_views.ts";
import { openNpy } from "../../formats/npy_reader.ts";
import { folderBytes } from "../_folders.ts";
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
    const streams = {
      robot: await describeRobot(place, options),
      views: describeViews(layout === "new-dataset" ? join(path, "images") : path),
      sensor,
    };
    return {
      tensors,
      keys: [
        ...(streams.robot.length > 0 ? ["robot"] : []),
        ...Object.keys(streams.views),
        ...(sensor.length > 0 ? ["sensor"] : []),
      ],
      bytes: folderBytes(path),
      details: {
        layout,
        task: taskOf(path),
        streams,
        hasContainer: entries.includes("episode") && contains(join(path, "episode")),
        files: entries.filter((name) => /\.(json|pkl)$/.test(name)),
      },
    };
  },
};

function layoutOf(path: string): string | undefined {
  return discoverRecordings([path]).recordings.find((found) => found.path === path)?.layout.name;
}

async function describeRobot({ path, entries }: Place, { signal }: InspectOptions) {
  const logs = [];
  for (const file of entries.filter((name) => ROBOT_LOG.test(name))) {
    const log = join(path, file);
    const { rows, isEstimate } = await describeCsv(
      { path: log, bytes: Deno.statSync(log).size },
      signal === undefined ? {} : { signal },
    );
    logs.push({ file, rows, rowsAreEstimated: isEstimate });
  }
  return logs;
}

function describeViews(folder: string) {
  return Object.fromEntries(
    readViews(folder, []).map(({ name, files, time }) => [
      name,
      { images: files.length, firstTime: time[0], lastTime: time.at(-1) },
    ]),
  );
}

async function describeArrays({ path, entries }: Place, options: InspectOptions) {
  const tensors: TensorEntry[] = [];
  const sensor: { file: string; variant: string; rows: number }[] = [];
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
    const variant = windows === undefined ? "raw" : "windowed";
    sensor.push({ file, variant, rows: (windows ?? rows)?.shape[0] ?? 0 });
  }
  return { tensors, sensor };
}

function contains(folder: string): boolean {
  return [...Deno.readDirSync(folder)].some(({ name }) => name === "episode.json");
}
