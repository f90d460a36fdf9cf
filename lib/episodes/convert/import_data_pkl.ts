import { basename, dirname, join, relative, resolve } from "node:path";
import { type DataPkl, readDataPkl } from "../../formats/data_pkl.ts";
import { writeNpy } from "../../formats/npy.ts";
import { ACTION_WIDTH } from "../actions.ts";
import type { AlignedRecording } from "../align.ts";
import { taskOf } from "../discover.ts";
import { ALINE_WIDTH, SENSOR_WIDTH } from "../layouts/_sensor.ts";
import { actionRepresentation } from "../manifest.ts";
import type { Finding, Recording } from "../recording.ts";
import { type AlignmentReport, alignmentReport } from "../report.ts";
import { writeEpisode } from "../write_episode.ts";
import { checkPickle } from "./_check_pickle.ts";
import { matchActions, robotClockName } from "./_match_actions.ts";
import { pickledViews } from "./_pickled_images.ts";
import { alignUntimed, NO_CLOCK, noRobotLog, PICKLED_SENSOR, untimedReport } from "./_untimed.ts";

/** Length of the sensor windows of imported episodes, in seconds. */
const SENSOR_WINDOW = 0.1;

/** What became of a `data.pkl`. */
export interface ImportedDataPkl {
  /** Whether the actions were found in the robot log beside it, which gives them times. */
  readonly timed: boolean;
  /** Actions, N. */
  readonly actions: number;
  /** Bytes written. */
  readonly bytes: number;
  /** Everything worth a word; also in the episode's report. */
  readonly findings: readonly Finding[];
}

/** What goes into the container, and how the actions were made. */
interface Contents {
  readonly recording: Recording;
  readonly aligned: AlignedRecording;
  readonly report: AlignmentReport;
  readonly made: { readonly angles: "wrapped" | "raw"; readonly compat: boolean };
  readonly timed: boolean;
}

/**
 * Makes an episode container of a `data.pkl`.
 *
 * A `data.pkl` holds no times. Where the recording's robot log lies beside it (in its folder, or, for
 * a pickle in a folder `episode`, in the one above), step 0 is replayed on the log, and if that gives
 * the same actions bit for bit, they have their times, and images, robot states and the recording's raw
 * sensor rows find their places. The pickle's own sensor rows are then not needed.
 *
 * Otherwise the episode stays without times, and says so: its clock is "none", actions count from 0
 * in steps of 1/actionHz in one segment, no image is chosen (`image_index` −1), there are no robot
 * rows (`action_index` −1, `action_rotation` NaN) and no sensor: one row per action, taken nobody knows
 * when, is no 650 Hz stream. The pickled sensor rows are kept as `pickled_sensor.npy` (N, 1026), for the
 * way back into a `data.pkl`; no window ever reads them.
 *
 * @param input the pickle, written with NumPy 1 or 2; nothing in it is executed
 * @param output the container's folder; an older container there is replaced as a whole
 * @param signal stops between blocks, leaving the old state
 * @returns what was found and written
 * @throws {SyntaxError} when the pickle is damaged or its contents make no episode
 * @throws {RangeError} when the pickle lies in the output
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { writeDataPkl } from "../../formats/data_pkl.ts";
 * import { openEpisode } from "../episode.ts";
 * import { importDataPkl } from "./import_data_pkl.ts";
 *
 * const folder = Deno.makeTempDirSync();
 * writeDataPkl(`${folder}/data.pkl`, {
 *   action: Float32Array.of(1, 0, 0, 0, 0, 0, 1),
 *   image: new Map(),
 *   sensorData: null,
 *   instruction: "insert",
 *   metadata: {
 *     episodeName: "lost", robotHz: 100, actionHz: 10, numActions: 1, numRobotStates: 21,
 *     durationSeconds: 0.2, hasSensor: false,
 *   },
 * });
 * const { timed } = await importDataPkl(`${folder}/data.pkl`, `${folder}/episode`);
 * assert.equal(timed, false);
 * using episode = openEpisode(`${folder}/episode`);
 * assert.equal(episode.manifest.clock, "none: data.pkl holds no times");
 * assert.deepEqual([...episode.actionTime], [0, 0.1]);
 * ```
 */
