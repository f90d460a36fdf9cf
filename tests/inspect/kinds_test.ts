import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { writeNpy } from "../../lib/formats/npy.ts";
import { writeNpz } from "../../lib/formats/npz_writer.ts";
import { NumpyScalar } from "../../lib/formats/pickle_values.ts";
import { writePickle } from "../../lib/formats/pickle_writer.ts";
import { preprocess } from "../../lib/episodes/preprocess.ts";
import { inspect, KINDS } from "../../lib/inspect/mod.ts";
import { picture, START, tinyRecording } from "../episodes/_tiny_recording.ts";
import { sparseNpy, sparseNpz } from "./_sparse.ts";
import { temporaryFolder, temporaryPath } from "../_temporary.ts";

const at = (name: string) => temporaryPath(name);
const text = (name: string, contents: string) => {
  const path = at(name);
  Deno.writeTextFileSync(path, contents);
  return path;
};

Deno.test("npy: dtype, shape and bytes; a file of another name is known by its first bytes", async () => {
  for (const name of ["pose.npy", "pose.bin"]) {
    const path = at(name);
    writeNpy(path, { shape: [2, 3], data: new Float64Array(6) });
    const { kind, path: found, bytes, tensors, keys } = await inspect(path);
    assert.deepEqual([kind, found, bytes], ["npy", path, 128 + 48]);
    const label = name.replace(/\.npy$/, "");
    assert.deepEqual(tensors, [{ name: label, dtype: "float64", shape: [2, 3], bytes: 48 }]);
    assert.deepEqual(keys, [label]);
  }
});

Deno.test("npz: every array with its bytes in memory, stored or compressed", async () => {
  for (const compressed of [false, true]) {
    const path = at("a.npz");
    writeNpz(path, {
      flag: { dtype: "bool", data: new Uint8Array([1, 0]) },
      z: { dtype: "complex128", shape: [3], data: new Float64Array(6) },
      name: { data: ["ab", "c"] },
      one: { shape: [], data: new Float16Array(1) },
    }, { compressed });
    const { kind, tensors } = await inspect(path);
    assert.equal(kind, "npz");
    assert.deepEqual(tensors.map((tensor) => Object.values(tensor)), [
      ["flag", "bool", [2], 2],
      ["z", "complex128", [3], 48],
      ["name", "U2", [2], 16],
      ["one", "float16", [], 2],
    ]);
  }
});

Deno.test("files of gigabytes are described at once, in little memory", async () => {
  const npy = at("huge.npy"), npz = at("huge.npz");
  sparseNpy(npy, [1_250_000, 1000]);
  sparseNpz(npz, "alines", [900_000, 1025]);
  await inspect(npy); // loads the code
  const before = Deno.memoryUsage().rss, start = performance.now();
  const [first, second] = [await inspect(npy), await inspect(npz)];
  assert.ok(performance.now() - start < 2000, `${performance.now() - start} ms`);
  assert.ok(Deno.memoryUsage().rss - before < 32e6);
  assert.equal(first.bytes, 128 + 5e9);
  assert.deepEqual([first.tensors[0]!.bytes, second.tensors[0]!.bytes], [5e9, 900_000 * 4100]);
});

Deno.test("csv: header, columns and rows; small files are counted", async () => {
  const path = text("t.csv", "time,x,note\n0.00,1,start\n0.01,,\n0.02,inf,end\n");
  const { kind, keys, details, tensors } = await inspect(path);
  assert.equal(kind, "csv");
  assert.deepEqual(keys, ["time", "x", "note"]);
  assert.deepEqual(details, { columns: 3, rows: 3, rowsAreEstimated: false });
  assert.deepEqual(tensors.map(({ dtype, shape }) => [dtype, ...shape]), [
    ["float64", 3],
    ["float64", 3],
    ["text", 3],
  ]);
  const { tensors: [time, x, note] } = await inspect(path, { stats: true });
  assert.deepEqual([time!.statistics!.count, time!.statistics!.max], [3, 0.02]);
  assert.deepEqual([x!.statistics!.nan, x!.statistics!.infinite, x!.statistics!.mean], [1, 1, 1]);
  assert.equal(note!.statistics, null);
});

