import { dirname, join } from "node:path";
import { writeNpz } from "../../lib/formats/npz_writer.ts";
import { STATE_WIDTH } from "../../lib/episodes/actions.ts";
import { CAPTURE_STATE, RECORDER_STATE } from "../../lib/episodes/layouts/_robot_csv.ts";
import { temporaryFolder } from "../_temporary.ts";

export const START = 1761551500;
const STAMP = "20251027_170308";
const SENSOR_VALUES = 1026;
const WINDOW = 650;

export type TinyLayout = "recv-all" | "captures" | "new-dataset" | "new-dataset2";

/** What a tiny recording differs in. */
export interface TinyOptions {
  readonly layout?: TinyLayout;
  /** Folder above the task's. */
  readonly root?: string;
  readonly task?: string;
  readonly name?: string;
  readonly seconds?: number;
  readonly robotHz?: number;
  readonly sensorHz?: number;
  readonly hasSensor?: boolean;
  /** Cameras by number. */
  readonly cameras?: readonly number[];
  /** Added to the cameras' and the sensor's times, in seconds. */
  readonly cameraOffset?: number;
  readonly sensorOffset?: number;
  /** State of a robot row: 6 joints, then the pose. */
  readonly state?: (row: number, rows: number) => readonly number[];
  /** Value of a sensor row; channel 0 is the force. */
  readonly sensorValue?: (row: number, channel: number) => number;
  /** Changes a camera's times. */
  readonly cameraTime?: (time: number, frame: number) => number;
}

const NAMES = {
  "recv-all": ["White_silicone_white_circle", `recv_all_${STAMP}`],
  captures: ["OCT_insertion", "Captures1"],
  "new-dataset": ["Blue_point", `episode_${STAMP}`],
  "new-dataset2": ["Blue_point", `data_collection_${STAMP}`],
} as const;

/** The robot moves until the last row, and a crosses ±180°. */
function moving(row: number): number[] {
  return [1, 2, 3, 4, 5, row / 10, 150 + row / 64, -row / 128, 300, wrap(179 + row / 64), 20, 144];
}

function wrap(angle: number): number {
  return angle >= 180 ? angle - 360 : angle;
}

/** Writes a small recording of any layout; returns its folder. */
export function tinyRecording(options: TinyOptions = {}): string {
  const { layout = "recv-all", root = temporaryFolder(), seconds = 3 } = options;
  const [task, name] = NAMES[layout];
  const folder = join(root, options.task ?? task, options.name ?? name);
  Deno.mkdirSync(folder, { recursive: true });
  const { robotHz = 100, hasSensor = layout !== "captures", state = moving } = options;
  const rows = Math.round(seconds * robotHz) + 1;
  const log = { "new-dataset": "robot_states.csv", captures: `robot_rt_${START}.000.csv` };
  const csv = join(folder, log[layout as keyof typeof log] ?? `robot_state_${STAMP}.csv`);
  const times = Array.from({ length: rows }, (_, row) => START + row / robotHz);
  writeRobotCsv(csv, times, (row) => state(row, rows), layout === "captures");
  writeImages(folder, layout, seconds, options);
  const windows = hasSensor ? writeSensor(folder, layout, seconds, options) : 0;
  if (layout === "new-dataset") {
    const metadata = {
      episode_name: `episode_${STAMP}`,
      camera_views: (options.cameras ?? [5, 1, 2, 3, 4]).map((camera) => `View${camera}`),
      camera_frames_count: 0,
      sensor_windows_count: windows,
      robot_states_count: rows,
    };
    Deno.writeTextFileSync(join(folder, "metadata.json"), JSON.stringify(metadata));
  }
  // Without these, zero would have to be assumed.
  const offsets = { camera: 0, sensor: 0 };
  Deno.writeTextFileSync(join(folder, "clock_offsets.json"), JSON.stringify(offsets));
  return folder;
}

export function writeRobotCsv(
  path: string,
  times: readonly number[],
  state: (row: number) => readonly number[],
  isCapture = false,
): void {
  const header = isCapture
    ? ["timestamp", ...CAPTURE_STATE]
    : ["recv_timestamp", "origin_timestamp", "send_timestamp", "force", ...RECORDER_STATE];
  const lines = times.map((time, row) => {
    const t = time.toFixed(6);
    const values = state(row).slice(0, STATE_WIDTH);
    return isCapture ? [t, ...values] : [t, t, t, 0, ...values];
  });
  Deno.writeTextFileSync(path, [header, ...lines, ""].map(String).join("\r\n"));
}

