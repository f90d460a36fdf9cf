import assert from "node:assert/strict";
import fc from "fast-check";
import { simulateEpisode } from "../../lib/phantom/episode.ts";
import { applyFaults } from "../../lib/phantom/recordings/_apply_faults.ts";
import { createTake } from "../../lib/phantom/recordings/_take.ts";
import { FAULTS, parseFaults } from "../../lib/phantom/recordings/fault.ts";
import { PHANTOM_LAYOUT_TRAITS } from "../../lib/phantom/recordings/layout.ts";
import { handMadeSource, START } from "./_recording_source.ts";

fc.configureGlobal({ seed: 1 }); // the same cases each time

function inject(list: string, seed = 7) {
  const take = createTake(handMadeSource({ seed }), PHANTOM_LAYOUT_TRAITS["white-silicone"]);
  const injected = applyFaults(take, parseFaults(list));
  return { ...take, injected };
}

const steps = (time: Float64Array) => Array.from(time.subarray(1), (t, k) => t - time[k]!);
const wraps = (pose: Float64Array) => {
  const a = Array.from({ length: pose.length / 6 }, (_, row) => pose[6 * row + 3]!);
  return steps(Float64Array.from(a)).filter((step) => Math.abs(step) > 180).length;
};
const seeds = fc.integer({ min: 0, max: 2 ** 32 - 1 });

Deno.test("without faults a recording is the episode itself", () => {
  const source = handMadeSource();
  const { robot, sensor, cameras, injected } = inject("");
  assert.deepEqual(injected, {});
  assert.deepEqual(robot.send, source.robot.time);
  assert.deepEqual(robot.pose, source.robot.pose);
  assert.deepEqual(sensor!.time, source.sensor!.time);
  assert.deepEqual(cameras.map(({ time }) => time), source.cameras.map(({ time }) => time));
});

Deno.test("the golden set is 3 gaps, 2 duplicates, 1 wrap, a sensor 40 ms ahead, and no more", () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      const { robot, sensor, cameras, injected, clockOffsets } = inject("golden", seed);
      const found = steps(robot.send);
      const gaps = found.filter((step) => step > 0.05);
      assert.equal(gaps.length, 3);
      assert.ok(gaps.every((step) => step >= 0.3 && step < 0.33));
      assert.equal(found.filter((step) => step === 0).length, 2);
      assert.ok(found.every((step) => step >= 0));
      assert.equal(wraps(robot.pose), 1);
      const source = handMadeSource();
      sensor!.time.forEach((time, row) => {
        assert.ok(Math.abs(time - source.sensor!.time[row]! - 0.04) < 1e-6);
      });
      assert.deepEqual(clockOffsets, { camera: 0, sensor: 0.04 });
      assert.deepEqual(cameras.map(({ time }) => time), source.cameras.map(({ time }) => time));
      const names = ["angle-wrap", "clock-offset", "duplicates", "gap"];
      assert.deepEqual(Object.keys(injected).sort(), names);
      for (const { row, seconds } of injected.gap!.places!) assert.equal(found[row! - 1], seconds);
      for (const { row } of injected.duplicates!.places!) assert.equal(found[row! - 1], 0);
      assert.equal(injected.gap!.lost, source.robot.time.length - robot.send.length + 2);
    }),
    { numRuns: 60 },
  );
});

Deno.test("the golden set is just that in simulated episodes, which have wraps of their own", () => {
  for (let seed = 1000; seed < 1030; seed++) {
    const source = {
      ...simulateEpisode({ seed, robotQuantise: true, raster: 40 }),
      clockOffsets: { camera: 0, sensor: 0 },
      receiverOffset: 0,
      hasSeveralClocks: false,
      truth: {},
    };
    const take = createTake(source, PHANTOM_LAYOUT_TRAITS["new-dataset2"]);
    applyFaults(take, parseFaults("golden"));
    for (const time of [take.robot.send, take.robot.origin]) {
      const found = steps(time);
      assert.equal(found.filter((step) => step > 0.05).length, 3);
      assert.equal(found.filter((step) => step === 0).length, 2);
      assert.ok(found.every((step) => step >= 0));
    }
    assert.equal(wraps(take.robot.pose), 1);
  }
});

Deno.test("a duplicate repeats the whole row", () => {
  const { robot, injected } = inject("duplicates:5");
  assert.equal(injected.duplicates!.places!.length, 5);
  for (const { row, time } of injected.duplicates!.places!) {
    for (const column of [robot.recv, robot.origin, robot.send]) {
      assert.equal(column[row!], column[row! - 1]);
    }
    assert.equal(robot.send[row!], time);
    const values = (at: number) => [...robot.pose.subarray(6 * at, 6 * at + 6)];
    assert.deepEqual(values(row!), values(row! - 1));
  }
});

