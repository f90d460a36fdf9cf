import assert from "node:assert/strict";
import { join } from "node:path";
import { CONVERSIONS } from "../../lib/episodes/convert/conversions.ts";
import { openEpisode } from "../../lib/episodes/episode.ts";
import { readDataPkl } from "../../lib/formats/data_pkl.ts";
import { readNpz } from "../../lib/formats/npz_reader.ts";
import { range } from "./_logs.ts";
import { recordingFolder, writeRobotLog, writeSensor } from "./_recording_folder.ts";
import { temporaryFolder, temporaryPath } from "../_temporary.ts";

const SCRIPT = new URL("../../scripts/convert.ts", import.meta.url).pathname;
const START = 1761551500;
const IMAGES = [0.25, 0.75, 1.25, 1.75].map((t) => `oak_1_${(START + t).toFixed(3)}.jpg`);

async function convert(...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", SCRIPT, ...args],
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

const recording = (options = {}) =>
  recordingFolder({
    robot: range(201, (k) => START + k / 100),
    images: { View5: IMAGES },
    sensor: range(780, (k) => START + k / 650),
  }, options);

Deno.test("convert --help lists every conversion and every flag", async () => {
  const { code, stdout } = await convert("--help");
  assert.equal(code, 0);
  const plain = stdout.replace(/\s+/g, " ");
  for (const { from, to, summary } of CONVERSIONS) {
    assert.ok(plain.includes(`${from} → ${to} ${summary}`), summary);
  }
  assert.ok(stdout.split("\n").every((line) => line.length <= 100), "lines of at most 100 columns");
  assert.match(plain, /up to 0\.2 s of rows at the end of the original recording are lost/);
  for (const flag of ["to", "overwrite", "clock", "max-diff-ms", "no-intervals", "compat"]) {
    assert.match(stdout, new RegExp(`--${flag}[^-]`));
  }
  assert.match(stdout, /nothing in trocar needs them/);
});

Deno.test("data.pkl becomes a container and back, and nothing is replaced unasked", async () => {
  const folder = temporaryPath("recv_all_20251027_170308");
  Deno.mkdirSync(folder);
  const fixtures = new URL("../../data-fixtures/episodes/", import.meta.url).pathname;
  Deno.copyFileSync(`${fixtures}/data_numpy2.pkl`, join(folder, "data.pkl"));
  const args = [join(folder, "data.pkl"), join(folder, "episode")];
  const { code, stdout, stderr } = await convert(...args, "--json");
  assert.equal(code, 0, stderr);
  const { input, output, tensors, bytes, remarks } = JSON.parse(stdout);
  assert.deepEqual([input, output], args);
  const files = [...Deno.readDirSync(output)];
  assert.equal(tensors, files.filter(({ name }) => name.endsWith(".npy")).length);
  const sizes = files.map(({ name }) => Deno.statSync(join(output, name)).size);
  assert.equal(bytes, sizes.reduce((a, b) => a + b));
  assert.match(remarks.join("\n"), /data\.pkl holds no times/);
  openEpisode(output).close();

  const again = await convert(...args);
  assert.equal(again.code, 1);
  assert.match(again.stderr, /episode: it is there already.*--overwrite/);
  assert.equal((await convert(...args, "--overwrite")).code, 0);

  const back = join(folder, "back.pkl");
  const exported = await convert(folder, back, "--json");
  assert.equal(exported.code, 0, exported.stderr);
  assert.deepEqual(readDataPkl(back).action, readDataPkl(args[0]!).action);
  assert.equal((await convert(output, back)).code, 1);
});

Deno.test("a robot CSV becomes a NPZ, of the clock asked for", async () => {
  const folder = temporaryFolder(), log = join(folder, "robot_states.csv");
  writeRobotLog(log, [1, 2, 3]);
  const output = join(folder, "made", "robot.npz");
  const { code, stdout } = await convert(log, output, "--clock", "origin", "--json");
  assert.equal(code, 0);
  assert.equal(JSON.parse(stdout).tensors, 6);
  assert.deepEqual([...readNpz(output).timestamps!.data as Float64Array], [1, 2, 3]);
  const text = await convert(folder, folder, "--to", "robot-npz");
  assert.equal(text.code, 0);
  assert.match(text.stdout, /robot_states\.npz +6 +\d+/);
  const kept = await convert(folder, folder, "--to", "robot-npz", "--json");
  assert.equal(kept.code, 0);
  assert.deepEqual(JSON.parse(kept.stdout).kept, [join(folder, "robot_states.npz")]);
});

Deno.test("raw sensor rows become windows and back", async () => {
  const folder = temporaryFolder(), raw = join(folder, "sensor_data_1.npz");
  writeSensor(raw, range(780, (k) => START + k / 650));
  const windows = join(folder, "sensor_data.npz"), back = join(folder, "back.npz");
  assert.equal((await convert(raw, windows)).code, 0);
  assert.deepEqual(readNpz(windows).data!.shape, [2, 650, 1026]);
  const taken = await convert(windows, back);
  assert.equal(taken.code, 0);
  assert.match(taken.stderr, /hold 780 rows.*up to 0\.2 s of rows at the end .* cannot come back/s);
  assert.deepEqual(readNpz(back).alines!.data, readNpz(raw).alines!.data);
  writeSensor(raw, range(649, (k) => START + k / 650));
  const { code, stderr } = await convert(raw, join(folder, "none.npz"));
  assert.equal(code, 1);
  assert.match(stderr, /at least 650 rows/);
});

Deno.test("folders of recordings are converted recording by recording", async () => {
  const name = "data_collection_20251108_065253";
  const folder = recording({ name, task: "Blue_point" });
  const root = join(folder, "..", ".."), output = temporaryPath("out");
  Deno.mkdirSync(join(root, "Red_point", "data_collection_20251108_070000"), { recursive: true });
  const windowed = await convert(root, root, "--to", "windowed", "--metadata", "--json");
  assert.equal(windowed.code, 1); // one recording is empty
  const { files, failed } = JSON.parse(windowed.stdout);
  assert.deepEqual(files.map((file: { path: string }) => file.path), [
    join(folder, "sensor_data.npz"),
    join(folder, "metadata.json"),
  ]);
  assert.match(failed[0].path, /Red_point/);
  assert.match(windowed.stderr, /warning: .*070000/);

  Deno.removeSync(join(root, "Red_point"), { recursive: true });
  const json = await convert(root, output, "--to", "interval-json", "--json");
  assert.equal(json.code, 0, json.stderr);
  const path = join(output, "Blue_point", name, `${name}_View5_oak_single.json`);
  const records = JSON.parse(Deno.readTextFileSync(path));
  assert.deepEqual([records.length, JSON.parse(json.stdout).tensors], [4, 4]);
  const image = join(path, "..", records[0].image);
  assert.equal(image, join(folder, "View5", `oak_1_${START}.250.jpg`));
});

const folder = temporaryFolder();
Deno.writeTextFileSync(join(folder, "notes.txt"), "");
Deno.writeTextFileSync(join(folder, "robot.csv"), "");
const WRONG: [args: string[], message: RegExp][] = [
  [["notes.txt", "notes.npz"], /no known conversion fits.*Known conversions:.*data\.pkl/s],
  [["robot.csv", "robot.pkl"], /no known conversion fits/],
  [["robot.csv"], /Argument OUTPUT is missing|missing/i],
  [[".", ".", "--to", "interval-jso"], /--to.*Did you mean "interval-json"/],
  [[".", "."], /--to/],
  [["robot.csv", "robot.npz", "--max-diff-ms", "-1"], /--max-diff-ms/],
];
for (const [args, message] of WRONG) {
  Deno.test(`wrong usage ends with 2: convert ${args.join(" ")}`, async () => {
    const paths = args.map((arg, k) => k < 2 && !arg.startsWith("-") ? join(folder, arg) : arg);
    const { code, stdout, stderr } = await convert(...paths, "--json");
    assert.deepEqual([code, stdout], [2, ""]);
    assert.match(stderr, message);
  });
}

Deno.test("INPUT that is not there ends with 1, as with inspect", async () => {
  for (const missing of ["missing.pkl", "notes.txt/below.pkl"]) {
    const { code, stderr } = await convert(join(folder, missing), join(folder, "episode"));
    assert.equal(code, 1);
    assert.match(stderr, /^error: .*\.pkl: there is no such file or folder\. Check the path\.\n$/);
  }
});

Deno.test("logs of mecademicpy among recordings are skipped with a remark", async () => {
  const root = join(recording({ name: "data_collection_1" }), "..", "..");
  const log = "timestamp,JointPos_0\n1,2\n";
  Deno.writeTextFileSync(join(root, "Meca500.csv"), log);
  const { code, stderr } = await convert(root, root, "--to", "windowed");
  assert.equal(code, 0, stderr);
  assert.match(stderr, /^Skipped .*Meca500\.csv: a log of mecademicpy/m);
});

Deno.test("damaged input ends with 1, names file and place, and leaves nothing", async () => {
  const path = join(folder, "robot_states.csv");
  writeRobotLog(path, [1, 2, 3]);
  Deno.writeTextFileSync(path, Deno.readTextFileSync(path).replace("300", "3oo"));
  const { code, stderr } = await convert(path, join(folder, "robot.npz"));
  assert.equal(code, 1);
  assert.match(stderr, /robot_states\.csv.*line 2, column 13/s);
  const npz = join(folder, "sensor_data_1.npz");
  Deno.writeTextFileSync(npz, "PK not really");
  const damaged = await convert(npz, join(folder, "sensor_data.npz"));
  assert.equal(damaged.code, 1);
  assert.match(damaged.stderr, /sensor_data_1\.npz at byte/);
  assert.ok(
    ![...Deno.readDirSync(folder)].some(({ name }) => /^(robot|sensor_data)\.npz$/.test(name)),
  );
});
