import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import type { ConvertOptions } from "../../lib/episodes/convert/conversion.ts";
import { writeIntervalFiles } from "../../lib/episodes/convert/interval_files.ts";
import { nearestRow } from "../../lib/episodes/convert/nearest_row.ts";
import { discoverRecordings } from "../../lib/episodes/discover.ts";
import { range } from "./_logs.ts";
import { recordingFolder } from "./_recording_folder.ts";
import { temporaryPath } from "../_temporary.ts";

fc.configureGlobal({ seed: 1 }); // the same cases each time

interface JsonRecord {
  timestamp: number;
  image: string;
  robot_state: { timestamp: number; joint_angles: number[]; ee_pose: number[] };
  time_diff_robot: number;
  sensor_interval?: { start: number; end: number; duration: number };
}

const NAME = "recv_all_20251027_170308";
const ROBOT = range(301, (i) => 100 + 0.01 * i);
const zed = (time: number) => `zed_41182735_left_${time.toFixed(3)}.jpg`;
const SIX = [100.503, 101.006, 101.5, 102.014, 102.52, 103.02];

const convert = (folder: string, options: ConvertOptions = {}, output = folder) =>
  writeIntervalFiles(discoverRecordings([folder]).recordings[0]!, output, options);

const records = (folder: string, viewKey: string): JsonRecord[] =>
  JSON.parse(Deno.readTextFileSync(join(folder, `${NAME}_${viewKey}_single.json`)));

const near = (found: number, expected: number) =>
  assert.ok(Math.abs(found - expected) < 1e-9, `${found} is not ${expected}`);

Deno.test("the nearest row is found; a tie goes to the later, and ends are ends", () => {
  const time = Float64Array.of(0, 0.5, 1);
  const cases = [[0.25, 1], [0.24, 0], [0.26, 1], [0.75, 2], [0.5, 1], [-3, 0], [7, 2]];
  for (const [moment, row] of cases) assert.equal(nearestRow(time, moment!), row, `${moment}`);
  assert.equal(nearestRow(new Float64Array(), 1), -1);
});

Deno.test("the nearest row is the one that looking at all rows finds", () => {
  const grid = fc.integer({ min: -20, max: 20 });
  fc.assert(fc.property(fc.uniqueArray(grid, { minLength: 1 }), grid, (times, moment) => {
    const time = Float64Array.from(times, (each) => each / 4).sort();
    let best = 0;
    time.forEach((each, row) => {
      if (Math.abs(each - moment / 4) <= Math.abs(time[best]! - moment / 4)) best = row;
    });
    assert.equal(nearestRow(time, moment / 4), best);
  }));
});

Deno.test("images are matched within 10 ms, and intervals reach back to the image before", () => {
  const folder = recordingFolder({ robot: ROBOT, images: { "View1/left": SIX.map(zed) } });
  const { files, remarks } = convert(folder);
  assert.deepEqual(files.map(({ tensors }) => tensors), [5]);
  assert.match(remarks.join(), /View1_left_single\.json: 1 image has no robot row/);
  const found = records(folder, "View1_left");
  assert.deepEqual(found.map(({ timestamp }) => timestamp), SIX.slice(0, 5));
  const matched = [100.5, 101.01, 101.5, 102.01, 102.52];
  found.forEach(({ robot_state, time_diff_robot, timestamp }, k) => {
    near(robot_state.timestamp, matched[k]!);
    near(time_diff_robot, Math.abs(matched[k]! - timestamp));
    assert.equal(robot_state.ee_pose[0], Math.round((matched[k]! - 100) * 100));
    assert.deepEqual(robot_state.joint_angles, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6].map(Math.fround));
  });
  near(found[0]!.sensor_interval!.start, 99.9996);
  near(found[0]!.sensor_interval!.duration, 0.5034);
  assert.deepEqual(found[1]!.sensor_interval, {
    start: 100.503,
    end: 101.006,
    duration: 101.006 - 100.503,
  });
});

