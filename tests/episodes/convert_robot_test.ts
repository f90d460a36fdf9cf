import assert from "node:assert/strict";
import { join } from "node:path";
import { writeRobotFiles } from "../../lib/episodes/convert/robot_files.ts";
import { writeRobotStates } from "../../lib/episodes/convert/robot_states.ts";
import { readNpz } from "../../lib/formats/npz_reader.ts";
import { range } from "./_logs.ts";
import { hasNumpy, python } from "./_python.ts";
import { writeRobotLog } from "./_recording_folder.ts";
import { temporaryFolder, temporaryPath } from "../_temporary.ts";

const TIMES = range(50, (k) => 1761551500 + k / 100);

function logFile(name = "robot_states.csv"): string {
  const path = temporaryPath(name);
  writeRobotLog(path, TIMES);
  return path;
}

Deno.test("a robot log becomes states, their halves and all clocks", () => {
  const log = logFile(), output = join(log, "..", "robot_states.npz");
  const { rows, remarks } = writeRobotStates(log, output);
  assert.deepEqual([rows, remarks], [50, []]);
  const arrays = readNpz(output);
  assert.deepEqual(
    Object.entries(arrays).map(([name, { dtype, shape }]) => [name, dtype, ...shape]),
    [
      ["robot_states", "float32", 50, 12],
      ["joints", "float32", 50, 6],
      ["poses", "float32", 50, 6],
      ["timestamps", "float64", 50],
      ["origin_timestamps", "float64", 50],
      ["send_timestamps", "float64", 50],
    ],
  );
  const state = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 49, 0, 300, 178, 20, 144].map(Math.fround);
  const last = (name: string, width: number) =>
    [...arrays[name]!.data as Float32Array].slice(-width);
  assert.deepEqual(last("robot_states", 12), state);
  assert.deepEqual(last("joints", 6), state.slice(0, 6));
  assert.deepEqual(last("poses", 6), state.slice(6));
  assert.deepEqual([...arrays.timestamps!.data as Float64Array], TIMES.map((t) => t + 0.0035));
  assert.deepEqual([...arrays.origin_timestamps!.data as Float64Array], TIMES);
  const values = 50 * (24 * 4 + 3 * 8);
  assert.ok(Deno.statSync(output).size < values / 2, "deflated");
});

Deno.test("another clock may give the time; the receiver's is kept beside it", () => {
  const log = logFile(), output = join(log, "..", "robot_states.npz");
  writeRobotStates(log, output, "origin");
  const { timestamps, recv_timestamps, origin_timestamps } = readNpz(output);
  assert.deepEqual([...timestamps!.data as Float64Array], TIMES);
  assert.deepEqual([...recv_timestamps!.data as Float64Array], TIMES.map((t) => t + 0.0035));
  assert.equal(origin_timestamps, undefined);
});

Deno.test("rows with blank cells and a torn last line are left out and said", () => {
  const log = logFile(), output = join(log, "..", "robot_states.npz");
  const lines = Deno.readTextFileSync(log).split("\r\n");
  lines[3] = lines[3]!.replace(",0.3,", ",,");
  Deno.writeTextFileSync(log, lines.slice(0, 20).join("\r\n").slice(0, -9));
  const { rows, remarks } = writeRobotStates(log, output);
  assert.equal(rows, 17);
  assert.match(remarks[0]!, /robot_states\.csv: 1 row has blank cells/);
  assert.match(remarks[1]!, /last line was cut short/);
  assert.equal((readNpz(output).poses!.data as Float32Array)[2 * 6], 3);
});

Deno.test("a log without the column or with a broken field names it, and leaves the old file", () => {
  const log = logFile(), output = join(log, "..", "robot_states.npz");
  Deno.writeTextFileSync(output, "old");
  const text = Deno.readTextFileSync(log);
  Deno.writeTextFileSync(log, text.replace("recv_timestamp", "time"));
  assert.throws(() => writeRobotStates(log, output), /robot_states\.csv.*recv_timestamp/);
  Deno.writeTextFileSync(log, text.replace(",0.2,0.3,", ",0.2,zero,"));
  assert.throws(() => writeRobotStates(log, output), /robot_states\.csv.*line 2, column 7/s);
  assert.equal(Deno.readTextFileSync(output), "old");
});

Deno.test("a tree is searched for both names, and goes beside or elsewhere", async () => {
  const root = temporaryFolder(), elsewhere = join(temporaryFolder(), "deep", "npz");
  const places = ["New_dataset/Red/episode_1", "New_dataset2/Red/data_collection_1"];
  for (const place of places) Deno.mkdirSync(join(root, place), { recursive: true });
  writeRobotLog(join(root, places[0]!, "robot_states.csv"), TIMES);
  writeRobotLog(join(root, places[1]!, "robot_state_20251108_065253.csv"), TIMES);
  for (const output of [root, elsewhere]) {
    const { files, failed } = await writeRobotFiles(root, output);
    assert.deepEqual(failed, []);
    const expected = places.map((place) => join(output, place, "robot_states.npz"));
    assert.deepEqual(files.map(({ path }) => path), expected);
    for (const { path, bytes, tensors } of files) {
      assert.deepEqual([Deno.statSync(path).size, tensors], [bytes, 6]);
    }
  }
});

