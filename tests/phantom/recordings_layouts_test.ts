import assert from "node:assert/strict";
import { join } from "node:path";
import sharp from "sharp";
import { readNpz } from "../../lib/formats/npz.ts";
import { parseFaults } from "../../lib/phantom/recordings/fault.ts";
import { LAYOUT_TRAITS, type LayoutName, LAYOUTS } from "../../lib/phantom/recordings/layout.ts";
import { writeRecording } from "../../lib/phantom/recordings/write_recording.ts";
import { handMadeSource, RASTER, type SourceOptions, START } from "./_recording_source.ts";

const S = "20251029_174740"; // START as recorders write it
const COUNTERS = "recv_timestamp,origin_timestamp,send_timestamp,";
const STATE = "joint_1,joint_2,joint_3,joint_4,joint_5,joint_6," +
  "pose_x,pose_y,pose_z,pose_a,pose_b,pose_r";

async function record(layout: LayoutName, inject = "", options: SourceOptions = {}, extra = {}) {
  const root = Deno.makeTempDirSync();
  const source = handMadeSource({ seconds: 3, ...options });
  const faults = parseFaults(inject);
  const written = await writeRecording(root, source, { layout, faults, ...extra });
  return { ...written, root, source, files: filesBelow(written.path) };
}

function filesBelow(folder: string, prefix = ""): string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) =>
    isDirectory ? filesBelow(join(folder, name), `${prefix}${name}/`) : [prefix + name]
  ).sort();
}

/** How many files there are of each name, digits of times and serials left out. */
function countByFolder(files: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const file of files) {
    const folder = file.includes("/") ? file.slice(0, file.lastIndexOf("/")) : file;
    counts[folder] = (counts[folder] ?? 0) + 1;
  }
  return counts;
}

const readText = (folder: string, file: string) => Deno.readTextFileSync(join(folder, file));
const readJson = (folder: string, file: string) => JSON.parse(readText(folder, file));

/** A log by hand: header, and rows of numbers; an empty cell is NaN. */
function readLog(folder: string, file: string) {
  const lines = readText(folder, file).split("\r\n");
  assert.equal(lines.pop(), "", "the last line ends as the others do");
  assert.ok(!lines.join("").includes("\n"));
  const rows = lines.slice(1).map((line) =>
    line.split(",").map((cell) => cell === "" ? NaN : Number(cell))
  );
  return { header: lines[0]!, rows };
}

function checkReceiverLog(folder: string, file: string, force: string, polls: boolean) {
  const { header, rows } = readLog(folder, file);
  assert.equal(header, `${COUNTERS}${force},${STATE}`);
  assert.equal(rows.length, 301);
  const { robot } = handMadeSource({ seconds: 3 });
  for (const [k, row] of rows.entries()) {
    assert.equal(row.length, 16);
    assert.equal(row[1], robot.origin[k]);
    assert.equal(row[2], robot.time[k]);
    assert.equal(row[3], 0);
    assert.deepEqual(row.slice(4, 10), [...robot.joints.subarray(6 * k, 6 * k + 6)]);
    const pose = [...robot.pose.subarray(6 * k, 6 * k + 6)].map(Math.fround);
    assert.deepEqual(row.slice(10), pose);
    assert.ok(row[0]! > row[2]! + 0.125 && row[0]! < row[2]! + 0.16);
  }
  const received = new Set(rows.map(([recv]) => recv)).size;
  assert.ok(polls ? received < 151 : received === 301);
}

function checkRawSensor(folder: string, file: string) {
  const arrays = readNpz(join(folder, file));
  assert.deepEqual(Object.keys(arrays), ["timestamps", "send_timestamps", "forces", "alines"]);
  const { timestamps, send_timestamps: sent, forces, alines } = arrays as Record<
    string,
    { dtype: string; shape: number[]; data: Float64Array }
  >;
  const { time } = handMadeSource({ seconds: 3 }).sensor!;
  assert.deepEqual([timestamps!.dtype, sent!.dtype], ["float64", "float64"]);
  assert.deepEqual([forces!.dtype, alines!.dtype], ["float32", "float32"]);
  assert.deepEqual(alines!.shape, [time.length, 1025]);
  assert.deepEqual(timestamps!.data, time);
  for (let row = 0; row < time.length; row++) {
    assert.equal(forces!.data[row], row);
    assert.equal(alines!.data[1025 * row], row + 1);
    assert.equal(alines!.data[1025 * row + 1024], row + 1025);
    const last = Math.min(15 * Math.floor(row / 15) + 14, time.length - 1);
    assert.ok(sent!.data[row]! > time[last]! && sent!.data[row]! < time[last]! + 0.001);
  }
}

