import { basename, join } from "node:path";
import { writeDataPkl } from "../../lib/formats/data_pkl.ts";
import { writeNpz } from "../../lib/formats/npz_writer.ts";
import { type DoctorCase, testCases } from "./_doctor_cases.ts";
import { START, type TinyOptions } from "./_tiny_recording.ts";

const SMALL: TinyOptions = { layout: "captures", seconds: 1 };
const firstImage = (folder: string, view = "view1/left") => {
  const names = [...Deno.readDirSync(join(folder, view))].map(({ name }) => name).sort();
  return join(folder, view, names[0]!);
};
const writeJson = (path: string, value: unknown) =>
  Deno.writeTextFileSync(path, JSON.stringify(value));
const editMetadata = (folder: string, changes: Record<string, unknown>) => {
  const path = join(folder, "metadata.json");
  writeJson(path, { ...JSON.parse(Deno.readTextFileSync(path)), ...changes });
};
const pickle = (folder: string, changes: { rows?: number; images?: string[] } = {}) =>
  writeDataPkl(join(folder, "data.pkl"), {
    action: new Float32Array(7),
    image: new Map([["View1_left", changes.images ?? [firstImage(folder, "View1/left")]]]),
    sensorData: null,
    instruction: "Perform the insertion task",
    metadata: {
      episodeName: basename(folder),
      robotHz: 100,
      actionHz: 10,
      numActions: 1,
      numRobotStates: changes.rows ?? 101,
      durationSeconds: 1,
      hasSensor: false,
    },
  });

const CASES: readonly DoctorCase[] = [
  {
    does: "interval records of images that moved",
    recording: SMALL,
    spoil: (folder) =>
      writeJson(join(folder, "Captures1_view1_left_single.json"), [
        { timestamp: START, image: firstImage(folder), robot_state: {} },
        { timestamp: START, image: "/old/place/image.jpg", robot_state: {} },
      ]),
    severity: "warning",
    code: "derived.images-missing",
    where: "Captures1_view1_left_single.json",
    message: /1 of the 2 images that it names is not there: \/old\/place\/image\.jpg/,
  },
  {
    does: "multi-view records of images that moved",
    recording: SMALL,
    spoil: (folder) =>
      writeJson(join(folder, "Captures1_precise_9views.json"), [
        { timestamp: START, images: { view1_left: "/gone/1.jpg", view5_oak: "/gone/2.jpg" } },
      ]),
    severity: "warning",
    code: "derived.images-missing",
    message: /2 of the 2 images/,
  },
  {
    does: "interval records that were cut short",
    recording: SMALL,
    spoil: (folder) => Deno.writeTextFileSync(join(folder, "C_view1_left_single.json"), '[{"times'),
    severity: "warning",
    code: "derived.unreadable",
    message: /it should be JSON/,
  },
  {
    does: "a data.pkl that lost the sensor",
    recording: { seconds: 1 },
    spoil: (folder) => pickle(folder),
    severity: "warning",
    code: "derived.no-sensor",
    where: "data.pkl",
    message: /should hold sensor rows, for there is .*\.npz, current value is None/,
  },
  {
    does: "a data.pkl of another log",
    recording: { seconds: 1 },
    spoil: (folder) => pickle(folder, { rows: 99 }),
    severity: "warning",
    code: "derived.stale",
    where: "data.pkl at metadata.num_robot_states",
    message: /should be 101, .*current value is 99/,
  },
  {
    does: "a data.pkl of images that moved",
    recording: { seconds: 1 },
    spoil: (folder) => pickle(folder, { images: ["/old/place/image.jpg"] }),
    severity: "warning",
    code: "derived.images-missing",
    where: "data.pkl",
    message: /\/old\/place\/image\.jpg/,
  },
  {
    does: "a data.pkl that was cut short",
    recording: { seconds: 1 },
    spoil: (folder) => {
      pickle(folder);
      Deno.truncateSync(join(folder, "data.pkl"), 60);
    },
    severity: "warning",
    code: "derived.unreadable",
    where: "data.pkl",
    message: /delete it, or make it again/,
  },
  {
    does: "robot_states.npz of another log",
    recording: SMALL,
    spoil: (folder) =>
      writeNpz(join(folder, "robot_states.npz"), {
        robot_states: { data: new Float32Array(12 * 7), shape: [7, 12] },
      }),
    severity: "warning",
    code: "derived.stale",
    where: "robot_states.npz",
    message: /should hold 101 rows.*current value is 7/,
  },
  {
    does: "windows beside raw rows",
    recording: { layout: "new-dataset2", seconds: 1 },
    spoil: (folder) =>
      writeNpz(join(folder, "sensor_data.npz"), { timestamps: { data: new Float64Array(0) } }),
    severity: "info",
    code: "derived.sensor-windows",
    message: /may be deleted/,
  },
  {
    does: "metadata that counts other robot rows",
    recording: { layout: "new-dataset", seconds: 1.5 },
    spoil: (folder) => editMetadata(folder, { robot_states_count: 17 }),
    severity: "warning",
    code: "metadata.counts",
    where: "robot_states_count",
    message: /should be 151, the number of rows of robot_states\.csv, current value is 17/,
  },
  {
    does: "metadata that counts other windows",
    recording: { layout: "new-dataset", seconds: 1.5 },
    spoil: (folder) => editMetadata(folder, { sensor_windows_count: 9 }),
    severity: "warning",
    code: "metadata.counts",
    where: "sensor_windows_count",
    message: /windows in sensor_data\.npz, current value is 9/,
  },
  {
    does: "metadata that counts windows of a lost file",
    recording: { layout: "new-dataset", seconds: 1.5 },
    spoil: (folder) => Deno.removeSync(join(folder, "sensor_data.npz")),
    severity: "warning",
    code: "metadata.counts",
    where: "sensor_windows_count",
    message: /there is no sensor_data\.npz/,
  },
  {
    does: "metadata that counts other images",
    recording: { layout: "new-dataset", seconds: 1.5 },
    spoil: (folder) => editMetadata(folder, { camera_frames_count: 12345 }),
    severity: "warning",
    code: "metadata.counts",
    where: "camera_frames_count",
    message: /current value is 12345/,
  },
  {
    does: "metadata that counts no images, as all do",
    recording: { layout: "new-dataset", seconds: 1.5 },
    severity: "info",
    code: "metadata.counts",
    where: "camera_frames_count",
    message: /not used/,
  },
  {
    does: "metadata that names a view that is gone",
    recording: { layout: "new-dataset", seconds: 1.5 },
    spoil: (folder) => Deno.removeSync(join(folder, "images/View3"), { recursive: true }),
    severity: "warning",
    code: "metadata.views",
    where: "camera_views",
    message: /The images of View3 were lost/,
  },
];

testCases(CASES);
