import { join } from "node:path";
import { serialImageName } from "./_cameras.ts";
import { writeImages } from "./_images.ts";
import type { Eye, WriteContext, WrittenFiles } from "./_layout_writer.ts";
import { writeReceiverLog } from "./_robot_csv.ts";
import { writeRawSensor } from "./_sensor_files.ts";
import type { Take } from "./_take.ts";
import { sessionStamp } from "./layout.ts";
import type { PhantomView } from "../scene.ts";

/** A sensor session `recv_all_<S>` of the first recorder. */
export async function writeSensorSession(
  take: Take,
  context: WriteContext,
): Promise<WrittenFiles> {
  const stamp = sessionStamp(take.source.startTime);
  const robotLog = `robot_state_${stamp}.csv`;
  writeReceiverLog(join(context.folder, robotLog), take, "force_placeholder");
  let sensor: string | null = null;
  if (take.sensor !== null) {
    // The second part is where the first sensor row begins, not when the session does.
    sensor = `sensor_data_${stamp}_${Math.floor(take.sensor.time[0]!)}.npz`;
    writeRawSensor(join(context.folder, sensor), take.sensor);
  }
  const images = await writeImages(take, context, (view: PhantomView, eye: Eye, time: number) => {
    const folder = eye === "hand" ? view : `${view}/${eye}`;
    return `${folder}/${serialImageName(view, eye, time)}`;
  });
  return { robotLog, sensor, images };
}
