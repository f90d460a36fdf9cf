import { join } from "node:path";
import { collectorImageName } from "./_cameras.ts";
import { writeImages } from "./_images.ts";
import type { WriteContext, WrittenFiles } from "./_layout_writer.ts";
import { writeReceiverLog } from "./_robot_csv.ts";
import { writeRawSensor } from "./_sensor_files.ts";
import type { Take } from "./_take.ts";
import { sessionStamp } from "./layout.ts";

/** An episode `data_collection_<S>` of the second collector. */
export async function writeNewDataset2(take: Take, context: WriteContext): Promise<WrittenFiles> {
  const stamp = sessionStamp(take.source.startTime);
  const robotLog = `robot_state_${stamp}.csv`;
  writeReceiverLog(join(context.folder, robotLog), take, "force_placeholder");
  const sensor = take.sensor === null ? null : `sensor_data_${stamp}.npz`;
  if (take.sensor !== null) writeRawSensor(join(context.folder, sensor!), take.sensor);
  const images = await writeImages(
    take,
    context,
    (view, eye, time) => `${view}/${collectorImageName(view, eye, time)}`,
  );
  return { robotLog, sensor, images };
}
