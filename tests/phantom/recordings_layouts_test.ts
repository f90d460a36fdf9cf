import assert from "node:assert/strict";
import { join } from "node:path";
import sharp from "sharp";
import { readNpz } from "../../lib/formats/npz_reader.ts";
import { recordPhantom } from "../../lib/phantom/mod.ts";
import { countByFolder, readJson, readLog, record } from "./_recording_files.ts";
import { handMadeSource, RASTER, START } from "./_recording_source.ts";
import { temporaryFolder } from "../_temporary.ts";

const S = "20251029_174740"; // START as recorders write it
const CLOCKS = "recv_timestamp,origin_timestamp,send_timestamp,";
const STATE = "joint_1,joint_2,joint_3,joint_4,joint_5,joint_6," +
  "pose_x,pose_y,pose_z,pose_a,pose_b,pose_r";

function checkReceiverLog(folder: string, file: string, force: string, polls: boolean) {
  const { header, rows } = readLog(folder, file);
  assert.equal(header, `${CLOCKS}${force},${STATE}`);
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

Deno.test("right eyes of a session lie beside the left ones", async () => {
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
    const state = [10, 2, 3, 4, 5, 80, 1.25, 47.5, 200, 177.05, 20, 144];
    assert.deepEqual(rows[10], [START + 0.1, ...state]);

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
    clock_offset_s: { robot: 0, camera: 0.1, sensor: -0.2, receiver: 0.125 },
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

Deno.test("the first seconds of an episode are those of the whole", async () => {
  const output = temporaryFolder();
  const write = async (name: string, seconds?: number) =>
    (await Array.fromAsync(
      recordPhantom({ output: `${output}/${name}`, layouts: ["needle"], raster: 40, seconds }),
    ))[0]!;
  const [part, whole] = [await write("part", 1.2), await write("whole")];
  assert.deepEqual([part.rows.robot, part.rows.sensor], [120, 911]);
  const log = (path: string) =>
    Deno.readTextFileSync(
      `${path}/${
        [...Deno.readDirSync(path)].map(({ name }) => name).find((name) => name.endsWith(".csv"))
      }`,
    );
  assert(log(whole.path).startsWith(log(part.path)));
});