Deno.test("csv: rows of large files are estimated, and counted with statistics", async () => {
  const rows = 300_000;
  const lines = Array.from({ length: rows }, (_, k) => `${k},${(k * 0.5).toFixed(3)},${k % 7}`);
  const path = text("large.csv", ["a,b,c", ...lines, ""].join("\n"));
  const estimated = (await inspect(path)).details;
  assert.equal(estimated.rowsAreEstimated, true);
  assert.ok(Math.abs(Number(estimated.rows) / rows - 1) < 0.25, String(estimated.rows));
  const exact = await inspect(path, { stats: true });
  assert.deepEqual([exact.details.rows, exact.details.rowsAreEstimated], [rows, false]);
  assert.equal(exact.tensors[0]!.statistics!.max, rows - 1);
});

Deno.test("csv: robot logs are recognised by their columns", async () => {
  const log = await inspect(text("l.csv", "timestamp,JointPos_0\n1,2\n"));
  assert.equal(log.details.holds, "robot log of mecademicpy");
  const states = await inspect(text("s.csv", "recv_timestamp,pose_x\n1,2\n"));
  assert.equal(states.details.holds, "robot log");
});

Deno.test("pkl: types and keys of plain values, arrays by their path", async () => {
  const path = at("v.pkl");
  writePickle(path, {
    rate: new NumpyScalar("float64", 99.5),
    list: [1, "two", null],
    parts: [{ w: { dtype: "float32", shape: [2, 2], data: new Float32Array(4) } }],
  });
  const { kind, keys, tensors, details } = await inspect(path, { stats: true });
  assert.equal(kind, "pkl");
  assert.deepEqual(keys, ["rate", "list", "parts", "parts.0", "parts.0.w"]);
  assert.deepEqual(details.contents, {
    rate: "numpy.float64 99.5",
    list: "list of 3 (int, str, None)",
    parts: [{ w: "float32 array (2, 2)" }],
  });
  const { statistics, columns, ...tensor } = tensors[0]!;
  assert.deepEqual(columns?.map(({ count }) => count), [2, 2]);
  assert.deepEqual(tensor, { name: "parts.0.w", dtype: "float32", shape: [2, 2], bytes: 16 });
  assert.equal(statistics!.count, 4);
});

Deno.test("pkl: the data.pkl of an episode is recognised", async () => {
  const folder = tinyRecording({ layout: "captures", seconds: 1 });
  await preprocess([folder], { format: "data-pkl" });
  const { details, tensors } = await inspect(join(folder, "episode", "data.pkl"));
  assert.equal(details.holds, "data.pkl of an episode");
  assert.deepEqual([details.actions, details.hasSensor], [10, false]);
  assert.deepEqual(details.views, {
    View1_left: 5,
    View2_left: 5,
    View3_left: 5,
    View4_left: 5,
    View5: 5,
  });
  assert.deepEqual(tensors.map(({ name }) => name), ["action"]);
});

Deno.test("json: interval records, by view or by moment", async () => {
  const record = (k: number) => ({
    timestamp: START + k,
    robot_state: { timestamp: START, joint_angles: [], ee_pose: [] },
    time_diff_robot: 0.002 * k,
  });
  const single = await inspect(text(
    "a_single.json",
    JSON.stringify([0, 1, 2].map((k) => ({ ...record(k), image: "/a.jpg", sensor_interval: {} }))),
  ));
  assert.deepEqual(single.details, {
    holds: "interval records",
    records: 3,
    firstTime: START,
    lastTime: START + 2,
    views: 1,
    withSensorInterval: 3,
    largestTimeDifferenceToRobot: 0.004,
  });
  const precise = await inspect(text(
    "a_precise.json",
    JSON.stringify([{ ...record(0), images: { view1_left: "/a.jpg", view5_oak: "/b.jpg" } }]),
  ));
  assert.deepEqual(precise.details.views, ["view1_left", "view5_oak"]);
});

Deno.test("json: anything else by its outermost layers", async () => {
  const { keys, details } = await inspect(
    text("o.json", '{"a":1,"b":[[2],3],"c":{"d":{"e":null}}}'),
  );
  assert.deepEqual(keys, ["a", "b", "c"]);
  assert.deepEqual(details.shape, {
    a: "number",
    b: { length: 2, first: "list" },
    c: { d: "object" },
  });
  assert.equal((await inspect(text("n.json", "3"))).details.shape, "number");
  assert.equal((await inspect(text("e.json", "[]"))).details.shape, "empty list");
});

