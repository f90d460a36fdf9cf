import assert from "node:assert/strict";
import {
  NumpyDtype,
  NumpyScalar,
  PickleFloat,
  PickleTuple,
  writeDataPkl,
  writePickle,
} from "../../lib/formats/mod.ts";
import { temporaryFolder } from "../_temporary.ts";

const SCRIPT = `
import pickle, sys, warnings
import numpy as np
warnings.simplefilter("error")
with open(sys.argv[1], "rb") as file:
    value = pickle.load(file)
data = value["float32"]
assert data.dtype == np.float32 and data.shape == (2, 3) and data.flags.writeable
assert data.tolist() == [[0, 1, 2], [3, 4, 5]], data
assert value["int64"].dtype == np.int64 and value["int64"].tolist() == [2**62, -1]
assert value["bool"].dtype == bool and value["bool"].shape == () and value["bool"]
assert value["texts"].tolist() == ["in", "out"] and value["texts"].dtype == "U3"
assert value["large"].shape == (100000,) and value["large"].sum() == 100000 * 0.5
assert type(value["rate"]) is np.float64 and value["rate"] == 99.5
assert type(value["complex"]) is np.complex64 and value["complex"] == 1 - 2j
assert value["dtype"] == np.dtype(">i2")
assert type(value["whole"]) is float and type(value["int"]) is int
assert value["tuple"] == (1, [2], (), {"x"}) and value["bigint"] == -2**100
assert value["text"] == "file\\udcff.jpg" and value["bytes"] == b"ab"
with open(sys.argv[2], "rb") as file:
    data = pickle.load(file)
assert list(data) == ["action", "image", "sensor_data", "instruction", "metadata"]
assert data["action"].shape == (2, 7) and data["action"].dtype == np.float32
assert data["sensor_data"]["fpi"].shape == (2, 1025) and data["sensor_data"]["force"].shape == (2, 1)
assert data["image"] == {"View5": ["/a.jpg"]} and data["instruction"] == "insert"
kinds = {key: type(item).__name__ for key, item in data["metadata"].items()}
assert kinds == dict(episode_name="str", robot_hz="float64", action_hz="float", num_actions="int",
    num_robot_states="int", duration_seconds="float64", has_sensor="bool"), kinds
print("fine with NumPy", np.__version__)
`;

/** Several Pythons may be given, for NumPy 1 and 2: `TROCAR_PYTHONS="python3 /venv/bin/python"`. */
const pythons = (Deno.env.get("TROCAR_PYTHONS") ?? "python3").split(" ");

for (const python of pythons) {
  const missing = reasonMissing(python);
  Deno.test({
    name: `${python} opens what is written, without warnings${missing && `: ${missing}`}`,
    ignore: missing !== "",
    fn: () => openWith(python),
  });
}

function reasonMissing(python: string): string {
  try {
    const { success } = new Deno.Command(python, { args: ["-c", "import numpy"] }).outputSync();
    return success ? "" : "it has no NumPy";
  } catch {
    return "it is not installed";
  }
}

function openWith(python: string): void {
  const folder = temporaryFolder();
  writePickle(`${folder}/values.pkl`, {
    float32: { dtype: "float32", shape: [2, 3], data: new Float32Array([0, 1, 2, 3, 4, 5]) },
    int64: { dtype: "int64", shape: [2], data: new BigInt64Array([2n ** 62n, -1n]) },
    bool: { dtype: "bool", shape: [], data: new Uint8Array([1]) },
    texts: { dtype: "U3", shape: [2], data: ["in", "out"] },
    large: { dtype: "float64", shape: [100_000], data: new Float64Array(100_000).fill(0.5) },
    rate: new NumpyScalar("float64", 99.5),
    complex: new NumpyScalar("complex64", [1, -2]),
    dtype: new NumpyDtype(">i2"),
    whole: new PickleFloat(2),
    int: 2,
    tuple: new PickleTuple([1, [2], new PickleTuple([]), new Set(["x"])]),
    bigint: -(2n ** 100n),
    text: "file\udcff.jpg",
    bytes: new Uint8Array([97, 98]),
  });
  writeDataPkl(`${folder}/data.pkl`, {
    action: new Float32Array(14),
    image: new Map([["View5", ["/a.jpg"]]]),
    sensorData: { force: new Float32Array(2), fpi: new Float32Array(2050) },
    instruction: "insert",
    metadata: {
      episodeName: "recv_all_1",
      robotHz: 100,
      actionHz: 10,
      numActions: 2,
      numRobotStates: 21,
      durationSeconds: 0.2,
      hasSensor: true,
    },
  });
  const { success, stdout, stderr } = new Deno.Command(python, {
    args: ["-c", SCRIPT, `${folder}/values.pkl`, `${folder}/data.pkl`],
  }).outputSync();
  assert(success, new TextDecoder().decode(stderr));
  assert.match(new TextDecoder().decode(stdout), /^fine with NumPy \d/);
}