Deno.test("an interval begins at the image before, also if that has no record", () => {
  const robot = ROBOT.filter((time) => time < 100.9 || time > 101.2);
  const folder = recordingFolder({ robot, images: { View5: SIX.map((t) => `oak_1_${t}.jpg`) } });
  convert(folder);
  const found = records(folder, "View5_oak");
  assert.deepEqual(found.map(({ timestamp }) => timestamp), [100.503, 101.5, 102.014, 102.52]);
  assert.equal(found[1]!.sensor_interval!.start, 101.006);
});

Deno.test("a difference of exactly the limit counts", () => {
  const images = { View5: ["oak_1_0.75.jpg", "oak_1_1.5.jpg", "oak_1_2.25.jpg"] };
  const folder = recordingFolder({ robot: [0, 0.5, 1], images });
  convert(folder, { maxDifference: 0.5 });
  const found = records(folder, "View5_oak");
  assert.deepEqual(found.map((each) => each.robot_state.timestamp), [1, 1]);
  assert.deepEqual(found.map((each) => each.time_diff_robot), [0.25, 0.5]);
});

Deno.test("without intervals there is none, and one image is enough", () => {
  const images = { View5: ["oak_1_100.500.jpg"], "View1/left": SIX.map(zed) };
  const folder = recordingFolder({ robot: ROBOT, images });
  assert.match(convert(folder).remarks.join(), /View5_oak_single\.json is not written/);
  const other = join(folder, "without");
  convert(folder, { intervals: false }, other);
  assert.equal(records(other, "View5_oak").length, 1);
  assert.deepEqual(
    records(other, "View1_left"),
    records(folder, "View1_left").map(({ sensor_interval: _, image, ...each }) => {
      return { ...each, image: `../${image}` };
    }).map(({ timestamp, image, ...each }) => ({ timestamp, image, ...each })),
  );
});

Deno.test("image paths are relative to the file, or absolute", () => {
  const folder = recordingFolder({ robot: ROBOT, images: { "View1/left": SIX.map(zed) } });
  convert(folder);
  assert.equal(records(folder, "View1_left")[0]!.image, `View1/left/${zed(SIX[0]!)}`);
  convert(folder, { absolutePaths: true, overwrite: true });
  assert.equal(records(folder, "View1_left")[0]!.image, join(folder, "View1/left", zed(SIX[0]!)));
});

Deno.test("a disordered log is put in order first, as the reference does not", () => {
  const robot = [...ROBOT];
  [robot[50], robot[150]] = [robot[150]!, robot[50]!];
  const images = { View5: [100.503, 100.6].map((t) => `oak_1_${t}.jpg`) };
  const folder = recordingFolder({ robot, images });
  convert(folder);
  const matched = () =>
    records(folder, "View5_oak").map(({ robot_state: { ee_pose } }) => ee_pose[0]);
  assert.deepEqual(matched(), [150, 60]); // the rows that have these times
  convert(folder, { compat: true, overwrite: true });
  assert.deepEqual(matched(), [150]); // a binary search is misled by row 150
});

Deno.test("images are ordered by time, in compat by name, where no interval comes of it", () => {
  const names = ["oak_1_100.5.jpg", "oak_1_99.9.jpg", "oak_1_101.jpg"];
  const robot = range(301, (i) => 99 + 0.01 * i);
  const folder = recordingFolder({ robot, images: { View5: names } });
  convert(folder);
  const times = (of = folder) => records(of, "View5_oak").map(({ timestamp }) => timestamp);
  assert.deepEqual(times(), [99.9, 100.5, 101]);
  assert.throws(() => convert(folder, { compat: true, overwrite: true }), {
    name: "SyntaxError",
    message: /View5\/oak_1_.*jpg a sensor interval: .* Without --compat/,
  });
  const other = join(folder, "without");
  convert(folder, { compat: true, intervals: false }, other);
  assert.deepEqual(times(other), [100.5, 101, 99.9]);
});

