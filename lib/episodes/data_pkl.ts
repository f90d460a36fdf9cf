import { join, resolve } from "node:path";
import { writeDataPkl } from "../formats/data_pkl.ts";
import type { Actions } from "./actions.ts";
import type { AlignedRecording } from "./align.ts";
import { sensorAtActions } from "./convert/_sensor_at_actions.ts";
import type { Recording } from "./recording.ts";
import { streamQuality } from "./stream_quality.ts";

/**
 * Writes a recording as the `data.pkl` that older programs train from: the actions, one sensor row per
 * action (the newest at or before its start), and the paths of all images, absolute and sorted. It
 * holds no times; what it loses is why containers exist.
 *
 * Before the sensor's first row the rows are zeros; if no action has a row, there is no sensor.
 *
 * @param path of the file; its folder must exist; replaced as a whole
 * @param recording as read; sensor rows are read from it one by one
 * @param aligned the same recording, aligned
 * @param actionHz actions per second
 * @returns bytes written
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { readDataPkl } from "../formats/data_pkl.ts";
 * import { alignRecording } from "./align.ts";
 * import { exportDataPkl } from "./data_pkl.ts";
 * import type { Recording } from "./recording.ts";
 *
 * const recording: Recording = {
 *   name: "demo", path: "demo", layout: "recv-all", task: "demo", instruction: "insert",
 *   robot: {
 *     file: "demo.csv", clock: "origin", recvTime: null, pose: "recorded", blankRows: 0,
 *     time: Float64Array.from({ length: 41 }, (_, i) => i / 100),
 *     state: new Float32Array(41 * 12),
 *   },
 *   views: [], sensor: null, clockOffsets: {}, findings: [], close() {},
 * };
 * const path = `${Deno.makeTempDirSync()}/data.pkl`;
 * exportDataPkl(path, recording, alignRecording(recording), 10);
 * const { metadata } = readDataPkl(path);
 * assert.deepEqual([metadata.numActions, metadata.numRobotStates], [4, 41]);
 * ```
 */
export function exportDataPkl(
  path: string,
  recording: Recording,
  aligned: AlignedRecording,
  actionHz: number,
): number {
  const { robotTime, actions } = aligned;
  const sensorData = recording.sensor === null || aligned.sensor === null
    ? null
    : alignedRows(recording.sensor, aligned.sensor, actions.time);
  writeDataPkl(path, {
    action: actions.action,
    image: new Map(
      recording.views.map(({ name, folder, files }) => [
        name,
        files.map((file) => resolve(join(folder, file))).sort(),
      ]),
    ),
    sensorData,
    instruction: recording.instruction,
    metadata: {
      episodeName: recording.name,
      robotHz: referenceRate(actions) ?? streamQuality(robotTime).hz,
      actionHz,
      numActions: actions.segment.length,
      numRobotStates: robotTime.length,
      durationSeconds: robotTime.at(-1)! - robotTime[0]!,
      hasSensor: sensorData !== null,
    },
  });
  return Deno.statSync(path).size;
}

function alignedRows(
  source: NonNullable<Recording["sensor"]>,
  { time, clean }: NonNullable<AlignedRecording["sensor"]>,
  actionTime: Float64Array,
) {
  return sensorAtActions(actionTime, time, (row, target) => {
    source.readRowsInto(clean.rows?.[row] ?? row, target);
  });
}

/** The mean rate that the reference computed, where its action list was asked for. */
function referenceRate(actions: Actions & { readonly meanHz?: number }): number | undefined {
  return actions.meanHz;
}
