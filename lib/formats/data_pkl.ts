import { PickleFields } from "./_pickle_fields.ts";
import { readPickle } from "./pickle_reader.ts";
import { NumpyScalar, PickleFloat, type PickleValue } from "./pickle_values.ts";
import { type PickleInput, writePickle } from "./pickle_writer.ts";

/** Sensor rows of a {@linkcode DataPkl}, one per action. */
export interface DataPklSensor {
  /** Force, shape (N, 1). */
  readonly force: Float32Array<ArrayBuffer>;
  /** A-lines of the fibre probe, shape (N, 1025). */
  readonly fpi: Float32Array<ArrayBuffer>;
}

/** Facts about the episode of a {@linkcode DataPkl}. */
export interface DataPklMetadata {
  /** Name of the episode's folder. */
  readonly episodeName: string;
  /** Rate of the recorded robot states, Hz. */
  readonly robotHz: number;
  /** Rate of the actions, Hz. */
  readonly actionHz: number;
  /** Number of actions N. */
  readonly numActions: number;
  /** Number of robot states they were made from. */
  readonly numRobotStates: number;
  /** Length of the recording, s. */
  readonly durationSeconds: number;
  /** Whether there are sensor data. */
  readonly hasSensor: boolean;
  /** Keys beyond these; floats are `PickleFloat`. */
  readonly extra?: ReadonlyMap<string, PickleValue>;
}

/** Contents of a `data.pkl`: an episode of N actions. */
export interface DataPkl {
  /** Pose differences and gripper, shape (N, 7). */
  readonly action: Float32Array<ArrayBuffer>;
  /** Paths of the images by view, sorted; all of them, not one per action. */
  readonly image: ReadonlyMap<string, readonly string[]>;
  /** Sensor rows, null without a sensor. */
  readonly sensorData: DataPklSensor | null;
  /** What the robot is told to do. */
  readonly instruction: string;
  /** Facts about the episode. */
  readonly metadata: DataPklMetadata;
  /** Keys beyond these; floats are `PickleFloat`. */
  readonly extra?: ReadonlyMap<string, PickleValue>;
}

/**
 * Reads the `data.pkl` of an episode, written with NumPy 1 or 2. Nothing in it is executed.
 *
 * @param path of the file
 * @returns its contents; `numActions`, `hasSensor` and the rows of all arrays agree
 * @throws {SyntaxError} with path and byte offset when it is no such pickle, with path and key when
 * a value is missing, or of another type or shape (whole numbers, floats and NumPy's scalars may
 * stand for each other where no digit is lost)
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { readDataPkl, writePickle } from "./mod.ts";
 *
 * const path = `${Deno.makeTempDirSync()}/data.pkl`;
 * writePickle(path, { action: { dtype: "float32", shape: [3, 6], data: new Float32Array(18) } });
 * assert.throws(() => readDataPkl(path), /data\.pkl: action .*\(N, 7\).*\(3, 6\)/);
 * ```
 */
export function readDataPkl(path: string): DataPkl {
  const file = new PickleFields(path, readPickle(path, { floats: "tagged" }));
  const action = file.rows("action", 7);
  const image = file.fields("image");
  const sensorData = file.isNone("sensor_data")
    ? null
    : readSensor(file.fields("sensor_data"), action.length / 7);
  const data = {
    action,
    image: new Map(image.keys().map((view) => [view, image.texts(view)])),
    sensorData,
    instruction: file.text("instruction"),
    metadata: readMetadata(file.fields("metadata")),
    extra: file.rest(),
  };
  checkAgreement(data, (key, should, found) => file.disagree(key, should, found));
  return data;
}

