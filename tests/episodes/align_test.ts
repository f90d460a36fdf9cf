import assert from "node:assert/strict";
import { alignRecording, type Recording } from "../../lib/episodes/mod.ts";
import { sampleTable } from "../../lib/datasets/mod.ts";
import { alignmentReport } from "../../lib/episodes/report.ts";
import { log, range, rowsOf } from "./_logs.ts";

/** A recording in memory. */
function recording(
  robot: { time: Float64Array; state: Float32Array },
  parts: {
    images?: readonly number[];
    sensor?: readonly number[];
    offsets?: Recording["clockOffsets"];
  },
): Recording {
  return {
    name: "r",
    path: "r",
    layout: "recv-all",
    task: "t",
    instruction: "i",
    robot: {
      file: "r.csv",
      clock: "origin",
      recvTime: null,
      pose: "recorded",
      blankRows: 0,
      ...robot,
    },
    views: parts.images === undefined ? [] : [{
      name: "View5",
      folder: "View5",
      files: parts.images.map((time) => `oak_${time}.jpg`),
      time: Float64Array.from(parts.images),
      withoutTime: 0,
    }],
    sensor: parts.sensor === undefined ? null : {
      file: "s.npz",
      variant: "raw",
      time: Float64Array.from(parts.sensor),
      sendTime: null,
      lostInWindows: 0,
      readRowsInto() {},
      close() {},
    },
    clockOffsets: parts.offsets ?? {},
    findings: [],
    close() {},
  };
}

const second = log(range(101, (i) => 100 + i / 100));

Deno.test("each action sees the newest image at or before its start, with its age", () => {
  const aligned = alignRecording(recording(second, { images: [100.05, 100.1, 100.35] }));
  assert.deepEqual([...aligned.imageIndex], [-1, 1, 1, 1, 2, 2, 2, 2, 2, 2]);
  assert(Number.isNaN(aligned.imageAge[0]));
  assert(Math.abs(aligned.imageAge[3]! - 0.2) < 1e-6);
});

Deno.test("sensor windows are half open: (start - 0.1 s, start]", () => {
  const sensor = range(140, (k) => 99.8 + k / 100);
  const { sensor: found, actions } = alignRecording(recording(second, { sensor }));
  rowsOf(found!.range, 2).forEach(([from, end], k) => {
    const start = actions.time[2 * k]!;
    assert(found!.time[end! - 1]! <= start && found!.time[end!]! > start);
    assert(found!.time[from!]! > start - 0.1 && found!.time[from! - 1]! <= start - 0.1);
  });
});

Deno.test("offsets are subtracted: a clock 40 ms ahead is 40 ms behind afterwards", () => {
  const offsets = { sensor: 0.04, camera: -0.25 };
  const parts = { images: [100], sensor: range(140, (k) => 99.84 + k / 100) };
  const aligned = alignRecording(recording(second, { ...parts, offsets }));
  assert(Math.abs(aligned.sensor!.time[0]! - 99.8) < 1e-9);
  assert.equal(aligned.views[0]!.time[0], 100.25);
  assert.deepEqual(aligned.clockOffsets.sensor, { seconds: 0.04, source: "recorded" });
  const given = alignRecording(recording(second, { ...parts, offsets }), {
    clockOffsets: { camera: 0 },
  });
  assert.deepEqual(given.clockOffsets.camera, { seconds: 0, source: "given" });
  assert.equal(given.views[0]!.time[0], 100);
});

Deno.test("a clock set back by more than a second keeps the longest stretch and says so", () => {
  const time = [...range(60, (i) => 100 + i / 100), ...range(101, (i) => 50 + i / 100)];
  const input = recording(log(time), { images: [50] });
  const aligned = alignRecording(input);
  assert.equal(aligned.robotTime[0], 50);
  const report = alignmentReport(input, aligned, 0.1);
  assert.equal(report.robot.rejectedByClock, 60);
  assert.equal(report.robot.backwardJumps, 1);
  assert(
    report.findings.some(({ code, message }) =>
      code === "robot.backward" && message.includes("60 samples")
    ),
  );
});

