import type {
  IntervalRecord,
  IntervalRobotState,
  MultiViewRecord,
  SensorInterval,
  SingleViewRecord,
} from "./interval_json.ts";

const KNOWN = new Set([
  ...["timestamp", "image", "images", "robot_state", "time_diff_robot", "sensor_interval"],
]);
/** Times near 2·10⁹ s are float64 with steps of 2.4·10⁻⁷ s. */
const DURATION_TOLERANCE = 1e-6;

/** Checks one element of the array, and names its values as this library does. */
export function decodeRecord(path: string, index: number, value: unknown): IntervalRecord {
  const fail: Fail = (key, should, current) => {
    const subject = key === "" ? "it" : key;
    throw new SyntaxError(
      `Cannot read ${path} at record ${index}: ${subject} should be ${should}, current value is ` +
        `${shortly(current)}.`,
    );
  };
  const record = object("", value, fail);
  const hasImage = Object.hasOwn(record, "image"), hasImages = Object.hasOwn(record, "images");
  if (hasImage === hasImages) {
    fail("", "a record with image or images", hasImage ? "both" : Object.keys(record));
  }
  const interval = record.sensor_interval;
  const extra = Object.entries(record).filter(([key]) => !KNOWN.has(key));
  const base = {
    timestamp: finite("timestamp", record.timestamp, fail),
    robotState: robotState(object("robot_state", record.robot_state, fail), fail),
    timeDiffRobot: finite("time_diff_robot", record.time_diff_robot, fail),
    ...(interval === undefined ? {} : {
      sensorInterval: sensorInterval(object("sensor_interval", interval, fail), fail),
    }),
    ...(extra.length === 0 ? {} : { extra: Object.fromEntries(extra) }),
  };
  if (hasImage) return { ...base, image: filePath("image", record.image, fail) };
  const images = Object.entries(object("images", record.images, fail));
  if (images.length === 0) fail("images", "a path per view", {});
  return {
    ...base,
    images: new Map(images.map(([view, image]) => [view, filePath(`images.${view}`, image, fail)])),
  };
}

/** The element of the array for a record. */
export function encodeRecord(record: IntervalRecord): Record<string, unknown> {
  const { timestamp, robotState: robot, timeDiffRobot, sensorInterval, extra = {} } = record;
  const clash = Object.keys(extra).find((key) => KNOWN.has(key));
  if (clash !== undefined) {
    throw new TypeError(
      `Cannot write the record: extra should hold other keys, current value is "${clash}".`,
    );
  }
  const { image } = record as Partial<SingleViewRecord>;
  const { images } = record as Partial<MultiViewRecord>;
  return {
    timestamp,
    ...(image === undefined ? {} : { image }),
    ...(images === undefined ? {} : { images: Object.fromEntries(images) }),
    robot_state: {
      timestamp: robot.timestamp,
      joint_angles: robot.jointAngles,
      ee_pose: robot.eePose,
    },
    time_diff_robot: timeDiffRobot,
    ...(sensorInterval === undefined ? {} : { sensor_interval: sensorInterval }),
    ...extra,
  };
}

type Fail = (key: string, should: string, current: unknown) => never;
type Fields = Record<string, unknown>;

function robotState(fields: Fields, fail: Fail): IntervalRobotState {
  return {
    timestamp: finite("robot_state.timestamp", fields.timestamp, fail),
    jointAngles: six("robot_state.joint_angles", fields.joint_angles, fail),
    eePose: six("robot_state.ee_pose", fields.ee_pose, fail),
  };
}

function sensorInterval(fields: Fields, fail: Fail): SensorInterval {
  const start = finite("sensor_interval.start", fields.start, fail);
  const end = finite("sensor_interval.end", fields.end, fail);
  const duration = finite("sensor_interval.duration", fields.duration, fail);
  if (end < start) fail("sensor_interval.end", `at least its start ${start}`, end);
  if (Math.abs(end - start - duration) > DURATION_TOLERANCE) {
    fail("sensor_interval.duration", `end minus start, ${end - start}`, duration);
  }
  return { start, end, duration };
}

function object(key: string, value: unknown, fail: Fail): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    fail(key, "an object", value);
  }
  return value as Fields;
}

function finite(key: string, value: unknown, fail: Fail): number {
  return typeof value === "number" && Number.isFinite(value)
    ? value
    : fail(key, "a finite number", value);
}

function six(key: string, value: unknown, fail: Fail): number[] {
  const isArray = Array.isArray(value) && value.length === 6;
  if (!isArray) fail(key, "6 numbers", value);
  return value.map((item, k) => finite(`${key}[${k}]`, item, fail));
}

function filePath(key: string, value: unknown, fail: Fail): string {
  return typeof value === "string" && value !== "" ? value : fail(key, "a path", value);
}

function shortly(value: unknown): string {
  const text = typeof value === "number" ? String(value) : JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
