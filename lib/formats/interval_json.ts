import { writeFileAtomic } from "./atomic_write.ts";
import { decodeRecord, encodeRecord } from "./_interval_record.ts";
import { openRandomAccess } from "./random_access_file.ts";

/** Where the robot was when an image was taken. */
export interface IntervalRobotState {
  /** Time on the robot's clock, s. */
  readonly timestamp: number;
  /** Joints 1 to 6, degrees. */
  readonly jointAngles: readonly number[];
  /** Pose of the end effector: x y z in mm, alpha beta gamma in degrees. */
  readonly eePose: readonly number[];
}

/** The time between an image and the one before, from which sensor data belong to it. */
export interface SensorInterval {
  /** Start, s. */
  readonly start: number;
  /** End, s; not before the start. */
  readonly end: number;
  /** End minus start, s. */
  readonly duration: number;
}

/** What records of both kinds hold. */
export interface IntervalRecordBase {
  /** When the image was taken, s. */
  readonly timestamp: number;
  /** The robot's state nearest in time. */
  readonly robotState: IntervalRobotState;
  /** How far away in time that state is, s. */
  readonly timeDiffRobot: number;
  /** Only in recordings with a sensor. */
  readonly sensorInterval?: SensorInterval;
  /** Keys of the record beyond these, kept as they are. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

/** An image of one view, and where the robot was. */
export interface SingleViewRecord extends IntervalRecordBase {
  /** Path of the image. */
  readonly image: string;
}

/** One image per view, and where the robot was. */
export interface MultiViewRecord extends IntervalRecordBase {
  /** Paths of the images by view, such as `View1_left`. */
  readonly images: ReadonlyMap<string, string>;
}

/** A record of one kind or the other: `"image" in record` tells. */
export type IntervalRecord = SingleViewRecord | MultiViewRecord;

/** More characters than one JavaScript string holds. */
const MAX_BYTES = 2 ** 29 - 25;

/**
 * Reads the records of an interval file (`*_single.json`, `*_precise_*.json`): which image belongs
 * to which robot state and which stretch of sensor data.
 *
 * @param path of the file
 * @returns its records in order, all of one kind
 * @throws {SyntaxError} with number of the record (from 0) and key, when a value is missing or of
 * another type, is not finite, or an interval ends before it starts
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { readIntervalJson } from "./mod.ts";
 *
 * const path = `${Deno.makeTempDirSync()}/a_View1_left_single.json`;
 * const robot_state = { timestamp: 1, joint_angles: [0, 0, 0, 0, 0, 0], ee_pose: [190, 0, 308, 0, 90] };
 * const record = { timestamp: 1, image: "/1.jpg", robot_state, time_diff_robot: 0 };
 * Deno.writeTextFileSync(path, JSON.stringify([record]));
 * assert.throws(() => readIntervalJson(path), /record 0: robot_state.ee_pose should be 6 numbers/);
 * robot_state.ee_pose.push(0);
 * Deno.writeTextFileSync(path, JSON.stringify([record]));
 * assert.equal(readIntervalJson(path)[0]?.robotState.eePose[2], 308);
 * ```
 */
export function readIntervalJson(path: string): IntervalRecord[] {
  const values = parseArray(path);
  const records = values.map((value, index) => decodeRecord(path, index, value));
  const odd = records.findIndex((record) => "image" in record !== "image" in records[0]!);
  if (odd > 0) {
    throw new SyntaxError(
      `Cannot read ${path} at record ${odd}: all records should be of one kind, current value is ` +
        `${kindOf(records[odd]!)} after ${kindOf(records[0]!)}.`,
    );
  }
  return records;
}

/**
 * Writes records as an interval file, which is there as a whole or not at all. The same records
 * always give the same bytes.
 *
 * @param path of the file; its folder must exist
 * @param records all of one kind, see {@linkcode readIntervalJson}
 * @throws {TypeError} with number of the record, when it is not one that could be read again
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { readIntervalJson, type SingleViewRecord, writeIntervalJson } from "./mod.ts";
 *
 * const path = `${Deno.makeTempDirSync()}/a_View1_left_single.json`;
 * const pose = [0, 0, 0, 0, 0, 0];
 * const record: SingleViewRecord = {
 *   timestamp: 10.503,
 *   image: "/data/zed_left_10.503.jpg",
 *   robotState: { timestamp: 10.5, jointAngles: pose, eePose: pose },
 *   timeDiffRobot: 0.003,
 * };
 * writeIntervalJson(path, [record]);
 * assert.deepEqual(readIntervalJson(path), [record]);
 * ```
 */
export function writeIntervalJson(path: string, records: readonly IntervalRecord[]): void {
  const odd = records.findIndex((record) => "image" in record !== "image" in records[0]!);
  if (odd > 0) {
    throw new TypeError(
      `Cannot write ${path} at record ${odd}: all records should be of one kind, current value ` +
        `is ${kindOf(records[odd]!)} after ${kindOf(records[0]!)}.`,
    );
  }
  const texts = records.map((record, index) => {
    const value = encodeRecord(record);
    try {
      decodeRecord(path, index, value);
    } catch (error) {
      throw new TypeError((error as Error).message.replace("Cannot read", "Cannot write"));
    }
    return `  ${JSON.stringify(value, null, 2).replaceAll("\n", "\n  ")}`;
  });
  const lines = texts.length === 0 ? "[]\n" : `[\n${texts.join(",\n")}\n]\n`;
  writeFileAtomic(path, lines);
}

function kindOf(record: IntervalRecord): string {
  return "image" in record ? "a record of one view" : "a record of several views";
}

function parseArray(path: string): unknown[] {
  using file = openRandomAccess(path);
  if (file.bytes > MAX_BYTES) {
    throw new SyntaxError(
      `Cannot read ${path}: it should have at most ${MAX_BYTES} bytes, current value is ` +
        `${file.bytes}.`,
    );
  }
  let value: unknown;
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(file.read(0, file.bytes));
    value = JSON.parse(text);
  } catch (error) {
    const { message } = error as Error;
    throw new SyntaxError(`Cannot read ${path}: it should be JSON in UTF-8, but ${message}.`);
  }
  if (Array.isArray(value)) return value;
  throw new SyntaxError(
    `Cannot read ${path}: it should be an array of records, current value is ` +
      `${value === null ? "null" : typeof value}.`,
  );
}