/**
 * Writes the `data.pkl` of an episode, so that Python reads it with NumPy 1 and 2. The file is there
 * as a whole or not at all.
 *
 * @param path of the file; its folder must exist
 * @param data its contents
 * @throws {RangeError} when `numActions`, `hasSensor` and the rows of the arrays do not agree
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { readDataPkl, writeDataPkl } from "./mod.ts";
 *
 * const path = `${Deno.makeTempDirSync()}/data.pkl`;
 * const metadata = {
 *   episodeName: "recv_all_1",
 *   robotHz: 99.5,
 *   actionHz: 10,
 *   numActions: 2,
 *   numRobotStates: 21,
 *   durationSeconds: 0.2,
 *   hasSensor: false,
 * };
 * writeDataPkl(path, {
 *   action: new Float32Array(2 * 7).fill(0.5),
 *   image: new Map([["View1_left", ["/data/View1/left/0.000.jpg"]]]),
 *   sensorData: null,
 *   instruction: "Perform needle insertion task.",
 *   metadata,
 * });
 * const { action, metadata: { robotHz } } = readDataPkl(path);
 * assert.deepEqual([action.length, robotHz], [14, 99.5]);
 * ```
 */
export function writeDataPkl(path: string, data: DataPkl): void {
  const { action, image, sensorData, instruction, metadata, extra = new Map() } = data;
  checkAgreement(data, (key, should, found) => {
    throw new RangeError(
      `Cannot write ${path}: ${key} should be ${should}, current value is ${found}.`,
    );
  });
  const float32 = (data: Float32Array, columns: number): PickleInput => {
    return { dtype: "float32", shape: [data.length / columns, columns], data };
  };
  writePickle(
    path,
    new Map<string, PickleInput>([
      ["action", float32(action, 7)],
      ["image", image],
      [
        "sensor_data",
        sensorData && { force: float32(sensorData.force, 1), fpi: float32(sensorData.fpi, 1025) },
      ],
      ["instruction", instruction],
      ["metadata", metadataDict(metadata)],
      ...extra,
    ]),
  );
}

function readSensor(sensor: PickleFields, rows: number): DataPklSensor {
  return { force: sensor.rows("force", 1, rows), fpi: sensor.rows("fpi", 1025, rows) };
}

function readMetadata(metadata: PickleFields): DataPklMetadata {
  return {
    episodeName: metadata.text("episode_name"),
    robotHz: metadata.number("robot_hz"),
    actionHz: metadata.number("action_hz"),
    numActions: metadata.count("num_actions"),
    numRobotStates: metadata.count("num_robot_states"),
    durationSeconds: metadata.number("duration_seconds"),
    hasSensor: metadata.boolean("has_sensor"),
    extra: metadata.rest(),
  };
}

/** The types that Python had there: NumPy's means are scalars of NumPy. */
function metadataDict(metadata: DataPklMetadata): Map<string, PickleInput> {
  return new Map<string, PickleInput>([
    ["episode_name", metadata.episodeName],
    ["robot_hz", new NumpyScalar("float64", metadata.robotHz)],
    ["action_hz", new PickleFloat(metadata.actionHz)],
    ["num_actions", metadata.numActions],
    ["num_robot_states", metadata.numRobotStates],
    ["duration_seconds", new NumpyScalar("float64", metadata.durationSeconds)],
    ["has_sensor", metadata.hasSensor],
    ...metadata.extra ?? [],
  ]);
}

type Disagree = (key: string, should: string, found: unknown) => never;

function checkAgreement(data: DataPkl, disagree: Disagree): void {
  const { action, sensorData, metadata } = data, rows = action.length / 7;
  if (!Number.isInteger(rows)) disagree("action", "7 numbers per row", `${action.length} numbers`);
  const { force, fpi } = sensorData ?? {};
  if (force && force.length !== rows) disagree("force", `${rows} rows`, force.length);
  if (fpi && fpi.length !== rows * 1025) disagree("fpi", `${rows} rows`, fpi.length / 1025);
  const hasSensor = sensorData !== null;
  if (metadata.numActions !== rows) {
    disagree("metadata.num_actions", `${rows}`, metadata.numActions);
  }
  if (!Number.isSafeInteger(metadata.numRobotStates)) {
    disagree("metadata.num_robot_states", "a whole number", metadata.numRobotStates);
  }
  if (metadata.hasSensor !== hasSensor) {
    disagree("metadata.has_sensor", `${hasSensor}`, metadata.hasSensor);
  }
}
