import { alignRecording } from "../align.ts";
import { DamagedSensorError } from "../damaged_sensor_error.ts";
import type { FoundRecording } from "../discover.ts";
import { readRecording } from "../read_recording.ts";
import { alignmentReport } from "../report.ts";
import { checkDerivedFiles } from "./_derived.ts";
import { checkImages } from "./_images.ts";
import { checkRates } from "./_rates.ts";
import { type CheckOptions, isDataError, type Report } from "./_report.ts";
import { checkSensorRows } from "./_sensor_rows.ts";
import type { RecordingFacts } from "./_siblings.ts";
import { checkStreams } from "./_streams.ts";

/** Length of the sensor windows whose coverage is reported, in seconds. */
const SENSOR_WINDOW = 0.1;
const REFUSED = "Until then preprocess refuses the recording.";

/** Figures of one recording for the summary. */
export interface RecordingFigures extends RecordingFacts {
  readonly robotHz: number;
  readonly rows: number;
  readonly actions: number;
  readonly sensorHz: number;
}

/** Every check of one recording; undefined if it cannot be read. */
export async function checkRecording(
  found: FoundRecording,
  report: Report,
  options: CheckOptions,
): Promise<RecordingFigures | undefined> {
  try {
    const opened = open(found);
    using recording = disposable(opened.recording);
    for (const { severity, code, where, message } of recording.findings) {
      if (code !== "sensor.damaged") report(severity, code, where, message);
    }
    let isRefused = opened.damage !== null;
    const refuse = (where: string, damage: string) => {
      isRefused = true;
      report("error", "sensor.damaged", where, `${damage} ${REFUSED}`);
    };
    if (opened.damage !== null) refuse(found.path, opened.damage);
    const aligned = alignRecording(recording);
    const figures = alignmentReport({ ...recording, findings: [] }, aligned, SENSOR_WINDOW);
    for (const { severity, code, where, message } of figures.findings) {
      report(severity, code, where, message);
    }
    if (figures.actions === 0) {
      report(
        "error",
        "robot.no-actions",
        recording.robot.file,
        "The log should give actions of 0.1 s, current value is none: no two of its " +
          `${figures.robot.samples} rows lie 0.1 s apart within 20 ms. No episode can be made of it.`,
      );
    }
    if (!options.quick) await checkImages(recording.views, report, options);
    checkRates(recording, aligned, figures, report);
    checkStreams(recording, aligned, figures, report);
    const { sensor } = recording;
    if (sensor !== null) {
      const { file, time } = sensor;
      const readRowsInto = sensor.readRowsInto.bind(sensor);
      const rows = { file, rows: time.length, readRowsInto };
      await checkSensorRows(rows, "sensor.", (severity, code, where, message) => {
        if (code === "sensor.damaged") refuse(where, new DamagedSensorError(message).message);
        else report(severity, code, where, message);
      }, options);
    }
    checkDerivedFiles(recording, aligned, report);
    const { path, name, layout, task, views } = recording;
    return {
      path,
      name,
      layout,
      task,
      views: views.map((view) => view.name),
      hasSensor: sensor !== null,
      robotHz: figures.robot.hz,
      rows: figures.robot.recorded,
      actions: isRefused ? 0 : figures.actions,
      sensorHz: figures.sensor?.hz ?? 0,
    };
  } catch (error) {
    if (options.signal?.aborted || !isDataError(error)) throw error;
    const isShort = error instanceof RangeError;
    report(
      "error",
      isShort ? "robot.too-short" : "recording.unreadable",
      found.path,
      error.message,
    );
    return undefined;
  }
}

/** Reads a recording, without its sensor if that is damaged. */
function open(found: FoundRecording) {
  try {
    return { recording: readRecording(found, { checkImages: false }), damage: null };
  } catch (error) {
    if (!(error instanceof DamagedSensorError)) throw error;
    const damage = error.message;
    const recording = readRecording(found, { checkImages: false, withoutSensor: damage });
    return { recording, damage };
  }
}

function disposable<T extends { close(): void }>(value: T): T & Disposable {
  return { ...value, [Symbol.dispose]: () => value.close() };
}