Deno.test("the clock steps back where the truth says, and stays behind", () => {
  fc.assert(
    fc.property(seeds, fc.integer({ min: 1, max: 4 }), (seed, count) => {
      const { robot, injected } = inject(`backward-jump=0.5:${count}`, seed);
      const found = steps(robot.send).map((step, k) => [k + 1, step] as const)
        .filter(([, step]) => step < 0);
      const places = injected["backward-jump"]!.places!;
      assert.deepEqual(found.map(([row]) => row), places.map(({ row }) => row));
      for (const [, step] of found) assert.ok(Math.abs(step + 0.49) < 1e-6);
      const end = handMadeSource().robot.time.at(-1)!;
      assert.ok(Math.abs(robot.send.at(-1)! - (end - 0.5 * count)) < 1e-6);
      assert.ok(Math.abs(robot.origin.at(-1)! - (end - 0.5 * count)) < 0.006);
      assert.ok(steps(robot.recv).every((step) => step >= 0));
    }),
    { numRuns: 30 },
  );
});

Deno.test("the angle a crosses ±180 exactly so often, or the fault is refused", () => {
  for (const count of [1, 2, 5]) {
    const { robot, injected } = inject(`gap:2,angle-wrap:${count}`);
    assert.equal(wraps(robot.pose), count);
    assert.equal(injected["angle-wrap"]!.places!.length, count);
    assert.equal(injected["angle-wrap"]!.swing! > 0, count > 1); // by itself it only rises
  }
  assert.throws(() => inject("angle-wrap:500"), /cannot be made to cross ±180 so often/);
  const { pose } = inject("angle-wrap").robot;
  assert.ok(pose.every((value, at) => at % 6 !== 3 || (value >= -180 && value < 180)));
});

Deno.test("a wrap is never hidden in a gap", () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      const { robot, injected } = inject("gap=0.3:3,angle-wrap", seed);
      const row = injected["angle-wrap"]!.places![0]!.row!;
      assert.ok(robot.send[row]! - robot.send[row - 1]! < 0.02);
    }),
    { numRuns: 60 },
  );
});

Deno.test("lost datagrams are whole, apart, and where the truth says", () => {
  fc.assert(
    fc.property(seeds, fc.integer({ min: 1, max: 40 }), (seed, count) => {
      const { sensor, injected } = inject(`packet-loss:${count}`, seed);
      const { lost, places } = injected["packet-loss"]!;
      assert.equal(lost, 15 * count);
      const found = steps(sensor!.time).map((step, k) => [k + 1, step] as const)
        .filter(([, step]) => step > 2 / 650);
      assert.deepEqual(found.map(([row]) => row), places!.map(({ row }) => row));
      for (const [, step] of found) assert.ok(Math.abs(step - 16 / 650) < 1e-6);
      const forces = sensor!.read(0, sensor!.time.length).filter((_, at) => at % 1026 === 0);
      forces.forEach((force, row) => assert.equal(force, sensor!.source[row]));
      for (const { row } of places!) assert.equal(forces[row!]! - forces[row! - 1]!, 16);
    }),
    { numRuns: 8 },
  );
});

Deno.test("a sensor gap is at least as long as asked for", () => {
  const { sensor, injected } = inject("gap-sensor=0.5:2");
  const found = steps(sensor!.time).filter((step) => step > 0.01);
  assert.equal(found.length, 2);
  assert.ok(found.every((step) => step > 0.5 && step < 0.55));
  assert.deepEqual(injected["gap-sensor"]!.places!.map(({ seconds }) => seconds), found);
});

Deno.test("lost frames and camera gaps are counted and named", () => {
  const source = handMadeSource();
  const all = source.cameras.reduce((sum, { time }) => sum + time.length, 0);
  const single = inject("frame-loss:8");
  const left = single.cameras.reduce((sum, { time }) => sum + time.length, 0);
  assert.equal(left, all - 8);
  for (const { view, time } of single.injected["frame-loss"]!.places!) {
    assert.ok(source.cameras.find((camera) => camera.view === view)!.time.includes(time!));
    assert.ok(!single.cameras.find((camera) => camera.view === view)!.time.includes(time!));
  }
  // frame k still shows what camera v saw at that time
  for (const [v, { time, frame }] of single.cameras.entries()) {
    time.forEach((t, k) => {
      assert.equal(frame(k)[0], 10 * v + Math.round((t - START + 0.2 - 0.01 * v) / 0.2));
    });
  }
  const gap = inject("gap-camera=0.5");
  const [{ time, seconds }] = gap.injected["gap-camera"]!.places! as [
    { time: number; seconds: number },
  ];
  for (const { time: frames } of gap.cameras) {
    assert.ok(!frames.some((t) => t > time && t < time + seconds));
    assert.equal(steps(frames).filter((step) => step > 0.3).length, 1);
  }
});