Deno.test("outputs that are there are kept, unless they are to be replaced", async () => {
  const folder = join(logFile(), ".."), output = join(folder, "robot_states.npz");
  Deno.writeTextFileSync(output, "old");
  const { files, kept } = await writeRobotFiles(folder, folder);
  assert.deepEqual([files, kept], [[], [output]]);
  assert.equal(Deno.readTextFileSync(output), "old");
  const again = await writeRobotFiles(folder, folder, { overwrite: true });
  assert.deepEqual([again.files.length, again.kept], [1, []]);
});

Deno.test("two logs in one folder and damaged logs fail, the others are done", async () => {
  const root = temporaryFolder();
  for (const name of ["good", "twice", "torn"]) Deno.mkdirSync(join(root, name));
  writeRobotLog(join(root, "good", "robot_states.csv"), TIMES);
  writeRobotLog(join(root, "twice", "robot_states.csv"), TIMES);
  writeRobotLog(join(root, "twice", "robot_state_1.csv"), TIMES);
  Deno.writeTextFileSync(join(root, "torn", "robot_states.csv"), "recv_timestamp,joint_1");
  const { files, failed } = await writeRobotFiles(root, root);
  assert.deepEqual(files.map(({ path }) => path), [join(root, "good", "robot_states.npz")]);
  assert.equal(failed.length, 3);
  assert.match(failed[1]!.error, /twice.*only robot log of its folder/);
});

Deno.test("a folder without robot logs is an error that says what is looked for", async () => {
  await assert.rejects(writeRobotFiles(temporaryFolder(), "/nowhere"), {
    name: "SyntaxError",
    message: /robot_states\.csv, robot_state_\*\.csv or robot_rt_\*\.csv/,
  });
});

/** A `robot_rt_*.csv`: one clock, other names; joint k is k, the pose 10 to 15. */
function writeCaptureLog(path: string): void {
  const joints = [1, 2, 3, 4, 5, 6].map((k) => `joint_angle_${k}`);
  const pose = ["x", "y", "z", "a", "b", "r"].map((axis) => `EE_${axis}`);
  const rows = TIMES.map((time) => [time, 1, 2, 3, 4, 5, 6, 10, 11, 12, 13, 14, 15].join());
  Deno.writeTextFileSync(path, [["timestamp", ...joints, ...pose].join(), ...rows, ""].join("\n"));
}

const JOINT_LOG = "timestamp,JointPos_0,JointPos_1,JointPos_2,JointPos_3,JointPos_4,JointPos_5\n" +
  "1000,1,2,3,4,5,6\n";

Deno.test("a robot_rt_*.csv of older captures is converted, alone and in a tree", async () => {
  const root = temporaryFolder(), folder = join(root, "OCT_insertion", "Captures1");
  Deno.mkdirSync(folder, { recursive: true });
  const log = join(folder, "robot_rt_1761551500.000.csv"), output = join(root, "one.npz");
  writeCaptureLog(log);
  const { rows, arrays } = writeRobotStates(log, output);
  assert.deepEqual([rows, arrays], [50, ["robot_states", "joints", "poses", "timestamps"]]);
  const { robot_states, timestamps } = readNpz(output);
  const first = [...robot_states!.data as Float32Array].slice(0, 12);
  assert.deepEqual(first, [1, 2, 3, 4, 5, 6, 10, 11, 12, 13, 14, 15]);
  assert.deepEqual([...timestamps!.data as Float64Array], TIMES);
  assert.throws(() => writeRobotStates(log, output, "send"), /send_timestamp/);
  const { files } = await writeRobotFiles(root, root);
  assert.deepEqual(files.map(({ path }) => path), [join(folder, "robot_states.npz")]);
});

Deno.test("a log of mecademicpy holds no poses: refused alone, skipped with the others", async () => {
  const root = temporaryFolder(), log = join(root, "Meca500_trajectory.csv");
  Deno.writeTextFileSync(log, JOINT_LOG);
  assert.throws(() => writeRobotStates(log, join(root, "robot.npz")), {
    name: "SyntaxError",
    message: /Meca500_trajectory\.csv: it should hold joints and poses.*joints alone/,
  });
  await assert.rejects(writeRobotFiles(root, root), /Skipped .*trajectory\.csv.*but no poses/);
  Deno.writeTextFileSync(join(root, "notes.csv"), "a\n1\n");
  writeRobotLog(join(root, "robot_states.csv"), TIMES);
  const { files, failed, remarks } = await writeRobotFiles(root, root);
  assert.deepEqual([files.length, failed], [1, []]);
  assert.equal(remarks.length, 2);
  assert.match(remarks[0]!, /^Skipped .*trajectory\.csv: a log of mecademicpy/);
  assert.match(remarks[1]!, /^Skipped .*notes\.csv: no recorder's robot log by its name/);
});

Deno.test("NumPy opens it", { ignore: !hasNumpy() }, () => {
  const log = logFile(), output = join(log, "..", "robot_states.npz");
  writeRobotStates(log, output);
  const program = `
import csv, json, sys, zipfile
import numpy as np
rows = list(csv.DictReader(open(sys.argv[1])))
names = [f"joint_{k}" for k in range(1, 7)] + [f"pose_{a}" for a in "xyzabr"]
states = np.array([[float(row[name]) for name in names] for row in rows], np.float32)
data = np.load(sys.argv[2])
print(json.dumps([
    bool(np.array_equal(data["robot_states"], states)),
    bool(np.array_equal(data["timestamps"], [float(row["recv_timestamp"]) for row in rows])),
    all(i.compress_type == zipfile.ZIP_DEFLATED for i in zipfile.ZipFile(sys.argv[2]).infolist()),
]))`;
  assert.deepEqual(python(program, log, output), [true, true, true]);
});
