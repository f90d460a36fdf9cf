import type { Kind } from "../inspection.ts";
import { isRecord } from "../../formats/_is_record.ts";

/** Larger texts are not parsed. */
const PARSED_BYTES = 256e6;
/** Members of an object that are listed. */
const LISTED = 100;

/** JSON: interval records of the sensor sessions, or anything. */
export const json: Kind = {
  name: "json",
  summary: "*.json: interval records, metadata, or anything else",
  claims: ({ name }) => name.endsWith(".json"),
  inspect: ({ path, bytes }) => {
    if (bytes > PARSED_BYTES) {
      return { tensors: [], details: { shape: "not parsed: larger than 256 MB" } };
    }
    let value: unknown;
    try {
      value = JSON.parse(Deno.readTextFileSync(path));
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw new SyntaxError(
        `Cannot read ${path}: it should be JSON, current value: ${error.message}. It was cut ` +
          "short or edited; copy or write it again.",
      );
    }
    const records = intervalRecords(value);
    if (records !== undefined) {
      return { tensors: [], keys: Object.keys(records[0]!), details: describeRecords(records) };
    }
    const first = Array.isArray(value) ? value[0] : value;
    return {
      tensors: [],
      keys: isRecord(first) ? Object.keys(first) : [],
      details: { shape: shapeOf(value) },
    };
  },
};

/** A record that matches images with a robot row, and a stretch of the sensor. */
interface IntervalRecord {
  readonly timestamp: number;
  readonly image?: string;
  readonly images?: Readonly<Record<string, string>>;
  readonly time_diff_robot?: number;
  readonly sensor_interval?: unknown;
}

function intervalRecords(value: unknown): readonly IntervalRecord[] | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined;
  const isInterval = (record: unknown) =>
    isRecord(record) && typeof record.timestamp === "number" &&
    (typeof record.image === "string" || isRecord(record.images)) && isRecord(record.robot_state);
  return value.every(isInterval) ? value : undefined;
}

function describeRecords(records: readonly IntervalRecord[]) {
  const times = records.map(({ timestamp }) => timestamp);
  const differences = records.map(({ time_diff_robot }) => time_diff_robot)
    .filter((difference) => typeof difference === "number");
  const views = new Set(records.flatMap(({ images }) => Object.keys(images ?? {})));
  return {
    holds: "interval records",
    records: records.length,
    firstTime: times.reduce((a, b) => Math.min(a, b)),
    lastTime: times.reduce((a, b) => Math.max(a, b)),
    views: views.size > 0 ? [...views] : 1,
    withSensorInterval: records.filter((record) => isRecord(record.sensor_interval)).length,
    largestTimeDifferenceToRobot: differences.reduce((a, b) => Math.max(a, Math.abs(b)), 0),
  };
}

/** The outermost layers: names and types, lengths of lists. */
function shapeOf(value: unknown, depth = 0): unknown {
  if (Array.isArray(value)) {
    if (value.length === 0) return "empty list";
    const first = depth === 0 ? shapeOf(value[0], 1) : typeName(value[0]);
    return { length: value.length, first };
  }
  if (!isRecord(value)) return typeName(value);
  if (depth === 2) return "object";
  const members = Object.entries(value);
  return Object.fromEntries([
    ...members.slice(0, LISTED).map(([name, member]) => [name, shapeOf(member, depth + 1)]),
    ...(members.length > LISTED ? [["…", `${members.length - LISTED} more`]] : []),
  ]);
}

function typeName(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "list" : typeof value;
}
