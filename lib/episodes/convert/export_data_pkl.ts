import { join } from "node:path";
import { type DataPklSensor, writeDataPkl } from "../../formats/data_pkl.ts";
import { readNpy } from "../../formats/npy.ts";
import { referenceActions } from "../actions.ts";
import { type Episode, openEpisode } from "../episode.ts";
import { ALINE_WIDTH, SENSOR_WIDTH } from "../layouts/_sensor.ts";
import { isThere } from "../../formats/_path.ts";

import { sensorAtActions } from "./_sensor_at_actions.ts";
import { PICKLED_SENSOR } from "./_untimed.ts";

/**
 * Writes an episode container as the `data.pkl` that older programs train from, with the keys, shapes
 * and types they expect: actions, absolute paths of all images, and per action the newest sensor row at
 * or before its start. Episodes that came from a `data.pkl` without times give back the sensor rows
 * they came with.
 *
 * @param folder the container, or the recording that holds it as `episode`
 * @param path of the pickle; its folder must exist; replaced as a whole
 * @returns actions, N
 * @throws {SyntaxError} when the container is damaged
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { exportEpisode } from "./export_data_pkl.ts";
 *
 * const folder = Deno.makeTempDirSync();
 * assert.throws(() => exportEpisode(folder, `${folder}/data.pkl`), /deno task preprocess/);
 * ```
 */
export function exportEpisode(folder: string, path: string): number {
  using episode = openEpisode(folder);
  const { manifest, robotTime, segment } = episode;
  const sensorData = sensorOf(episode);
  const log = manifest.report?.robot;
  writeDataPkl(path, {
    action: new Float32Array(episode.action),
    image: new Map(
      episode.images.map(({ view, time, file }) => [
        view,
        Array.from(time, (_, k) => file(k)).sort(),
      ]),
    ),
    sensorData,
    instruction: manifest.instruction,
    metadata: {
      episodeName: manifest.name,
      robotHz: rateOf(episode),
      actionHz: manifest.action.hz,
      numActions: segment.length,
      // Without a robot log the report has what the pickle said of it.
      numRobotStates: robotTime.length > 0 ? robotTime.length : log?.recorded ?? 0,
      durationSeconds: robotTime.length > 0
        ? robotTime.at(-1)! - robotTime[0]!
        : (log?.end ?? 0) - (log?.start ?? 0),
      hasSensor: sensorData !== null,
    },
  });
  return segment.length;
}

/** The reference's mean rate where its list was asked for, else the median rate. */
function rateOf({ manifest, robotTime, robotState }: Episode): number {
  const { compat, hz: actionHz, tolerance } = manifest.action;
  return compat && robotTime.length >= 2
    ? referenceActions(robotTime, robotState, { actionHz, tolerance }).meanHz
    : manifest.rates.robot;
}

function sensorOf({ path, sensor, actionTime, segment }: Episode): DataPklSensor | null {
  if (sensor !== null) return sensorAtActions(actionTime, sensor.time, sensor.readRowsInto);
  const pickled = join(path, PICKLED_SENSOR);
  if (!isThere(pickled)) return null;
  const rows = readNpy(pickled, { dtype: "float32", shape: [segment.length, SENSOR_WIDTH] }).data;
  const force = new Float32Array(segment.length);
  const fpi = new Float32Array(segment.length * ALINE_WIDTH);
  for (let k = 0; k < force.length; k++) {
    const row = rows.subarray(k * SENSOR_WIDTH, (k + 1) * SENSOR_WIDTH);
    force[k] = row[0]!;
    fpi.set(row.subarray(1), k * ALINE_WIDTH);
  }
  return { force, fpi };
}