for (
  const [layout, folder] of [
    ["white-silicone", "White_silicone_white_circle"],
    ["needle", "Needle_insertion_eye_trocar"],
  ] as const
) {
  Deno.test(`${layout} is a sensor session below ${folder}`, async () => {
    const { root, path, files } = await record(layout);
    assert.equal(path, join(root, folder, `recv_all_${S}`));
    assert.deepEqual(countByFolder(files), {
      "View1/left": 15,
      "View2/left": 15,
      "View3/left": 15,
      "View4/left": 15,
      View5: 15,
      [`robot_state_${S}.csv`]: 1,
      [`sensor_data_${S}_${START - 1}.npz`]: 1,
      "truth.json": 1,
    });
    assert.ok(files.includes("View1/left/zed_41182735_left_1761760059.800.jpg"));
    assert.ok(files.includes("View4/left/zed_49045152_left_1761760060.030.jpg"));
    assert.ok(files.includes("View5/oak_1944301011169A4800_1761760060.240.jpg"));
    checkReceiverLog(path, `robot_state_${S}.csv`, "force_placeholder", true);
    checkRawSensor(path, `sensor_data_${S}_${START - 1}.npz`);
  });
}

Deno.test("right eyes of a session lie beside the left ones and see something else", async () => {
  const { files, path } = await record("needle", "right-eyes");
  assert.equal(
    files.filter((file) => file.startsWith("View3/right/zed_44377151_right_")).length,
    15,
  );
  assert.ok(!files.some((file) => file.startsWith("View5/right")));
  assert.ok(readJson(path, "truth.json").injected["right-eyes"]);
});

for (
  const [layout, folder, name] of [
    ["oct", "OCT_insertion", "Captures3"],
    ["part1", "part1", "ZED_Captures_3th"],
  ] as const
) {
  Deno.test(`${layout} is a capture without sensor, matched by JSON`, async () => {
    const { root, path, files, source } = await record(layout, "", {}, { number: 3 });
    assert.equal(path, join(root, folder, name));
    const views = [1, 2, 3, 4].flatMap((v) => [`view${v}/left`, `view${v}/right`]);
    assert.deepEqual(countByFolder(files), {
      ...Object.fromEntries([...views, "view5_oak"].map((view) => [view, 15])),
      [`robot_rt_${START}.000.csv`]: 1,
      ...Object.fromEntries(
        [...views, "view5/oak"].map((view) => [`${name}_${view.replace("/", "_")}_single.json`, 1]),
      ),
      [`${name}_precise_9views.json`]: 1,
      "truth.json": 1,
    });
    const { header, rows } = readLog(path, `robot_rt_${START}.000.csv`);
    const angles = [1, 2, 3, 4, 5, 6].map((i) => `joint_angle_${i}`);
    assert.equal(header, `timestamp,${angles},EE_x,EE_y,EE_z,EE_a,EE_b,EE_r`);
    assert.equal(rows.length, 301);
    assert.deepEqual(rows[10], [
      START + 0.1,
      10,
      2,
      3,
      4,
      5,
      -10,
      1.25,
      -2.5,
      200,
      177.05,
      20,
      144,
    ]);

    const single = readJson(path, `${name}_view2_right_single.json`);
    assert.equal(single.length, 14); // the frame before the first robot row has no match
    assert.deepEqual(Object.keys(single[0]), [
      "timestamp",
      "image",
      "robot_state",
      "time_diff_robot",
    ]);
    assert.equal(single[0].timestamp, START + 0.01);
    assert.deepEqual(single[0].robot_state.joint_angles, [1, 2, 3, 4, 5, 89]);
    assert.deepEqual(single[0].robot_state.ee_pose, [...source.robot.pose.subarray(6, 12)]);
    assert.ok(single[0].time_diff_robot < 1e-6);
    assert.equal(single[0].image, join(path, "view2/right/zed_49429257_right_1761760060.010.jpg"));

    const precise = readJson(path, `${name}_precise_9views.json`);
    assert.equal(precise.length, 14);
    const keys = Object.keys(precise[0].images);
    assert.equal(keys.length, 9);
    assert.ok(keys.every((key) => /^view[1-5]_(left|right|oak)$/.test(key)));
    for (const image of Object.values<string>(precise[5].images)) assert.ok(Deno.statSync(image));
  });
}

