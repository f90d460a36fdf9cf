import { join, resolve } from "node:path";
import type { SingleViewRecord } from "../../formats/interval_json.ts";
import { STATE_WIDTH } from "../actions.ts";
import { cleanTimes } from "../clean_times.ts";
import type { OffsetStream, RecordedView, Recording } from "../recording.ts";
import { nearestRow } from "./nearest_row.ts";

/** How images are matched with robot rows. */
export interface IntervalOptions {
  /** Images farther than this from every robot row are left out, in seconds; default 0.010. */
  readonly maxDifference?: number;
  /** Whether records get their sensor interval; default true. */
  readonly intervals?: boolean;
  /** Do as the Python reference does; default false. */
  readonly compat?: boolean;
}

/** The records of one view. */
export interface ViewRecords {
  /** As file names have it: `View1_left`, `View5_oak`. */
  readonly viewKey: string;
  /** One per image that has a robot row, in order. */
  readonly records: readonly SingleViewRecord[];
  /** Images without a robot row near enough. */
  readonly unmatched: number;
}

/**
 * The records of interval JSON files: for each image of each view the nearest robot row, and the
 * sensor's interval since the image before, whether or not that has a record. The first image's
 * interval is as long as the mean spacing of the view's images.
 *
 * Images are taken in order of time and the robot's log is cleaned (`cleanTimes`). Clock offsets
 * recorded beside the data are applied: images are matched on the robot's clock, the interval is on
 * the sensor's, `timestamp` stays that of the image's name. `compat` does as the Python reference
 * does: images in order of their paths, the log as it is, no offsets, its choice of views.
 *
 * @param recording as read
 * @param options limits, with or without intervals
 * @returns the views; images are absolute paths
 * @throws {SyntaxError} in `compat`, when the order of the paths is not that of the times, so that
 * intervals would end before they begin
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { intervalRecords } from "./interval_records.ts";
 *
 * const [view] = intervalRecords({
 *   name: "demo", path: "demo", layout: "recv-all", task: "demo", instruction: "insert",
 *   robot: {
 *     file: "demo.csv", clock: "origin", recvTime: null, pose: "recorded", blankRows: 0,
 *     time: Float64Array.of(1, 1.01, 1.02), state: new Float32Array(36),
 *   },
 *   views: [{
 *     name: "View5", folder: "View5", files: ["1.000.jpg", "1.017.jpg", "3.000.jpg"],
 *     time: Float64Array.of(1, 1.017, 3), withoutTime: 0,
 *   }],
 *   sensor: null, clockOffsets: {}, findings: [], close() {},
 * });
 * assert.equal(view!.viewKey, "View5_oak");
 * assert.equal(view!.records[1]!.robotState.timestamp, 1.02);
 * assert.equal(view!.records[1]!.sensorInterval!.start, 1);
 * assert.equal(view!.unmatched, 1);
 * ```
 */
export function intervalRecords(
  recording: Recording,
  options: IntervalOptions = {},
): ViewRecords[] {
  const { intervals = true, compat = false } = options;
  const views = compat ? referenceViews(recording.views, intervals) : recording.views;
  return views.map((view) => viewRecords(recording, view, options));
}

function viewRecords(
  { robot, clockOffsets }: Recording,
  view: RecordedView,
  { maxDifference = 0.01, intervals = true, compat = false }: IntervalOptions,
): ViewRecords {
  const { files, time } = compat ? byPath(view) : byTime(view);
  const rows = compat ? null : cleanTimes(robot.time);
  const robotTime = rows?.time ?? robot.time;
  const offset = (stream: OffsetStream) => compat ? 0 : clockOffsets[stream] ?? 0;
  const toSensor = offset("sensor") - offset("camera");
  const spacing = (time.at(-1)! - time[0]!) / (time.length - 1);
  const records: SingleViewRecord[] = [];
  // Without a second image nobody knows how long the first interval is.
  const count = intervals && time.length < 2 ? 0 : time.length;
  for (let k = 0; k < count; k++) {
    const moment = time[k]! - offset("camera");
    const nearest = nearestRow(robotTime, moment);
    const difference = Math.abs(robotTime[nearest]! - moment);
    if (!(difference <= maxDifference)) continue;
    const row = (rows?.rows?.[nearest] ?? nearest) * STATE_WIDTH;
    const end = time[k]! + toSensor;
    const start = k === 0 ? end - spacing : time[k - 1]! + toSensor;
    if (intervals && !(start <= end)) refuse(view, files[k]!);
    records.push({
      timestamp: time[k]!,
      image: resolve(join(view.folder, files[k]!)),
      robotState: {
        timestamp: robotTime[nearest]!,
        jointAngles: [...robot.state.subarray(row, row + 6)],
        eePose: [...robot.state.subarray(row + 6, row + STATE_WIDTH)],
      },
      timeDiffRobot: difference,
      ...(intervals ? { sensorInterval: { start, end, duration: end - start } } : {}),
    });
  }
  const viewKey = view.name === "View5" ? "View5_oak" : view.name;
  return { viewKey, records, unmatched: time.length - records.length };
}

/** Only by path: times are in order otherwise. */
function refuse({ folder }: RecordedView, file: string): never {
  throw new SyntaxError(
    `Cannot give ${
      join(folder, file)
    } a sensor interval: in order of names, as the reference takes ` +
      "them, each image should be later than the one before, current value is earlier. " +
      "Without --compat they are taken in order of time.",
  );
}

function byTime({ files, time }: RecordedView) {
  const clean = cleanTimes(time);
  return clean.rows === null
    ? { files, time: clean.time }
    : { files: Array.from(clean.rows, (row) => files[row]!), time: clean.time };
}

function byPath({ files, time }: RecordedView) {
  const order = files.map((_, k) => k).sort((a, b) => files[a]! < files[b]! ? -1 : 1);
  return {
    files: order.map((k) => files[k]!),
    time: Float64Array.from(order, (k) => time[k]!),
  };
}

/** The views that the reference's two programs look at: with intervals, and without. */
function referenceViews(views: readonly RecordedView[], intervals: boolean): RecordedView[] {
  const names = new Set(views.map(({ name }) => name));
  return views.filter(({ name }) => {
    if (name === "View5" || /^View[1-4]_(left|right)$/.test(name)) return true;
    const hasEyes = names.has(`${name}_left`) || names.has(`${name}_right`);
    return intervals && /^View[1-4]$/.test(name) && !hasEyes;
  });
}