Deno.test("recorded clock offsets move matching and intervals, not the image's own time", () => {
  const folder = recordingFolder({ robot: ROBOT, images: { "View1/left": SIX.map(zed) } });
  const offsets = { camera: 0.5, sensor: 2 };
  Deno.writeTextFileSync(join(folder, "clock_offsets.json"), JSON.stringify(offsets));
  convert(folder);
  const found = records(folder, "View1_left");
  assert.equal(found.length, 6); // 103.02 is 102.52 to the robot
  near(found[0]!.robot_state.timestamp, 100);
  assert.equal(found[0]!.timestamp, 100.503);
  near(found[1]!.sensor_interval!.start, 102.003);
  near(found[1]!.sensor_interval!.end, 102.506);
  convert(folder, { compat: true, overwrite: true });
  assert.equal(records(folder, "View1_left").length, 5);
});

Deno.test("compat looks at the views that the reference's programs look at", () => {
  const three = (prefix: string) => [100.1, 100.2, 100.3].map((t) => `${prefix}_${t}00.jpg`);
  const folder = recordingFolder({
    robot: ROBOT,
    images: {
      "View1/left": three("zed"),
      View1: three("other"),
      View2: three("zed"),
      View5: three("oak"),
      View6: three("zed"),
    },
  });
  const keys = (options: ConvertOptions) =>
    convert(folder, options, temporaryPath("out")).files
      .map(({ path }) => /308_(.*)_single/.exec(path)![1]);
  assert.deepEqual(keys({}), ["View1", "View1_left", "View2", "View5_oak", "View6"]);
  assert.deepEqual(keys({ compat: true }), ["View1_left", "View2", "View5_oak"]);
  assert.deepEqual(keys({ compat: true, intervals: false }), ["View1_left", "View5_oak"]);
});

Deno.test("files of the other kind are not silently replaced, nor kept", () => {
  const folder = recordingFolder({ robot: ROBOT, images: { "View1/left": SIX.map(zed) } });
  convert(folder);
  const before = records(folder, "View1_left");
  assert.throws(() => convert(folder, { intervals: false }), {
    name: "AlreadyExists",
    message: /View1_left_single\.json: it is there already, with sensor intervals.*without/,
  });
  assert.deepEqual(records(folder, "View1_left"), before);
  assert.deepEqual(convert(folder).kept, [join(folder, `${NAME}_View1_left_single.json`)]);
  const { remarks } = convert(folder, { intervals: false, overwrite: true });
  assert.match(remarks.join("\n"), /View1_left_single\.json had sensor intervals before/);
  assert.equal(records(folder, "View1_left")[0]!.sensor_interval, undefined);
});

Deno.test("older captures have the keys of their lower-case folders", () => {
  const folder = recordingFolder({ images: { "view5_oak": SIX.map((t) => `oak_1_${t}.jpg`) } }, {
    name: "Captures1",
    task: "OCT_insertion",
  });
  const columns = [1, 2, 3, 4, 5, 6].map((k) => `joint_angle_${k}`)
    .concat(["x", "y", "z", "a", "b", "r"].map((axis) => `EE_${axis}`));
  const rows = ROBOT.map((time) => `${time},1,2,3,4,5,6,190,0,308,0,90,0`);
  Deno.writeTextFileSync(
    join(folder, "robot_rt_100.000.csv"),
    [`timestamp,${columns}`, ...rows, ""].join("\n"),
  );
  const { files } = convert(folder);
  assert.deepEqual(files.map(({ path }) => path), [
    join(folder, "Captures1_view5_oak_single.json"),
  ]);
});

Deno.test("damaged images get no record, and it is said", () => {
  const folder = recordingFolder({ robot: ROBOT, images: { "View1/left": SIX.map(zed) } });
  Deno.truncateSync(join(folder, "View1/left", zed(SIX[1]!)), 20);
  const { remarks } = convert(folder);
  assert.equal(records(folder, "View1_left").length, 4);
  assert.match(remarks.join("\n"), /View1_left: 1 image left out/);
});

Deno.test("a recording without images or log is an error that names it", () => {
  const folder = recordingFolder({ robot: ROBOT });
  assert.throws(() => convert(folder), /recv_all_20251027_170308: it should hold images/);
});