Deno.test("new-dataset holds windows of 650 rows, pictures by microsecond, and metadata", async () => {
  const { root, path, files, source } = await record("new-dataset", "", {
    offsets: { camera: 0.1, sensor: -0.2 },
  });
  assert.equal(path, join(root, "New_dataset/Red_point", `episode_${S}`));
  const images = [1, 2, 3, 4, 5].map((v) => [`images/View${v}`, 15] as const);
  assert.deepEqual(countByFolder(files), {
    ...Object.fromEntries(images),
    "metadata.json": 1,
    "robot_states.csv": 1,
    "sensor_data.npz": 1,
  });
  assert.ok(files.includes("images/View2/1761760059.910000.jpg"));
  checkReceiverLog(path, "robot_states.csv", "force", true);

  const metadata = readJson(path, "metadata.json");
  const { timestamps, data } = readNpz(join(path, "sensor_data.npz")) as unknown as Record<
    string,
    { dtype: string; shape: number[]; data: Float64Array }
  >;
  const windows = metadata.sensor_windows_count;
  assert.equal(windows, 11); // the first after 44 datagrams, then after 9 each: 44 + 10 * 9 <= 138
  assert.deepEqual([timestamps!.dtype, data!.dtype], ["float64", "float32"]);
  assert.deepEqual(timestamps!.shape, [windows]);
  assert.deepEqual(data!.shape, [windows, 650, 1026]);
  const time = source.sensor!.time;
  for (let w = 0; w < windows; w++) {
    const last = time.indexOf(timestamps!.data[w]!);
    assert.ok(last >= 649 && (last % 15 === 14 || last === time.length - 1));
    for (const row of [0, 1, 300, 649]) {
      const force = data!.data[(w * 650 + row) * 1026]!;
      assert.equal(force, last - 649 + row);
      assert.equal(data!.data[(w * 650 + row) * 1026 + 1025], force + 1025);
    }
    if (w > 0) assert.ok(timestamps!.data[w]! - timestamps!.data[w - 1]! >= 0.2);
  }

  const { start_time, end_time, camera_views, truth, clock_offsets, ...rest } = metadata;
  assert.deepEqual(rest, {
    episode_name: `episode_${S}`,
    sensor_hz: 650,
    robot_hz: 100,
    sensor_window_size: 650,
    action_horizon: 8,
    action_dim: 7,
    camera_frames_count: 0,
    sensor_windows_count: 11,
    robot_states_count: 301,
  });
  assert.ok(start_time > START - 9.1 && start_time < START && end_time > START + 3);
  assert.deepEqual([...camera_views].sort(), ["View1", "View2", "View3", "View4", "View5"]);
  assert.deepEqual(clock_offsets, { camera: 0.1, sensor: -0.2 });
  assert.deepEqual(truth, {
    generator: "trocar phantom",
    seed: 7,
    task: "Red_point",
    start_time: START,
    h: 4,
    lost_rows: 0,
    clock_offset_s: { camera: 0.1, sensor: -0.2, receiver: 0.125 },
    layout: "new-dataset",
    injected: {},
  });
});

