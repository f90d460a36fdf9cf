import { join } from "node:path";
import { writeNpz } from "../../lib/formats/npz_writer.ts";
import { temporaryFolder } from "../_temporary.ts";

const AXES = ["x", "y", "z", "a", "b", "r"];
const COLUMNS = [
  ...["recv_timestamp", "origin_timestamp", "send_timestamp", "force_placeholder"],
  ...[1, 2, 3, 4, 5, 6].map((k) => `joint_${k}`),
  ...AXES.map((axis) => `pose_${axis}`),
];
/** The smallest bytes with a JPEG's first and last marker. */
const PICTURE = Uint8Array.of(
  ...[0xff, 0xd8, 0xff, 0xc0, 0, 11, 8, 0, 1, 0, 1, 1, 1, 0x11, 0],
  ...[0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0, 0x3f, 0xff, 0xd9],
);

/** What a recording folder is to hold. */
export interface FolderContents {
  /** Times of the robot's rows, in seconds; x of a row is its number. */
  readonly robot?: readonly number[];
  /** Name of the robot log. */
  readonly log?: string;
  /** Images by folder, e.g. `View1/left`. */
  readonly images?: Readonly<Record<string, readonly string[]>>;
  /** Times of the sensor's rows, in seconds; see {@linkcode sensorValue}. */
  readonly sensor?: readonly number[];
}

/** Writes a recording of the recv_all layout into a new folder `<task>/<name>`. */
export function recordingFolder(
  { robot, log, images = {}, sensor }: FolderContents,
  { name = "recv_all_20251027_170308", task = "Needle_insertion_eye_trocar" } = {},
): string {
  const folder = join(temporaryFolder(), task, name);
  Deno.mkdirSync(folder, { recursive: true });
  if (robot !== undefined) {
    writeRobotLog(join(folder, log ?? "robot_state_20251027_170308.csv"), robot);
  }
  for (const [place, names] of Object.entries(images)) {
    Deno.mkdirSync(join(folder, place), { recursive: true });
    for (const each of names) Deno.writeFileSync(join(folder, place, each), PICTURE);
  }
  if (sensor !== undefined) {
    writeSensor(join(folder, "sensor_data_20251027_170308_1761551500.npz"), sensor);
  }
  return folder;
}

/** A robot log: recv is 3.5 ms after origin, send 1.5 ms; joint k is k / 10, x the row. */
export function writeRobotLog(path: string, origin: readonly number[]): void {
  const lines = origin.map((time, row) =>
    [time + 0.0035, time, time + 0.0015, 0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, row, 0, 300, 178, 20, 144]
      .join()
  );
  Deno.writeTextFileSync(path, [COLUMNS.join(), ...lines, ""].join("\r\n"));
}

/** Value of a sensor row made by {@linkcode writeSensor}. */
export function sensorValue(row: number, channel: number): number {
  return channel === 0 ? row : Math.fround(row + channel / 1024);
}

/** A raw sensor NPZ. */
export function writeSensor(path: string, time: readonly number[]): void {
  const count = time.length;
  const alines = new Float32Array(count * 1025);
  for (let row = 0; row < count; row++) {
    for (let c = 1; c <= 1025; c++) alines[row * 1025 + c - 1] = sensorValue(row, c);
  }
  writeNpz(path, {
    timestamps: { data: Float64Array.from(time) },
    send_timestamps: { data: Float64Array.from(time, (each) => each + 0.001) },
    forces: { data: Float32Array.from(time, (_, row) => row) },
    alines: { data: alines, shape: [count, 1025] },
  });
}
