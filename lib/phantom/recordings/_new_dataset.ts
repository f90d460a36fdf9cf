import { basename, join } from "node:path";
import { SENSOR_HZ } from "../_sensor.ts";
import { Stream } from "../_stream.ts";
import { writeImages } from "./_images.ts";
import type { WriteContext, WrittenFiles } from "./_layout_writer.ts";
import { writeReceiverLog } from "./_robot_csv.ts";
import { WINDOW_ROWS, writeSensorWindows } from "./_sensor_files.ts";
import type { Take } from "./_take.ts";

/** The collector was started this long before the first row, seconds. */
const LEAD_SECONDS = 9;
const CAMERA_ORDER_STREAM = 890;

/** An episode `episode_<S>` of the collector that stores sensor windows. */
export async function writeNewDataset(take: Take, context: WriteContext): Promise<WrittenFiles> {
  const robotLog = "robot_states.csv";
  writeReceiverLog(join(context.folder, robotLog), take, "force");
  const name = "sensor_data.npz";
  const windows = take.sensor && writeSensorWindows(join(context.folder, name), take.sensor);
  const images = await writeImages(
    take,
    context,
    (view, _eye, time) => `images/${view}/${time.toFixed(6)}.jpg`,
  );
  const metadata = {
    episode_name: basename(context.target),
    start_time: take.robot.recv[0]! - LEAD_SECONDS,
    end_time: take.robot.recv.at(-1)!,
    camera_views: unordered(take),
    sensor_hz: SENSOR_HZ, // the rates are nominal, nobody measured them
    robot_hz: 100,
    sensor_window_size: WINDOW_ROWS,
    action_horizon: 8,
    action_dim: 7,
    camera_frames_count: 0, // so it is in all real files
    sensor_windows_count: windows ?? 0,
    robot_states_count: take.robot.send.length,
  };
  return { robotLog, sensor: windows ? name : null, images, metadata };
}

/** The views in any order: the collector takes them from a set. */
function unordered({ cameras, source }: Take): string[] {
  const random = new Stream(source.seed, CAMERA_ORDER_STREAM);
  return cameras.map(({ view }) => ({ view, key: random.unit() }))
    .sort((a, b) => a.key - b.key).map(({ view }) => view);
}