Deno.test("new-dataset2 holds raw rows and prefixed pictures without an images folder", async () => {
  const { root, path, files } = await record("new-dataset2");
  assert.equal(path, join(root, "New_dataset2/Red_point", `data_collection_${S}`));
  assert.deepEqual(countByFolder(files), {
    ...Object.fromEntries([1, 2, 3, 4, 5].map((v) => [`View${v}`, 15])),
    [`robot_state_${S}.csv`]: 1,
    [`sensor_data_${S}.npz`]: 1,
    "truth.json": 1,
  });
  assert.ok(files.includes("View3/ZED_44377151_left_1761760059.820.jpg"));
  assert.ok(files.includes("View5/OAK_1761760059.840.jpg"));
  checkReceiverLog(path, `robot_state_${S}.csv`, "force_placeholder", false);
  checkRawSensor(path, `sensor_data_${S}.npz`);
});

Deno.test("pictures are baseline JPEG of the raster", async () => {
  const { path } = await record("new-dataset2");
  const bytes = Deno.readFileSync(join(path, "View2/ZED_49429257_left_1761760060.210.jpg"));
  const { info, data } = await sharp(bytes).raw().toBuffer({ resolveWithObject: true });
  assert.deepEqual([info.width, info.height, info.channels], [...RASTER, 3]);
  assert.ok(data.every((value) => Math.abs(value - 12) <= 2)); // camera 1, frame 2
  assert.ok(bytes.some((byte, at) => byte === 0xff && bytes[at + 1] === 0xc0)); // SOF0
});

Deno.test("measured clock offsets are recorded where clocks differ, unless left out", async () => {
  const offsets = { camera: 0.1, sensor: -0.2 };
  const beside = await record("needle", "clock-offset=0.04", { offsets });
  assert.deepEqual(readJson(beside.path, "clock_offsets.json"), { camera: 0.1, sensor: -0.16 });
  const unknown = await record("needle", "", { offsets }, { recordsClockOffsets: false });
  assert.ok(!unknown.files.includes("clock_offsets.json"));
  assert.equal(readJson(unknown.path, "truth.json").clock_offset_s.sensor, -0.2);
  const one = await record("new-dataset");
  assert.ok(!("clock_offsets" in readJson(one.path, "metadata.json")));
});

Deno.test("the same episode gives the same bytes", async () => {
  for (const layout of LAYOUTS) {
    const [a, b] = [await record(layout, "golden"), await record(layout, "golden")];
    assert.deepEqual(a.files, b.files);
    for (const file of a.files) {
      if (file.endsWith(".json")) {
        const [left, right] = [a, b].map(({ root, path }) =>
          readText(path, file).replaceAll(root, "")
        );
        assert.equal(left, right);
      } else {
        const [left, right] = [a, b].map(({ path }) => Deno.readFileSync(join(path, file)));
        assert.deepEqual(left, right, `${layout} ${file}`);
      }
    }
  }
});

Deno.test("the golden faults are in the files, and what is not shown is not claimed", async () => {
  for (const layout of LAYOUTS) {
    const { path, files, injected, rows: counts } = await record(layout, "golden");
    const log = files.find((file) => file.endsWith(".csv"))!;
    const { rows } = readLog(path, log);
    const column = layout === "oct" || layout === "part1" ? 0 : 2;
    const steps = rows.slice(1).map((row, k) => row[column]! - rows[k]![column]!);
    assert.equal(steps.filter((step) => step > 0.05).length, 3);
    assert.equal(steps.filter((step) => step === 0).length, 2);
    const a = rows[0]!.length - 3;
    const wraps = rows.slice(1).filter((row, k) => Math.abs(row[a]! - rows[k]![a]!) > 180);
    assert.equal(wraps.length, 1);
    assert.equal(rows.length, counts.robot);
    assert.equal(counts.robot, 301 - injected.gap!.lost! + 2);
    assert.equal("clock-offset" in injected, LAYOUT_TRAITS[layout].hasSensor);
    const facts = files.includes("truth.json")
      ? readJson(path, "truth.json")
      : readJson(path, "metadata.json").truth;
    assert.deepEqual(facts.injected, injected);
  }
});

