import assert from "node:assert/strict";
import { join } from "node:path";
import { writeSensorRows } from "../../lib/episodes/convert/sensor_rows.ts";
import { planWindows, writeSensorWindows } from "../../lib/episodes/convert/sensor_windows.ts";
import { writeWindowFiles } from "../../lib/episodes/convert/window_files.ts";
import { discoverRecordings } from "../../lib/episodes/discover.ts";
import { openNpz, readNpz } from "../../lib/formats/npz_reader.ts";
import { range } from "./_logs.ts";
import { recordingFolder, sensorValue, writeSensor } from "./_recording_folder.ts";
import { temporaryPath } from "../_temporary.ts";

const WIDTH = 1026;
const at650Hz = (count: number) => range(count, (k) => 1000 + k / 650);

function rawFile(count: number): string {
  const path = temporaryPath("sensor_data_20251108_065253.npz");
  writeSensor(path, at650Hz(count));
  return path;
}

for (const [rows, windows] of [[649, 0], [650, 1], [779, 1], [780, 2], [2000, 11], [11407, 83]]) {
  Deno.test(`${rows} rows at 650 Hz are ${windows} windows, 130 rows apart`, () => {
    const plan = planWindows(Float64Array.from(at650Hz(rows!)));
    assert.deepEqual(plan, { sensorHz: 650, step: 130, windows });
  });
}

Deno.test("the step follows the rate, and is never 0", () => {
  const step = (hz: number) => planWindows(Float64Array.from(range(700, (k) => k / hz))).step;
  assert.deepEqual([652, 654, 655, 100, 4, 0.1].map(step), [130, 130, 131, 20, 1, 1]);
});

Deno.test("without a usable rate 650 Hz is assumed", () => {
  for (const time of [[], [1], range(700, () => 5), [2, 1], [1, NaN]]) {
    assert.equal(planWindows(Float64Array.from(time)).sensorHz, 650);
  }
});

Deno.test("windows hold the rows that they say, dated by their last row", async () => {
  const input = rawFile(2000), output = join(input, "..", "sensor_data.npz");
  assert.equal((await writeSensorWindows(input, output)).windows, 11);
  using file = openNpz(output);
  assert.deepEqual(file.names, ["timestamps", "data"]);
  const ends = range(11, (j) => 649 + 130 * j);
  const time = file.read("timestamps", { dtype: "float64", shape: [11] }).data;
  assert.deepEqual([...time], ends.map((row) => 1000 + row / 650));
  const data = file.member("data", { dtype: "float32", shape: [11, 650, WIDTH] });
  const window = new Float32Array(650 * WIDTH);
  for (let j = 0; j < 11; j++) {
    data.readRowsInto(j, window);
    for (const row of [0, 1, 129, 130, 519, 520, 649]) {
      for (const channel of [0, 1, 512, 1025]) {
        assert.equal(window[row * WIDTH + channel], sensorValue(130 * j + row, channel));
      }
    }
  }
});

Deno.test("less rows than a window write nothing and leave what is there", async () => {
  const input = rawFile(649), output = join(input, "..", "sensor_data.npz");
  Deno.writeTextFileSync(output, "old");
  assert.equal((await writeSensorWindows(input, output)).windows, 0);
  assert.equal(Deno.readTextFileSync(output), "old");
});

Deno.test("rows come back from windows, each once, in order", async () => {
  const input = rawFile(650 + 130 * 4), folder = join(input, "..");
  await writeSensorWindows(input, join(folder, "sensor_data.npz"));
  const count = await writeSensorRows(join(folder, "sensor_data.npz"), join(folder, "back.npz"));
  assert.equal(count, 650 + 130 * 4);
  const raw = readNpz(input), back = readNpz(join(folder, "back.npz"));
  assert.deepEqual(back.forces!.data, raw.forces!.data);
  assert.deepEqual(back.alines!.data, raw.alines!.data);
  assert.deepEqual(back.alines!.shape, [count, 1025]);
  const time = back.timestamps!.data as Float64Array;
  at650Hz(count).forEach((expected, k) => assert.ok(Math.abs(time[k]! - expected) < 1e-6));
  assert.equal(back.send_timestamps, undefined);
});

Deno.test("an interrupted conversion leaves the old file and no other", async () => {
  const input = rawFile(1000), folder = join(input, "..");
  await writeSensorWindows(input, join(folder, "sensor_data.npz"));
  const before = Deno.readFileSync(join(folder, "sensor_data.npz"));
  const signal = AbortSignal.abort();
  const names = () => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
  const there = names();
  await assert.rejects(writeSensorWindows(input, join(folder, "sensor_data.npz"), signal), {
    name: "AbortError",
  });
  await assert.rejects(
    writeSensorRows(join(folder, "sensor_data.npz"), join(folder, "back.npz"), signal),
    { name: "AbortError" },
  );
  assert.deepEqual(Deno.readFileSync(join(folder, "sensor_data.npz")), before);
  assert.deepEqual(names(), there);
});

