import assert from "node:assert/strict";
import { basename, dirname, join } from "node:path";
import { createNpzWriter, writeNpz } from "../../lib/formats/npz_writer.ts";
import { diagnoseData } from "../../lib/episodes/doctor/mod.ts";
import { preprocess } from "../../lib/episodes/preprocess.ts";
import type { Finding } from "../../lib/episodes/recording.ts";
import { type DoctorCase, testCases } from "./_doctor_cases.ts";
import {
  picture,
  START,
  type TinyLayout,
  type TinyOptions,
  tinyRecording,
  writeRawSensor,
  writeRobotCsv,
} from "./_tiny_recording.ts";
import { temporaryFolder } from "../_temporary.ts";

/** A second of recording without sensor is enough for most checks. */
const SMALL: TinyOptions = { layout: "captures", seconds: 1 };
const STATE = [1, 2, 3, 4, 5, 6, 150, 0, 300, 179, 20, 144];

for (const layout of ["recv-all", "captures", "new-dataset", "new-dataset2"] as const) {
  Deno.test(`a sound recording of the layout ${layout} has neither errors nor warnings`, async () => {
    const folder = tinyRecording({ layout });
    const { ok, findings, recordings } = await diagnoseData([dirname(dirname(folder))]);
    assert.ok(ok);
    assert.deepEqual(findings.filter(({ severity }) => severity !== "info"), []);
    const { path, errors, warnings, actions, robotHz, views } = recordings[0]!;
    assert.deepEqual([path, errors, warnings, actions], [folder, 0, 0, 30]);
    assert.ok(Math.abs(robotHz - 100) < 0.01);
    assert.equal(views.length, 5);
  });
}

const sensorFile = (folder: string) => join(folder, `sensor_data_20251027_170308_${START}.npz`);
const sensorTimes = (count: number) =>
  Float64Array.from({ length: count }, (_, i) => START + i / 650);
