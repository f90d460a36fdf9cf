/** A recording as the receivers of a sensor session leave it: `recv_all_<time>`. */
import { createNpzWriter } from "../formats/npz_writer.ts";
import { fill } from "./fill.ts";
import { ROBOT_HZ, START, writeRobotFile } from "./_robot_file.ts";

/** Rows per second of the sensor, images per second of each view. */
const SENSOR_HZ = 650, CAMERA_HZ = 5;
const VIEWS = [
  { folder: "View1/left", camera: "zed_41182735_left" },
  { folder: "View2/left", camera: "zed_49429257_left" },
  { folder: "View3/left", camera: "zed_44377151_left" },
  { folder: "View4/left", camera: "zed_49045152_left" },
  { folder: "View5", camera: "oak_1944301011169A4800" },
];
const ALINE = 1025;
/** Sensor rows written at a time; all blocks hold the same A-lines but for their first value. */
const BLOCK = 1000;
/** A grey JPEG image of 8 by 8 pixels, made by libjpeg. */
const JPEG =
  "/9j/2wBDABALDA4MChAODQ4SERATGCgaGBYWGDEjJR0oOjM9PDkzODdASFxOQERXRTc4UG1RV19iZ2hnPk1x" +
  "eXBkeFxlZ2P/2wBDARESEhgVGC8aGi9jQjhCY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2Nj" +
  "Y2NjY2NjY2P/wAARCAAIAAgDASIAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAAAAT/xAAUEAEAAAAAAAAAAAAAAAAA" +
  "AAAA/8QAFAEBAAAAAAAAAAAAAAAAAAAAAP/EABQRAQAAAAAAAAAAAAAAAAAAAAD/2gAMAwEAAhEDEQA/AJwAf//Z";

/** How large a recording is. */
export interface RecordingSize {
  readonly robotRows: number;
  readonly sensorRows: number;
  /** Of all views. */
  readonly images: number;
  /** Bytes on the disk, an estimate from above. */
  readonly bytes: number;
  /** Bytes of the sensor's rows. */
  readonly sensorBytes: number;
}

/** Where its files are. */
export interface RecordingFiles {
  readonly folder: string;
  readonly robotFile: string;
  readonly sensorFile: string;
}

/** The size of a recording of so many seconds. */
export function recordingSize(seconds: number): RecordingSize {
  const sensorRows = seconds * SENSOR_HZ;
  const images = seconds * CAMERA_HZ * VIEWS.length;
  const sensorBytes = sensorRows * 4 * (ALINE + 1);
  const bytes = sensorBytes + 16 * sensorRows + images * 4096 + seconds * ROBOT_HZ * 200;
  return { robotRows: seconds * ROBOT_HZ, sensorRows, images, bytes, sensorBytes };
}

/** Writes a recording of so many seconds into a new folder below `parent`. */
export function writeRecording(parent: string, seconds: number): RecordingFiles {
  const folder = `${parent}/recv_all_20251027_165140`;
  Deno.mkdirSync(folder);
  const robotFile = `${folder}/robot_state_20251027_165140.csv`;
  const sensorFile = `${folder}/sensor_data_20251027_165140_${START}.npz`;
  writeRobotFile(robotFile, seconds * ROBOT_HZ, "3-7");
  writeImages(folder, seconds * CAMERA_HZ);
  writeSensor(sensorFile, seconds * SENSOR_HZ);
  return { folder, robotFile, sensorFile };
}

function writeImages(folder: string, count: number): void {
  const bytes = Uint8Array.fromBase64(JPEG);
  VIEWS.forEach((view, v) => {
    Deno.mkdirSync(`${folder}/${view.folder}`, { recursive: true });
    for (let k = 0; k < count; k++) {
      const time = (START + 0.037 + 0.011 * v + k / CAMERA_HZ).toFixed(3);
      Deno.writeFileSync(`${folder}/${view.folder}/${view.camera}_${time}.jpg`, bytes);
    }
  });
}

function writeSensor(path: string, rows: number): void {
  const time = Float64Array.from({ length: rows }, (_, row) => START + 0.0004 + row / SENSOR_HZ);
  using archive = createNpzWriter(path);
  archive.add("timestamps", { data: time });
  archive.add("send_timestamps", { data: time.map((each) => each + 0.0031) });
  archive.add("forces", { data: fill(300, rows, 1) });
  const alines = archive.open("alines", { dtype: "float32", rowShape: [ALINE] });
  const block = fill(301, Math.min(BLOCK, rows) * ALINE, 100);
  for (let row = 0; row < rows; row += BLOCK) {
    const count = Math.min(BLOCK, rows - row);
    for (let k = 0; k < count; k++) block[k * ALINE] = row + k;
    alines.append(block.subarray(0, count * ALINE));
  }
  alines.close();
  archive.close();
}