/** The smallest JPEG file of a size that has a header and an end. */
export function picture(width = 16, height = 9): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(
    ...[0xff, 0xd8, 0xff, 0xc0, 0, 11, 8, height >> 8, height & 255, width >> 8, width & 255],
    ...[1, 1, 0x11, 0, 0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0, 0x3f, 0xff, 0xd9],
  );
}

function writeImages(
  folder: string,
  layout: TinyLayout,
  seconds: number,
  { cameras = [1, 2, 3, 4, 5], cameraOffset = 0, cameraTime = (time) => time }: TinyOptions,
): void {
  const image = picture();
  for (const camera of cameras) {
    for (let k = 0; k < 5 * seconds; k++) {
      const time = cameraTime(START + 0.05 + k / 5, k) + cameraOffset;
      const path = join(folder, imagePath(layout, camera, time));
      Deno.mkdirSync(dirname(path), { recursive: true });
      Deno.writeFileSync(path, image);
    }
  }
}

function imagePath(layout: TinyLayout, camera: number, time: number): string {
  const isHand = camera === 5, stamp = time.toFixed(3);
  switch (layout) {
    case "recv-all":
      return isHand
        ? `View5/oak_1944301011169A4800_${stamp}.jpg`
        : `View${camera}/left/zed_4118273${camera}_left_${stamp}.jpg`;
    case "captures":
      return isHand
        ? `view5_oak/oak_1944301011169A4800_${stamp}.jpg`
        : `view${camera}/left/zed_4118273${camera}_left_${stamp}.jpg`;
    case "new-dataset":
      return `images/View${camera}/${time.toFixed(6)}.jpg`;
    case "new-dataset2":
      return `View${camera}/${isHand ? "OAK" : `ZED_4118273${camera}_left`}_${stamp}.jpg`;
  }
}

function writeSensor(
  folder: string,
  layout: TinyLayout,
  seconds: number,
  { sensorHz = 650, sensorOffset = 0, ...options }: TinyOptions,
): number {
  const value = options.sensorValue ?? ((row, channel) => (row % 64) + channel / 1024);
  const count = Math.round(sensorHz * (seconds + 0.2));
  const time = Float64Array.from(
    { length: count },
    (_, i) => START - 0.2 + i / sensorHz + sensorOffset,
  );
  if (layout !== "new-dataset") {
    writeRawSensor(join(folder, `sensor_data_${STAMP}_${START}.npz`), time, value);
    return 0;
  }
  const ends: number[] = [];
  for (let end = WINDOW; end <= count; end += 130) ends.push(end);
  const data = new Float32Array(ends.length * WINDOW * SENSOR_VALUES);
  ends.forEach((end, w) => {
    for (let row = 0; row < WINDOW; row++) {
      for (let c = 0; c < SENSOR_VALUES; c++) {
        // Rows must differ for the windows to be joined again.
        const at = (w * WINDOW + row) * SENSOR_VALUES + c;
        data[at] = c === 0 ? end - WINDOW + row : value(end - WINDOW + row, c);
      }
    }
  });
  writeNpz(join(folder, "sensor_data.npz"), {
    timestamps: { data: Float64Array.from(ends, (end) => time[end - 1]!) },
    data: { data, shape: [ends.length, WINDOW, SENSOR_VALUES] },
  });
  return ends.length;
}

export function writeRawSensor(
  path: string,
  time: Float64Array,
  value: (row: number, channel: number) => number,
): void {
  const count = time.length, width = SENSOR_VALUES - 1;
  const alines = new Float32Array(count * width);
  for (let row = 0; row < count; row++) {
    for (let c = 0; c < width; c++) alines[row * width + c] = value(row, c + 1);
  }
  writeNpz(path, {
    timestamps: { data: time },
    send_timestamps: { data: time },
    forces: { data: Float32Array.from(time, (_, row) => value(row, 0)) },
    alines: { data: alines, shape: [count, width] },
  });
}