export async function importDataPkl(
  input: string,
  output: string,
  signal?: AbortSignal,
): Promise<ImportedDataPkl> {
  signal?.throwIfAborted();
  const path = resolve(input);
  if (!relative(resolve(output), path).startsWith("..")) {
    throw new RangeError(
      `Cannot make an episode of ${path}: the output, which is replaced as a whole, should not ` +
        `hold the input, current value is ${output}. Choose another OUTPUT.`,
    );
  }
  const data = readDataPkl(path);
  checkPickle(path, data);
  const contents = await gather(path, data, signal);
  const { recording, aligned, report, made, timed } = contents;
  const { metadata, sensorData } = data;
  try {
    const bytes = await writeEpisode(resolve(output), {
      facts: {
        name: recording.name,
        task: recording.task,
        instruction: recording.instruction,
        layout: "data-pkl",
        action: actionRepresentation({ ...made, actionHz: metadata.actionHz }),
        clock: timed ? robotClockName(recording.robot.clock) : NO_CLOCK,
        rates: {
          robot: report.robot.hz,
          sensor: report.sensor?.hz ?? 0,
          views: Object.fromEntries(
            Object.entries(report.views).map(([name, { hz }]) => [name, hz]),
          ),
        },
        sensorWindow: SENSOR_WINDOW,
        report,
      },
      source: recording.path,
      aligned,
      readSensor: recording.sensor?.readRowsInto.bind(recording.sensor) ?? null,
      also: (folder) => {
        if (sensorData !== null && recording.sensor === null) keepSensor(folder, sensorData);
      },
    }, signal);
    return { timed, actions: metadata.numActions, bytes, findings: report.findings };
  } finally {
    recording.close();
  }
}

async function gather(
  path: string,
  data: DataPkl,
  signal: AbortSignal | undefined,
): Promise<Contents> {
  const here = dirname(path);
  const folders = basename(here) === "episode" ? [here, dirname(here)] : [here];
  const findings: Finding[] = [];
  const facts = {
    action: data.action,
    actionHz: data.metadata.actionHz,
    name: data.metadata.episodeName,
    task: taskOf(folders.at(-1)!),
    instruction: data.instruction,
    views: pickledViews(path, data, folders, findings),
  };
  for (const folder of folders) {
    const match = await matchActions(folder, facts, findings, signal);
    if (match === null) continue;
    if (data.sensorData !== null && match.recording.sensor === null) noteSensor(path, findings);
    const report = alignmentReport(match.recording, match.aligned, SENSOR_WINDOW);
    return { ...match, report, timed: true };
  }
  findings.push({
    severity: "warning",
    code: "action.no-times",
    where: path,
    message: "data.pkl holds no times, and no robot log beside it gives these actions. They are " +
      "counted from 0; holes between them cannot be seen, and images and sensor rows have no place.",
  });
  if (data.sensorData !== null) noteSensor(path, findings);
  const recording: Recording = {
    ...facts,
    path: folders.at(-1)!,
    layout: "recv-all",
    robot: noRobotLog(path),
    sensor: null,
    clockOffsets: {},
    findings,
    close() {},
  };
  const aligned = alignUntimed(recording, data);
  const report = untimedReport(recording, aligned, data, SENSOR_WINDOW);
  return { recording, aligned, report, made: madeHow(data.action), timed: false };
}

function noteSensor(where: string, findings: Finding[]): void {
  findings.push({
    severity: "warning",
    code: "sensor.no-times",
    where,
    message: `The sensor rows of data.pkl have no times; kept in ${PICKLED_SENSOR}, which no ` +
      "window reads.",
  });
}

/** Raw differences that do not leave [−180, 180) are the wrapped ones. */
function madeHow(action: Float32Array): Contents["made"] {
  const leaves = action.some((value, i) => {
    const d = i % ACTION_WIDTH;
    return d >= 3 && d < 6 && !(value >= -180 && value < 180);
  });
  return { angles: leaves ? "raw" : "wrapped", compat: true };
}

/** `pickled_sensor.npy` (N, 1026), force first. */
function keepSensor(folder: string, { force, fpi }: NonNullable<DataPkl["sensorData"]>): void {
  const rows = new Float32Array(force.length * SENSOR_WIDTH);
  for (let k = 0; k < force.length; k++) {
    rows[k * SENSOR_WIDTH] = force[k]!;
    rows.set(fpi.subarray(k * ALINE_WIDTH, (k + 1) * ALINE_WIDTH), k * SENSOR_WIDTH + 1);
  }
  writeNpy(join(folder, PICKLED_SENSOR), { shape: [force.length, SENSOR_WIDTH], data: rows });
}