Deno.test("jpg: the header alone", async () => {
  const path = at("x.jpg");
  Deno.writeFileSync(path, picture(64, 36));
  const { kind, tensors } = await inspect(path);
  assert.equal(kind, "jpg");
  assert.deepEqual(tensors, [{ name: "x", dtype: "uint8", shape: [36, 64, 1], bytes: 64 * 36 }]);
});

Deno.test("damaged files are errors that name file and place", async () => {
  const cut = (name: string, bytes: Uint8Array | string, length: number) => {
    const path = at(name);
    Deno.writeFileSync(path, typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes);
    Deno.truncateSync(path, length);
    return path;
  };
  const npy = at("a.npy"), npz = at("a.npz"), pkl = at("a.pkl");
  writeNpy(npy, { data: new Float32Array(100) });
  writeNpz(npz, { a: { data: new Float32Array(100) } });
  writePickle(pkl, { a: [1, 2, 3] });
  const episode = temporaryFolder();
  Deno.writeTextFileSync(join(episode, "episode.json"), "{");
  const cases: [path: string, message: RegExp][] = [
    [cut("cut.npy", Deno.readFileSync(npy), 200), /cut\.npy at byte 128/],
    [cut("cut.npz", Deno.readFileSync(npz), 300), /cut\.npz at byte/],
    [cut("cut.pkl", Deno.readFileSync(pkl), 12), /cut\.pkl at byte/],
    [cut("cut.jpg", picture(), 27), /cut\.jpg at byte 27.*cut short/],
    [cut("cut.json", '{"a": [1, 2', 11), /cut\.json: it should be JSON/],
    [cut("cut.csv", "a,b\n1,2\n3", 9), /cut\.csv at line 3/],
    [cut("empty.csv", "", 0), /empty\.csv/],
    [cut("empty.npy", "", 0), /empty\.npy/],
    [
      text("hostile.pkl", "cposix\nsystem\n(S'echo hacked'\ntR."),
      /posix\.system.*Nothing was exec/,
    ],
    [episode, /episode\.json: it is no JSON/],
  ];
  for (const [path, message] of cases) {
    await assert.rejects(inspect(path), (error: Error) => {
      assert.equal(error.name, "SyntaxError", `${error.stack}`);
      assert.match(error.message, message);
      return true;
    }, path);
  }
});

Deno.test("what no kind knows is refused with a list of what is known", async () => {
  const path = text("notes.txt", "hello");
  await assert.rejects(inspect(path), (error: Error) => {
    assert.match(error.message, /notes\.txt: it should be of a known kind.*begins with 68 65 6c/);
    for (const { summary } of KINDS) assert.ok(error.message.includes(summary));
    return true;
  });
  await assert.rejects(inspect(join(dirname(path), "nowhere")), /no such file or folder/);
  await assert.rejects(inspect(join(path, "below")), /no such file or folder/);
});

Deno.test("statistics can be stopped", async () => {
  const path = at("huge.npy");
  sparseNpy(path, [1_000_000, 1000]);
  const signal = AbortSignal.timeout(100);
  await assert.rejects(inspect(path, { stats: true, signal }), { name: "TimeoutError" });
});

Deno.test("the kinds have different names, and claim by name and first bytes only", () => {
  assert.equal(new Set(KINDS.map(({ name }) => name)).size, KINDS.length);
  const nothing = { head: new Uint8Array(0), entries: [], isFolder: false, bytes: 0 };
  const claimed = (name: string) =>
    KINDS.find(({ claims }) => claims({ ...nothing, path: `/nowhere/${name}`, name }))?.name;
  const names = [
    "a.npy",
    "a.npz",
    "a.csv",
    "a.pkl",
    "a.json",
    "a.JPG",
    "a.pt",
    "a.safetensors",
    "a.xyz",
  ];
  assert.deepEqual(names.map(claimed), [
    ...["npy", "npz", "csv", "pkl", "json", "jpg", "pt", "safetensors"],
    undefined,
  ]);
});