Deno.test("jitter keeps the order and says how far it went", () => {
  const { robot, injected } = inject("jitter=0.02");
  const source = handMadeSource();
  const changes = Array.from(robot.send, (t, k) => Math.abs(t - source.robot.time[k]!));
  assert.equal(Math.max(...changes), injected.jitter!.largest);
  assert.ok(injected.jitter!.largest! > 0.02);
  assert.ok(steps(robot.send).every((step) => step >= 0));
  assert.ok(steps(robot.origin).every((step) => step >= 0));
});

Deno.test("offsets of clocks move their stamps and nothing else", () => {
  const source = handMadeSource();
  const { robot, cameras, sensor, clockOffsets, receiverOffset } = inject(
    "clock-offset=-0.1,clock-offset-camera=0.2,clock-offset-recv=1",
  );
  assert.deepEqual(robot.send, source.robot.time);
  assert.deepEqual(clockOffsets, { camera: 0.2, sensor: -0.1 });
  assert.equal(receiverOffset, 1.125);
  const near = (a: number, b: number) => assert.ok(Math.abs(a - b) < 1e-6, `${a} ${b}`);
  near(cameras[2]!.time[3]!, source.cameras[2]!.time[3]! + 0.2);
  near(sensor!.time[3]!, source.sensor!.time[3]! - 0.1);
  near(robot.recv[3]!, inject("").robot.recv[3]! + 1);
});

Deno.test("the receiver polls: several rows share a time, none before it was sent", () => {
  const { robot } = inject("");
  const values = new Set(robot.recv);
  assert.ok(values.size < robot.send.length / 2 && values.size > robot.send.length / 4);
  robot.recv.forEach((recv, row) => {
    const delay = recv - 0.125 - robot.send[row]!;
    assert.ok(delay > 0.001 && delay < 0.03);
  });
});

Deno.test("a fault draws its own numbers: another fault beside it does not move it", () => {
  const alone = inject("packet-loss:5"), beside = inject("frame-loss:3,packet-loss:5");
  assert.deepEqual(beside.injected["packet-loss"], alone.injected["packet-loss"]);
});

Deno.test("faults that do not fit, or have no stream, are refused", () => {
  assert.throws(() => inject("gap=1:5"), /gaps of 1 s: the recording has room for 2/);
  assert.throws(() => inject("packet-loss:200"), RangeError);
  assert.throws(() => inject("missing-sensor,packet-loss"), /packet-loss: .* no sensor rows/);
});

Deno.test("a list of faults is read with its defaults", () => {
  assert.deepEqual(parseFaults(" gap , duplicates:3,missing-view=View2,missing-view=View5,"), [
    { name: "gap", value: 0.3, count: 1 },
    { name: "duplicates", count: 3 },
    { name: "missing-view", view: "View2" },
    { name: "missing-view", view: "View5" },
  ]);
  assert.deepEqual(parseFaults("right-eyes,clock-offset=-.5"), [
    { name: "right-eyes" },
    { name: "clock-offset", value: -0.5 },
  ]);
  assert.equal(parseFaults("golden").length, 4);
});

const WRONG: [list: string, message: RegExp][] = [
  ["gab", /should be one of clock-offset, .*golden, current value is "gab"/],
  ["gap=", /seconds should be a number from 0\.05 to 60, current value is ""/],
  ["gap=NaN", /current value is "NaN"/],
  ["gap=1e9", /current value is "1e9"/],
  ["gap=0.3:1.5", /how often should be a whole number/],
  ["gap=0.3:-1", /how often/],
  ["missing-sensor=1", /takes no value/],
  ["missing-sensor:2", /takes no count/],
  ["missing-view=", /name a view, View1, .*current value is ""/],
  ["gap:0", /how often should be a whole number from 1 to 1000, current value is "0"/],
  ["packet-loss:0", /from 1 to/],
  ["missing-view=View6", /current value is "View6"/],
  ["gap,gap", /gap should be named once/],
  ["golden,duplicates", /duplicates should be named once/],
  ["toString", /its name should be one of/],
];
for (const [list, message] of WRONG) {
  Deno.test(`the list of faults "${list}" is refused`, () => {
    assert.throws(() => parseFaults(list), (error: Error) => {
      assert.ok(error instanceof RangeError);
      assert.match(error.message, message);
      return true;
    });
  });
}

Deno.test("every fault of the table can be named alone", () => {
  for (const name of Object.keys(FAULTS)) assert.equal(parseFaults(name)[0]!.name, name);
  assert.deepEqual(parseFaults("missing-view"), [{ name: "missing-view", view: "View3" }]);
});