Deno.test("the report counts three gaps, one wrap, two duplicates and a 40 ms offset", () => {
  const time = range(500, (i) => i / 100)
    .filter((_, i) => !(i >= 100 && i < 130) && !(i >= 200 && i < 203) && !(i >= 300 && i < 360));
  time.splice(50, 0, time[50]!);
  time.splice(400, 0, time[400]!);
  const pose = (_: number, t: number) => [0, 0, 0, t < 2.5 ? 179.5 : -179.5];
  const input = recording(log(time, pose), {
    images: [0],
    sensor: [0.04],
    offsets: { sensor: 0.04 },
  });
  const aligned = alignRecording(input);
  const { robot, clockOffsets } = alignmentReport(input, aligned, 0.1);
  assert.deepEqual(robot.gaps.map(({ lost }) => lost), [30, 3, 60]);
  assert.deepEqual([robot.angleWraps, robot.duplicates, robot.recorded], [1, 2, time.length]);
  assert.equal(clockOffsets.sensor.seconds, 0.04);
  assert(rowsOf(aligned.actions.action, 7).every((row) => Math.abs(row[3]!) <= 1.0001));
});

Deno.test("compat keeps times as recorded and angles raw", () => {
  const time = [0, 0, ...range(20, (i) => (i + 1) / 100)];
  const input = recording(log(time, (row) => [row, 0, 0, row < 5 ? 179 : -179]), { images: [0] });
  const aligned = alignRecording(input, { compat: true });
  assert.equal(aligned.robotTime.length, time.length);
  assert(rowsOf(aligned.actions.action, 7).some((row) => row[3] === -358));
});

Deno.test("where a clock was set back, samples of two moments are mixed: no sample comes from there", () => {
  // 3 s; after 1.5 s the clock is set back by 0.5 s and goes on.
  const time = range(301, (i) => 100 + (i <= 150 ? i : i - 50) / 100);
  const input = recording(log(time, (row) => [row]), { images: [100] });
  const aligned = alignRecording(input);
  const { overlaps } = aligned.robotClean;
  assert.equal(overlaps.length, 1);
  assert(Math.abs(overlaps[0]![0] - 101.01) < 1e-9 && Math.abs(overlaps[0]![1] - 101.5) < 1e-9);
  assert.equal(aligned.actions.segments, 3);
  const report = alignmentReport(input, aligned, 0.1);
  assert(report.findings.some(({ code }) => code === "robot.overlap"));
  const { episode, action, length } = sampleTable([{
    manifest: { name: "r", task: "t", instruction: "i", overlaps },
    actionTime: aligned.actions.time,
    segment: aligned.actions.segment,
  }], { horizon: 1 });
  assert(length > 0 && episode.length === length);
  for (const k of action) {
    const [start, end] = aligned.actions.time.subarray(2 * k, 2 * k + 2);
    assert(end! <= 101.01 + 1e-9 || start! >= 101.5 - 1e-9, `${start} to ${end}`);
  }
});

Deno.test("a row that merely arrived late is sorted in, and nothing else happens", () => {
  const time = range(301, (i) => 100 + i / 100);
  [time[100], time[101]] = [time[101]!, time[100]!];
  time.splice(200, 4, ...time.slice(200, 204).reverse());
  const { robotClean, actions } = alignRecording(recording(log(time), { images: [100] }));
  assert.deepEqual([robotClean.overlaps.length, actions.segments], [0, 1]);
  assert(robotClean.backwardJumps > 0);
});

Deno.test("a tolerance of half an action or more is refused", () => {
  const input = recording(second, { images: [100] });
  assert.throws(() => alignRecording(input, { actionHz: 200 }), /below 2.5 ms/);
  assert.doesNotThrow(() => alignRecording(input, { actionHz: 25, tolerance: 0.019 }));
});