Deno.test("Ctrl-C is heard while windows are cut and rows taken out", async () => {
  const input = rawFile(5000), folder = join(input, ".."), output = join(folder, "out.npz");
  await writeSensorWindows(input, join(folder, "sensor_data.npz"));
  for (const run of [writeSensorWindows, writeSensorRows]) {
    const from = run === writeSensorWindows ? input : join(folder, "sensor_data.npz");
    await new Promise((done) => setTimeout(done, 60)); // events get their turn every 50 ms
    const controller = new AbortController();
    setTimeout(() => controller.abort());
    await assert.rejects(run(from, output, controller.signal), { name: "AbortError" });
  }
  assert.throws(() => Deno.statSync(output), Deno.errors.NotFound);
});

Deno.test("files of the other kind and damaged files are named", async () => {
  const input = rawFile(700), folder = join(input, ".."), output = join(folder, "out.npz");
  await writeSensorWindows(input, join(folder, "sensor_data.npz"));
  await assert.rejects(writeSensorWindows(join(folder, "sensor_data.npz"), output), {
    name: "SyntaxError",
    message: /sensor_data\.npz: it should hold rows .* windows already/,
  });
  await assert.rejects(writeSensorRows(input, output), {
    name: "SyntaxError",
    message: /065253\.npz: it should hold data .* rows already/,
  });
  const bytes = Deno.readFileSync(input);
  Deno.writeFileSync(input, bytes.subarray(0, bytes.length - 5000));
  await assert.rejects(writeSensorWindows(input, output), {
    name: "SyntaxError",
    message: /065253\.npz/,
  });
  assert.throws(() => Deno.statSync(output), Deno.errors.NotFound);
});

const COLLECTION = { name: "data_collection_20251108_065253", task: "Blue_point" };

function collection(): string {
  return recordingFolder({
    // 100 Hz with a pause of 30 s, which would halve a mean rate.
    robot: range(300, (k) => 1761551500 + k / 100 + (k > 200 ? 30 : 0)),
    images: {
      View5: ["OAK_1761551500.100.jpg", "OAK_1761551500.300.jpg"],
      View1: ["ZED_41182735_left_1761551500.100.jpg"],
    },
    sensor: range(780, (k) => 1761551500 + k / 650),
  }, COLLECTION);
}

Deno.test("metadata holds measured rates, sorted views and real counts", async () => {
  const folder = collection();
  const [found] = discoverRecordings([folder]).recordings;
  const { files } = await writeWindowFiles(found!, folder, { metadata: true });
  assert.deepEqual(files.map(({ path }) => path), [
    join(folder, "sensor_data.npz"),
    join(folder, "metadata.json"),
  ]);
  assert.deepEqual(JSON.parse(Deno.readTextFileSync(join(folder, "metadata.json"))), {
    episode_name: "data_collection_20251108_065253",
    start_time: 1761551500,
    end_time: 1761551532.99,
    camera_views: ["View1", "View5"],
    sensor_hz: 650,
    robot_hz: 100,
    sensor_window_size: 650,
    action_horizon: 8,
    action_dim: 7,
    camera_frames_count: 1,
    sensor_windows_count: 2,
    robot_states_count: 300,
  });
});

Deno.test("files that are there are kept; replaced metadata keeps what is not its own", async () => {
  const folder = collection();
  const [found] = discoverRecordings([folder]).recordings;
  const path = join(folder, "metadata.json");
  const own = { instruction: "insert", clock_offsets: { sensor: 0.04 }, robot_hz: 1 };
  Deno.writeTextFileSync(path, JSON.stringify(own));
  const { kept } = await writeWindowFiles(found!, folder, { metadata: true });
  assert.deepEqual(kept, [path]);
  assert.deepEqual(JSON.parse(Deno.readTextFileSync(path)), own);
  const again = await writeWindowFiles(found!, folder, { metadata: true, overwrite: true });
  assert.deepEqual([again.kept, again.files.length], [[], 2]);
  const { robot_hz, instruction, clock_offsets } = JSON.parse(Deno.readTextFileSync(path));
  assert.deepEqual([robot_hz, instruction, clock_offsets], [100, "insert", { sensor: 0.04 }]);
});

Deno.test("windows need a sensor file with rows, and a robot log before anything is written", async () => {
  const bare = recordingFolder({ robot: range(10) }, COLLECTION);
  const find = (folder: string) => discoverRecordings([folder]).recordings[0]!;
  await assert.rejects(writeWindowFiles(find(bare), bare), /should hold a sensor_data_.*none/);
  const folder = collection();
  Deno.removeSync(join(folder, "robot_state_20251027_170308.csv"));
  await assert.rejects(writeWindowFiles(find(folder), folder, { metadata: true }), /robot_state_/);
  assert.ok(![...Deno.readDirSync(folder)].some(({ name }) => name === "sensor_data.npz"));
});
