import assert from "node:assert/strict";
import {
  type DataPkl,
  encodePickle,
  NumpyScalar,
  PickleFloat,
  type PickleInput,
  readDataPkl,
  readPickle,
  writeDataPkl,
} from "../../lib/formats/mod.ts";
import { fixture } from "./_pickle_fixtures.ts";
import { temporaryFolder } from "../_temporary.ts";

const folder = temporaryFolder();
/** Of numpy.random.Generator(PCG64(7)).normal. */
const FIRST_DRAWS = [0.0012301533574825742, 0.2987455375084699];

for (const numpy of [1, 2]) {
  Deno.test(`a data.pkl of NumPy ${numpy} is read`, () => {
    const data = readDataPkl(fixture(`data_numpy${numpy}.pkl`));
    assert.equal(data.action.length, 3 * 7);
    assert.deepEqual([...data.action.slice(0, 2)], FIRST_DRAWS.map(Math.fround));
    assert.deepEqual([...data.image.keys()], ["View1_left", "View1_right", "View5"]);
    assert.equal(data.image.get("View1_left")![1], "/data/recv_all_1/View1/left/0.033.jpg");
    assert.deepEqual([data.sensorData?.force.length, data.sensorData?.fpi.length], [3, 3 * 1025]);
    assert.equal(data.instruction, "Perform needle insertion task.");
    assert.deepEqual(data.metadata, {
      episodeName: "recv_all_1",
      robotHz: 99.5,
      actionHz: 10,
      numActions: 3,
      numRobotStates: 31,
      durationSeconds: 0.3,
      hasSensor: true,
      extra: new Map(),
    });
    assert.equal(data.extra?.size, 0);
  });
}

Deno.test("a data.pkl without a sensor is read", () => {
  const { sensorData, metadata } = readDataPkl(fixture("data_no_sensor.pkl"));
  assert.equal(sensorData, null);
  assert.equal(metadata.hasSensor, false);
});

Deno.test("a data.pkl is written byte for byte as Python with NumPy 1 writes it", () => {
  const path = `${folder}/data.pkl`;
  for (const name of ["data_numpy1.pkl", "data_numpy2.pkl"]) {
    writeDataPkl(path, readDataPkl(fixture(name)));
    assert.deepEqual(Deno.readFileSync(path), Deno.readFileSync(fixture("data_numpy1.pkl")));
  }
});

type Raw = Map<string, PickleInput>;

/** Reads a recorded file after a change to its contents. */
function changed(change: (file: Raw, metadata: Raw, sensor: Raw) => void): DataPkl {
  const file = readPickle(fixture("data_numpy2.pkl"), { floats: "tagged" }) as Raw;
  change(file, file.get("metadata") as Raw, file.get("sensor_data") as Raw);
  const path = `${folder}/changed.pkl`;
  Deno.writeFileSync(path, encodePickle(file));
  return readDataPkl(path);
}

Deno.test("ints, floats and NumPy scalars stand for each other where no digit is lost", () => {
  const { metadata, instruction } = changed((file, metadata) => {
    metadata.set("robot_hz", 100).set("action_hz", new NumpyScalar("int64", 10));
    metadata.set("num_actions", new NumpyScalar("int64", 3));
    metadata.set("num_robot_states", new PickleFloat(31));
    metadata.set("has_sensor", new NumpyScalar("bool", true));
    file.set("instruction", new NumpyScalar("U6", "insert"));
  });
  const { robotHz, actionHz, numActions, numRobotStates, hasSensor } = metadata;
  assert.deepEqual([robotHz, actionHz, numActions, numRobotStates, hasSensor], [
    100,
    10,
    3,
    31,
    true,
  ]);
  assert.equal(instruction, "insert");
});

Deno.test("keys that are not known are kept and written again", () => {
  const extra = changed((file, metadata) => {
    file.set("version", 2);
    metadata.set("note", new PickleFloat(1));
  });
  assert.deepEqual(extra.extra, new Map([["version", 2]]));
  assert.deepEqual(extra.metadata.extra, new Map([["note", new PickleFloat(1)]]));
  const path = `${folder}/extra.pkl`;
  writeDataPkl(path, extra);
  assert.deepEqual(readDataPkl(path), extra);
});

const floats = (shape: number[], length = shape.reduce((a, b) => a * b, 1)) => ({
  dtype: "float32",
  shape,
  data: new Float32Array(length),
});