Deno.test("missing streams are missing, and the rest is whole", async () => {
  const { files, path, rows } = await record(
    "new-dataset",
    "missing-sensor,missing-view=View3,missing-view=View5",
  );
  assert.ok(!files.includes("sensor_data.npz"));
  assert.ok(!files.some((file) => /View[35]/.test(file)));
  assert.deepEqual(rows, { robot: 301, sensor: 0, images: 45 });
  const { camera_views, truth, sensor_windows_count } = readJson(path, "metadata.json");
  assert.deepEqual([...camera_views].sort(), ["View1", "View2", "View4"]);
  assert.equal(sensor_windows_count, 0);
  assert.deepEqual(truth.injected["missing-view"], {
    count: 2,
    places: [{ view: "View3" }, { view: "View5" }],
  });
});

Deno.test("a sensor shorter than a window leaves no file", async () => {
  const { path, files } = await record("new-dataset", "", { seconds: 0.7 });
  assert.ok(!files.includes("sensor_data.npz"));
  assert.equal(readJson(path, "metadata.json").sensor_windows_count, 0);
});

Deno.test("files that are cut short are as long as the truth says", async () => {
  const { path, injected, files } = await record(
    "needle",
    "truncated-sensor=0.6,truncated-csv=0.5,truncated-image=0.3:2",
  );
  const sensor = injected["truncated-sensor"]!;
  assert.equal(Deno.statSync(join(path, sensor.places![0]!.file!)).size, sensor.bytes);
  assert.equal(sensor.bytes, Math.floor(0.6 * sensor.bytesBefore!));
  assert.throws(() => readNpz(join(path, sensor.places![0]!.file!)), SyntaxError);
  const log = injected["truncated-csv"]!;
  const text = readText(path, log.places![0]!.file!);
  assert.equal(text.length, log.bytes);
  assert.equal(text.split("\r\n").length - 2, log.rows); // header, and the torn row
  assert.notEqual(text.split("\r\n").at(-1), "");
  const whole = (await record("needle")).path;
  const images = injected["truncated-image"]!.places!;
  assert.equal(images.length, 2);
  for (const { file } of images) {
    assert.ok(files.includes(file!));
    const [size, before] = [path, whole].map((folder) => Deno.statSync(join(folder, file!)).size);
    assert.equal(size, Math.floor(0.3 * before!));
    await assert.rejects(sharp(join(path, file!)).raw().toBuffer());
  }
});

Deno.test("blank cells are where the truth says, and only there", async () => {
  for (
    const [layout, log] of [["oct", `robot_rt_${START}.000.csv`], [
      "new-dataset",
      "robot_states.csv",
    ]] as const
  ) {
    const { path, injected } = await record(layout, "blank-cell:3");
    const { header, rows } = readLog(path, log);
    const blank = rows.flatMap((row, k) => row.flatMap((cell, c) => isNaN(cell) ? [[k, c]] : []));
    const columns = header.split(",");
    assert.deepEqual(
      injected["blank-cell"]!.places!.map(({ row, column }) => [row, columns.indexOf(column!)]),
      blank,
    );
    assert.equal(blank.length, 3);
  }
});

Deno.test("a folder that this program did not write is only replaced by force", async () => {
  const root = Deno.makeTempDirSync();
  const write = (force: boolean) =>
    writeRecording(root, handMadeSource({ seconds: 1.5 }), { layout: "oct", force });
  const target = join(root, "OCT_insertion/Captures1");
  Deno.mkdirSync(target, { recursive: true });
  Deno.writeTextFileSync(join(target, "precious.txt"), "mine");
  await assert.rejects(write(false), /Captures1: this program should have written what stands/);
  assert.equal(readText(target, "precious.txt"), "mine");
  await write(true);
  assert.ok(!filesBelow(target).includes("precious.txt"));
  await write(false); // its own it replaces
});

Deno.test("a recording that is stopped leaves nothing", async () => {
  const root = Deno.makeTempDirSync();
  const controller = new AbortController();
  let pictures = 0;
  const writing = writeRecording(root, handMadeSource(), {
    layout: "new-dataset2",
    signal: controller.signal,
    onImage: () => ++pictures === 7 && controller.abort(new Error("enough")),
  });
  await assert.rejects(writing, /enough/);
  assert.deepEqual(filesBelow(root), []);
});