const firstImage = (folder: string, view = "view1/left") => {
  const names = [...Deno.readDirSync(join(folder, view))].map(({ name }) => name).sort();
  return join(folder, view, names[0]!);
};
const robotLog = (folder: string) => join(folder, `robot_rt_${START}.000.csv`);
const CASES: readonly DoctorCase[] = [
  {
    does: "a recording without a robot log",
    recording: SMALL,
    spoil: (folder) => Deno.removeSync(robotLog(folder)),
    severity: "error",
    code: "recording.unreadable",
    where: "Captures1",
    message: /robot_rt_\*\.csv, current value is none/,
  },
  {
    does: "a robot log of one row",
    recording: SMALL,
    spoil: (folder) => writeRobotCsv(robotLog(folder), [START], () => STATE, true),
    severity: "error",
    code: "robot.too-short",
    message: /at least 2 rows/,
  },
  {
    does: "a robot log that gives no actions",
    recording: { ...SMALL, robotHz: 8 },
    severity: "error",
    code: "robot.no-actions",
    message: /current value is none/,
  },
  {
    does: "a robot log of another rate",
    recording: { ...SMALL, robotHz: 80 },
    severity: "warning",
    code: "robot.rate",
    where: "robot_rt_",
    message: /100 ± 2 Hz, current value is 80\.00 Hz/,
  },
  {
    does: "a hole in the robot log",
    recording: SMALL,
    spoil: (folder) => {
      const times = Array.from({ length: 100 }, (_, row) => START + row / 100 + (row > 50 ? 1 : 0));
      writeRobotCsv(
        robotLog(folder),
        times,
        (row) => [...STATE.slice(0, 6), row, 0, 300, 1, 2, 3],
        true,
      );
    },
    severity: "warning",
    code: "robot.gaps",
    message: /1 gap/,
  },
  {
    does: "a pose that never changes",
    recording: { ...SMALL, state: () => STATE },
    severity: "warning",
    code: "robot.frozen",
    message: /the same in all 101 rows/,
  },
  {
    does: "a robot at rest in the end",
    recording: {
      ...SMALL,
      seconds: 2.5,
      state: (row) => [...STATE.slice(0, 6), Math.min(row, 100), ...STATE.slice(7)],
    },
    severity: "info",
    code: "robot.idle-tail",
    message: /at rest for the last 1\.50 s/,
  },
  {
    does: "an image that was cut short",
    recording: SMALL,
    spoil: (folder) => Deno.truncateSync(firstImage(folder), 27),
    severity: "error",
    code: "image.damaged",
    where: "view1/left/zed_",
    message: /View1_left: 1 of 5 images damaged \(zed_/,
  },
  {
    does: "an image that is none",
    recording: SMALL,
    spoil: (folder) => Deno.writeTextFileSync(firstImage(folder), "no image"),
    severity: "error",
    code: "image.damaged",
    message: /ff d8/,
  },
  {
    does: "an image of another size",
    recording: SMALL,
    spoil: (folder) => Deno.writeFileSync(firstImage(folder), picture(32, 18)),
    severity: "warning",
    code: "image.sizes",
    where: "view1/left/zed_",
    message: /16×9 \(4 images\), 32×18 \(1 image\)/,
  },
  {
    does: "a camera without images",
    recording: { ...SMALL, cameras: [1, 2, 4] },
    severity: "warning",
    code: "view.missing",
    where: "Captures1",
    message: /no images of View3/,
  },
  {
    does: "a camera that does not keep its rate",
    recording: {
      ...SMALL,
      seconds: 6,
      cameraTime: (time, frame) => time + (frame % 3 === 0 ? 0.05 : 0),
    },
    severity: "warning",
    code: "view.unsteady",
    where: "view1/left",
    message:
      /should keep its rate of 5\.\d\d Hz within 10 %, current value is off by more in 6\d %/,
  },
  {
    does: "cameras whose clock is an hour ahead",
    recording: { ...SMALL, cameraOffset: 3600 },
    severity: "error",
    code: "clock.disjoint",
    where: "view1/left",
    message: /3599\.050 s apart.*--clock-offset camera=SECONDS/,
  },
  {
    does: "a sensor whose clock is a minute late",
    recording: { layout: "new-dataset2", seconds: 1, sensorOffset: -60 },
    severity: "error",
    code: "clock.disjoint",
    where: ".npz",
    message: /--clock-offset sensor=SECONDS/,
  },
  {
    does: "cameras that ran half of the time",
    recording: { ...SMALL, cameraOffset: -0.6 },
    severity: "warning",
    code: "clock.overlap",
    message: /together for 0\.2\d\d s only/,
  },
  {
    does: "a clock offset nobody recorded",
    recording: SMALL,
    spoil: (folder) => Deno.removeSync(join(folder, "clock_offsets.json")),
    severity: "info",
    code: "clock.assumed",
    message: /0 is assumed/,
  },
  {
    does: "a sensor of another rate",
    recording: { layout: "new-dataset2", seconds: 1, sensorHz: 500 },
    severity: "warning",
    code: "sensor.rate",
    where: "sensor_data_",
    message: /650 ± 32\.5 Hz, current value is (500\.00|499\.9\d) Hz/,
  },
  {
    does: "a sensor file that was cut short",
    recording: { layout: "new-dataset2", seconds: 1 },
    spoil: (folder) => Deno.truncateSync(sensorFile(folder), 100_000),
    severity: "error",
    code: "sensor.damaged",
    message: /sensor_data_/,
  },
  {
    does: "a sensor file whose packed rows are damaged",
    recording: { layout: "new-dataset2", seconds: 1 },
    spoil: (folder) => damagePackedRows(sensorFile(folder)),
    severity: "error",
    code: "sensor.damaged",
    where: ".npz",
    message: /alines/,
  },
  {
    does: "an A-line that is not a number",
    recording: {
      layout: "new-dataset2",
      seconds: 1,
      sensorValue: (row, c) => c === 7 && row === 12 ? NaN : row + c,
    },
    severity: "error",
    code: "sensor.values",
    where: "row 12",
    message: /A-line value 6 should be a finite number, current value is NaN/,
  },
  {
    does: "a force that is infinite",
    recording: {
      layout: "new-dataset2",
      seconds: 1,
      sensorValue: (row, c) => c === 0 && row === 0 ? Infinity : row + c,
    },
    severity: "error",
    code: "sensor.values",
    message: /The force should be a finite number, current value is Infinity/,
  },
  {
    does: "a force that is always 0",
    recording: {
      layout: "new-dataset2",
      seconds: 1,
      sensorValue: (row, c) => c === 0 ? 0 : row + c,
    },
    severity: "warning",
    code: "sensor.constant",
    message: /The force should change, current value is 0 in all/,
  },
  {
    does: "A-lines that are always 0",
    recording: { layout: "new-dataset2", seconds: 1, sensorValue: (row, c) => c === 0 ? row : 0 },
    severity: "warning",
    code: "sensor.constant",
    message: /The A-line should change/,
  },
  {
    does: "a sensor file without rows",
    recording: { layout: "new-dataset2", seconds: 1 },
    spoil: (folder) => writeRawSensor(sensorFile(folder), new Float64Array(0), () => 0),
    severity: "warning",
    code: "sensor.empty",
    message: /no rows/,
  },
  {
    does: "sensor times that are not numbers",
    recording: { layout: "new-dataset2", seconds: 1 },
    spoil: (folder) => {
      const time = sensorTimes(650);
      time[3] = time[4] = NaN;
      writeRawSensor(sensorFile(folder), time, (row, c) => row + c);
    },
    severity: "warning",
    code: "sensor.without-time",
    message: /^2 rows/,
  },
  {
    does: "sensor times that go back",
    recording: { layout: "new-dataset2", seconds: 1 },
    spoil: (folder) => {
      const time = sensorTimes(650);
      time[30]! -= 0.1;
      writeRawSensor(sensorFile(folder), time, (row, c) => row + c);
    },
    severity: "warning",
    code: "sensor.backward",
    message: /went back 1 time/,
  },
  {
    does: "a sensor file with fewer forces than A-lines",
    recording: { layout: "new-dataset2", seconds: 1 },
    spoil: (folder) =>
      writeNpz(sensorFile(folder), {
        timestamps: { data: new Float64Array(3) },
        forces: { data: new Float32Array(2) },
        alines: { data: new Float32Array(3 * 1025), shape: [3, 1025] },
      }),
    severity: "error",
    code: "sensor.damaged",
    message: /forces should be \(3,\)/,
  },
  {
    does: "what a killed process left behind",
    recording: SMALL,
    spoil: (folder) => Deno.mkdirSync(join(folder, ".episode.partial-1-abc")),
    severity: "info",
    code: "leftover.partial",
    where: ".episode.partial-1-abc",
    message: /killed/,
  },
];

function damagePackedRows(path: string): void {
  {
    using writer = createNpzWriter(path, { compressed: true });
    const time = sensorTimes(650);
    writer.add("timestamps", { data: time });
    writer.add("forces", { data: Float32Array.from(time, (_, row) => row) });
    const alines = Float32Array.from({ length: 650 * 1025 }, (_, i) => Math.sin(i));
    writer.add("alines", { data: alines, shape: [650, 1025] });
    writer.close();
  }
  const bytes = Deno.readFileSync(path);
  bytes.fill(0xff, bytes.length >> 1, (bytes.length >> 1) + 400);
  Deno.writeFileSync(path, bytes);
}

testCases(CASES);

/** Recordings of one task; each has its own options. */
function family(layout: TinyLayout, members: readonly TinyOptions[]): string {
  const root = temporaryFolder();
  const names = ["Captures1", "Captures2", "Captures3"];
  members.forEach((member, k) => {
    const name = layout === "captures" ? names[k]! : `data_collection_20251027_17030${k}`;
    tinyRecording({ layout, root, seconds: 1, name, ...member });
  });
  return root;
}

/** Gives a recording the right eye of a camera. */
function addRightEye(root: string, name: string): void {
  const folder = join(root, "OCT_insertion", name, "view2/right");
  Deno.mkdirSync(folder);
  Deno.writeFileSync(join(folder, `zed_41182732_right_${START}.500.jpg`), picture());
}

Deno.test("view.mixed: a view that most other recordings of the task have", async () => {
  const root = family("captures", [{}, {}, {}]);
  addRightEye(root, "Captures1");
  addRightEye(root, "Captures2");
  const { findings } = await diagnoseData([root]);
  const found = findings.filter(({ code }) => code === "view.mixed");
  assert.deepEqual(found.map(({ where }) => basename(where)), ["Captures3"]);
  assert.match(
    found[0]!.message,
    /images of View2_right, as most other recordings of OCT_insertion/,
  );
});

Deno.test("a view that only one of three recordings has is not missing in the others", async () => {
  const root = family("captures", [{}, {}, {}]);
  addRightEye(root, "Captures1");
  const { findings } = await diagnoseData([root]);
  assert.deepEqual(findings.filter(({ code }) => code === "view.mixed"), []);
});

Deno.test("sensor.mixed: a task in which one recording lacks the sensor", async () => {
  const root = family("new-dataset2", [{}, { hasSensor: false }]);
  const { findings } = await diagnoseData([root]);
  const [found, ...more] = findings.filter(({ code }) => code === "sensor.mixed");
  assert.deepEqual(more, []);
  assert.match(found!.message, /1 have it, 1 do not \(data_collection_20251027_170301\)/);
});

Deno.test("data.none: folders that hold nothing, or are not there", async () => {
  const empty = temporaryFolder();
  const { ok, findings } = await diagnoseData([empty, join(empty, "nowhere")]);
  assert.equal(ok, false);
  assert.deepEqual(findings.map(({ severity, code, where }) => [severity, code, where]), [
    ["error", "data.none", empty],
    ["error", "data.none", join(empty, "nowhere")],
  ]);
});

Deno.test("a damaged recording does not hide what is wrong with the next one", async () => {
  const root = family("captures", [{}, { state: () => STATE }]);
  Deno.removeSync(robotLog(join(root, "OCT_insertion", "Captures1")));
  const { findings, recordings } = await diagnoseData([root]);
  const codes = findings.map(({ code }) => code);
  assert.ok(codes.includes("recording.unreadable") && codes.includes("robot.frozen"));
  assert.deepEqual(recordings.map(({ errors, warnings }) => [errors, warnings]), [[1, 0], [0, 1]]);
});

Deno.test("a damaged sensor file: no actions, and what preprocess does", async () => {
  const spoils = [(path: string) => Deno.truncateSync(path, 100_000), damagePackedRows];
  for (const spoil of spoils) {
    const folder = tinyRecording({ layout: "new-dataset2", seconds: 1 });
    spoil(sensorFile(folder));
    const { findings, recordings } = await diagnoseData([folder]);
    const [{ severity, message }, ...more] = findings.filter(({ code }) =>
      code === "sensor.damaged"
    ) as [Finding, ...Finding[]];
    assert.deepEqual([severity, more.length], ["error", 0]);
    assert.match(message, /--drop-damaged-sensor\. Until then preprocess refuses the recording\.$/);
    assert.ok(!message.includes("is made without"));
    assert.equal(recordings[0]!.actions, 0);
    const [outcome] = await preprocess([folder], { output: temporaryFolder() });
    assert.equal(outcome!.ok, false);
  }
});

Deno.test("quick leaves the bytes of images alone", async () => {
  const folder = tinyRecording(SMALL);
  Deno.truncateSync(firstImage(folder), 27);
  assert.equal((await diagnoseData([folder])).ok, false);
  assert.equal((await diagnoseData([folder], { quick: true })).ok, true);
});

Deno.test("an aborted signal ends the work", async () => {
  const folder = tinyRecording(SMALL);
  await assert.rejects(diagnoseData([folder], { signal: AbortSignal.abort() }), {
    name: "AbortError",
  });
});

Deno.test("the doctor changes nothing", async () => {
  const folder = tinyRecording({ layout: "new-dataset", seconds: 1.5 });
  const list = () =>
    [...Deno.readDirSync(folder)].map(({ name }) => {
      const { mtime, size } = Deno.statSync(join(folder, name));
      return [name, mtime?.getTime(), size];
    });
  const before = list();
  await diagnoseData([folder]);
  assert.deepEqual(list(), before);
});