Deno.test("what is missing, of another type or shape, or contradicts is named", () => {
  const wrong: readonly (readonly [Parameters<typeof changed>[0], RegExp])[] = [
    [(file) => file.delete("action"), /: action should be there, current value is missing/],
    [(file) => file.set("action", floats([3, 6])), /action .* \(N, 7\), .*float32 array \(3, 6\)/],
    [
      (file) => file.set("action", { dtype: "float64", shape: [3, 7], data: new Float64Array(21) }),
      /action .* \(N, 7\), .*float64 array \(3, 7\)/,
    ],
    [(file) => file.set("action", [1]), /action .*current value is list/],
    [(file) => file.set("image", []), /image should be a dict, .*list/],
    [(file) => file.set("image", { a: "x" }), /image\.a should be a list of str, .*"x"/],
    [
      (file) => file.set("image", { a: ["x", 1] }),
      /image\.a\[1\] should be a str, current value is 1/,
    ],
    [(file) => file.set("image", new Map([[1, []]])), /a key of image should be a str, .* 1/],
    [(file) => file.set("instruction", null), /instruction should be a str, .*None/],
    [(file) => file.set("sensor_data", 5), /sensor_data should be a dict, current value is 5/],
    [(file) => file.delete("sensor_data"), /sensor_data should be there/],
    [(file) => file.set("sensor_data", null), /metadata\.has_sensor should be false, .*true/],
    [(_file, _metadata, sensor) => sensor.delete("fpi"), /sensor_data\.fpi should be there/],
    [
      (_file, _metadata, sensor) => sensor.set("force", floats([2, 1])),
      /sensor_data\.force should be a float32 array \(3, 1\), .*\(2, 1\)/,
    ],
    [
      (_file, _metadata, sensor) => sensor.set("fpi", floats([3, 1024])),
      /sensor_data\.fpi should be a float32 array \(3, 1025\), .*\(3, 1024\)/,
    ],
    [(_, metadata) => metadata.delete("robot_hz"), /metadata\.robot_hz should be there/],
    [(_, metadata) => metadata.set("robot_hz", "fast"), /metadata\.robot_hz .*a number, .*"fast"/],
    [(_, metadata) => metadata.set("num_actions", 4), /metadata\.num_actions should be 3, .* 4/],
    [
      (_, metadata) => metadata.set("num_robot_states", 0.5),
      /metadata\.num_robot_states should be a whole number from 0, current value is 0\.5/,
    ],
    [(_, metadata) => metadata.set("has_sensor", 1), /metadata\.has_sensor should be a bool, .* 1/],
    [(file) => file.set("metadata", null), /metadata should be a dict, .*None/],
  ];
  for (const [change, message] of wrong) {
    assert.throws(() => changed(change), (error: Error) => {
      assert(error instanceof SyntaxError, `${error.stack}`);
      assert.match(error.message, message);
      assert.match(error.message, /^Cannot read .*changed\.pkl: /);
      return true;
    });
  }
  Deno.writeFileSync(`${folder}/list.pkl`, encodePickle([1]));
  assert.throws(() => readDataPkl(`${folder}/list.pkl`), /its value should be a dict, .*list/);
});

Deno.test("contradicting contents are not written", () => {
  const data = readDataPkl(fixture("data_numpy1.pkl"));
  const path = `${folder}/wrong.pkl`;
  const wrong: readonly (readonly [Partial<DataPkl>, RegExp])[] = [
    [{ action: new Float32Array(20) }, /action should be 7 numbers per row, .*20 numbers/],
    [{ sensorData: null }, /metadata\.has_sensor should be false, .*true/],
    [{ metadata: { ...data.metadata, numActions: 2 } }, /num_actions should be 3, .*2/],
    [{ metadata: { ...data.metadata, numRobotStates: 0.5 } }, /num_robot_states .*whole number/],
    [{ sensorData: { ...data.sensorData!, force: new Float32Array(2) } }, /force should be 3 rows/],
  ];
  for (const [change, message] of wrong) {
    assert.throws(() => writeDataPkl(path, { ...data, ...change }), (error: Error) => {
      assert(error instanceof RangeError);
      assert.match(error.message, message);
      return true;
    });
  }
  assert.throws(() => Deno.statSync(path), Deno.errors.NotFound);
});
