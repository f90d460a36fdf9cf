import assert from "node:assert/strict";
import { EpisodeDataset } from "../../lib/datasets/mod.ts";
import { causalityReport } from "../../lib/datasets/causality.ts";
import { countUpTo, type Episode, openEpisode, preprocess } from "../../lib/episodes/mod.ts";
import {
  parseFaults,
  PHANTOM_LAYOUTS,
  PHANTOM_TASKS,
  type PhantomEpisode,
  recordPhantom,
  type RecordPhantomOptions,
  simulateEpisode,
} from "../../lib/phantom/mod.ts";
import { temporaryFolder, temporaryPath } from "../_temporary.ts";

const RASTER = 40; // 16×9 pixels: what is in the pictures does not matter here

async function record(options: Partial<RecordPhantomOptions>) {
  const output = temporaryFolder();
  const written = await Array.fromAsync(
    recordPhantom({ output, layouts: PHANTOM_LAYOUTS, raster: RASTER, ...options }),
  );
  return { output, written };
}

/** The newest stamp is compared with what the simulator knows about the moment. */
function assertCausalInTrueTime(episode: Episode, truth: PhantomEpisode): void {
  const start = truth.startTime;
  const count = episode.segment.length, views = episode.images.length;
  for (let k = 0; k < count; k++) {
    const now = episode.actionTime[2 * k]! - start;
    episode.images.forEach(({ view, file }, v) => {
      const index = episode.imageIndex[k * views + v]!;
      if (index < 0) return;
      const camera = truth.cameras.find((camera) => view.startsWith(camera.view))!;
      const stamp = Number(/(\d+\.\d+)\.jpg$/.exec(file(index))![1]);
      const frame = camera.time.reduce(
        (best, time, f) => Math.abs(time - stamp) < Math.abs(camera.time[best]! - stamp) ? f : best,
        0,
      );
      const slack = 0.001 + 4 * 0.002; // names hold milliseconds, stamps jitter by 2 ms
      assert(camera.trueTime[frame]! <= now + slack, `${view}, action ${k}`);
    });
  }
}

/** Which moment a sensor row shows is told by its values, not by its stamp. */
function assertCausalSensor(episode: Episode, truth: PhantomEpisode): void {
  const { sensor } = episode;
  if (sensor === null) return;
  const key = (rows: Float32Array, at: number) => rows.subarray(at, at + 4).join();
  const all = truth.sensor.rows(0, truth.sensor.time.length);
  const moment = new Map(
    Array.from(truth.sensor.trueTime, (time, row) => [key(all, row * 1026), time] as const),
  );
  assert.equal(moment.size, truth.sensor.time.length);
  const row = new Float32Array(1026);
  for (let k = 0; k < episode.segment.length; k++) {
    const [first, end] = sensor.range.subarray(2 * k, 2 * k + 2) as unknown as [number, number];
    const now = episode.actionTime[2 * k]! - truth.startTime;
    if (end === first) continue;
    sensor.readRowsInto(end - 1, row);
    // The origin stamp lags by up to 5 ms; stamps jitter by 0.1 ms and drift by 0.2 ms.
    assert(moment.get(key(row, 0))! <= now + 0.001, `action ${k} sees a row of the future`);
    sensor.readRowsInto(first, row);
    assert(moment.get(key(row, 0))! > now - 0.1 - 0.05, `action ${k} sees a stale row`);
  }
}

Deno.test("every layout becomes an episode in which nothing is newer than its time", async () => {
  const { output, written } = await record({ clock: "full", seed: 31 });
  const outcomes = await preprocess([output]);
  assert.equal(outcomes.length, written.length);
  for (const outcome of outcomes) {
    assert.equal(outcome.error, null);
    const { seed, layout, task } = written.find(({ path }) => path === outcome.path)!;
    const truth = simulateEpisode({
      seed,
      task: PHANTOM_TASKS.find((name) => name === task)!,
      clock: "full",
      robotQuantise: !["oct", "part1"].includes(layout),
    });
    using episode = openEpisode(outcome.path);
    const { streams } = causalityReport(new EpisodeDataset([episode]));
    for (const [stream, { newest }] of Object.entries(streams)) {
      if (newest === null) assert(stream === "sensor" && episode.sensor === null, stream);
      else assert(newest <= 0, `${layout}: ${stream} is ${newest} s ahead`);
    }
    assertCausalInTrueTime(episode, truth);
    assertCausalSensor(episode, truth);
    assert(episode.segment.length >= Math.floor(truth.duration * 10) - 3, layout);
  }
});

Deno.test("the sensor's rows are those of the simulator, raw or rebuilt from windows", async () => {
  const { output } = await record({ layouts: ["needle", "new-dataset", "new-dataset2"], seed: 77 });
  for (const { path, layout } of await preprocess([output])) {
    using episode = openEpisode(path);
    const task = path.includes("Needle") ? "Eye_trocar" : "Blue_point";
    const truth = simulateEpisode({ seed: 77, task });
    const { sensor } = episode;
    const all = truth.sensor.time;
    const first = all.findIndex((time) => Math.abs(time - sensor!.time[0]!) < 5e-4);
    assert(first >= 0, layout);
    const rows = new Float32Array(sensor!.rows * 1026);
    sensor!.readRowsInto(0, rows);
    assert.deepEqual(rows, truth.sensor.rows(first, first + sensor!.rows), layout);
    sensor!.time.forEach((time, k) => assert(Math.abs(time - all[first + k]!) < 1e-3, layout));
  }
});

Deno.test("the report recovers every fault that was put in", async () => {
  const faults = "gap=0.4:2,gap-sensor=0.3:1,packet-loss:4,frame-loss:5,duplicates:3," +
    "backward-jump=0.2:1,angle-wrap:2,missing-view=View3,truncated-image:2,blank-cell:2," +
    "clock-offset=0.04,clock-offset-camera=-0.1";
  const { output, written } = await record({
    layouts: ["needle"],
    faults: parseFaults(faults),
    seed: 5,
  });
  const { injected } = written[0]!;
  const { report, error } = (await preprocess([output]))[0]!;
  assert.equal(error, null);
  const { robot, sensor, views, clockOffsets, findings } = report!;
  assert.equal(robot.gaps.filter(({ seconds }) => seconds > 0.35).length, 2);
  assert.equal(robot.duplicates, 3);
  assert.equal(robot.backwardJumps, 1);
  assert.equal(robot.angleWraps, 2);
  assert.equal(robot.blankRows, 2);
  assert.equal(sensor!.lost, injected["packet-loss"]!.lost! + injected["gap-sensor"]!.lost!);
  assert.equal(
    Object.values(views).reduce((sum, { lost }) => sum + lost, 0),
    injected["frame-loss"]!.lost! + 2,
  );
  assert.deepEqual(clockOffsets, {
    camera: { seconds: -0.1, source: "recorded" },
    sensor: { seconds: 0.04, source: "recorded" },
  });
  const codes = findings.map(({ code }) => code);
  assert(codes.includes("view.missing") && codes.includes("image.damaged"), codes.join());
});

Deno.test("the golden recording: 3 gaps, 1 wrap, 2 duplicates, 40 ms, and nothing else", async () => {
  for (const layouts of [["needle"], ["new-dataset2"]] as const) {
    const { output } = await record({ layouts, faults: parseFaults("golden"), seed: 1003 });
    const [outcome] = await preprocess([output]);
    const { robot, sensor, views, clockOffsets } = outcome!.report!;
    assert.deepEqual(
      [robot.gaps.length, robot.angleWraps, robot.duplicates, robot.backwardJumps],
      [3, 1, 2, 0],
    );
    assert(Math.abs(clockOffsets.sensor.seconds - 0.04) < 1e-9);
    assert.equal(sensor!.gaps.length, 0);
    for (const { gaps } of Object.values(views)) assert.equal(gaps.length, 0);
  }
});

Deno.test("damaged files are named, and the other recordings are done", async () => {
  const { output } = await record({ layouts: ["white-silicone"], seed: 3 });
  for (const fault of ["truncated-sensor", "truncated-csv", "missing-sensor"]) {
    const seed = 4 + fault.length;
    await Array.fromAsync(recordPhantom({
      output,
      layouts: ["white-silicone"],
      raster: RASTER,
      seed,
      faults: parseFaults(fault),
    }));
  }
  const outcomes = await preprocess([output]);
  assert.deepEqual(outcomes.map(({ ok }) => ok).sort(), [false, true, true, true]);
  const failed = outcomes.find(({ ok }) => !ok)!;
  assert.match(failed.error!, /sensor_data_.*\.npz/);
  assert.equal(failed.output, null);
  const codes = outcomes.flatMap(({ report }) => report?.findings ?? []).map(({ code }) => code);
  assert(codes.includes("robot.torn") && codes.includes("sensor.missing"));
  const [again] = await preprocess([failed.path], { damagedSensor: "drop" });
  assert.equal(again!.ok, true);
  assert(again!.report!.findings.some(({ code }) => code === "sensor.damaged"));
});

Deno.test("recordings of one name in two tasks do not overwrite each other", async () => {
  const output = temporaryFolder();
  for (const task of ["Red_point", "Blue_point"] as const) {
    await Array.fromAsync(
      recordPhantom({ output, layouts: ["new-dataset"], raster: RASTER, seed: 9, task }),
    );
  }
  const target = `${output}/episodes`;
  const outcomes = await preprocess([`${output}/New_dataset`], { output: target });
  const names = outcomes.map(({ output }) => output!.slice(target.length + 1));
  assert.match(names[0]!, /^Blue_point__episode_/);
  assert.match(names[1]!, /^Red_point__episode_/);
  // One at a time, the name alone is free the first time only.
  const one = `${output}/one`;
  const [first] = await preprocess([`${output}/New_dataset/Red_point`], { output: one });
  const [second] = await preprocess([`${output}/New_dataset/Blue_point`], { output: one });
  assert.deepEqual([first!.ok, second!.ok], [true, false]);
  assert.match(second!.error!, /another recording/);
});

Deno.test("a flipped bit in the sensor's file is noticed, and the other state stays", async () => {
  const { output, written } = await record({ layouts: ["needle"], seed: 21 });
  const { path } = written[0]!;
  assert((await preprocess([output]))[0]!.ok);
  const name = [...Deno.readDirSync(path)].find(({ name }) => name.endsWith(".npz"))!.name;
  {
    using file = Deno.openSync(`${path}/${name}`, { read: true, write: true });
    const byte = new Uint8Array(1);
    const place = file.statSync().size - 1_000_003;
    file.seekSync(place, Deno.SeekMode.Start);
    file.readSync(byte);
    file.seekSync(place, Deno.SeekMode.Start);
    file.writeSync(Uint8Array.of(byte[0]! ^ 4));
  }
  const [outcome] = await preprocess([output]);
  assert.match(outcome!.error!, /sensor_data_.*\.npz.*alines.*CRC-32.*--drop-damaged-sensor/);
  openEpisode(path).close();
  const [without] = await preprocess([output], { damagedSensor: "drop" });
  assert.deepEqual([without!.ok, without!.report!.sensor], [true, null]);
  assert(without!.report!.findings.some(({ code }) => code === "sensor.damaged"));
});

Deno.test("by the receiver's clock an action sees the same images and sensor rows", async () => {
  const { output } = await record({ layouts: ["new-dataset2"], seed: 8, clock: "offset" });
  const [byRobot] = await preprocess([output], { output: `${output}/a` });
  const [byReceiver] = await preprocess([output], { output: `${output}/b`, clock: "recv" });
  using one = openEpisode(byRobot!.output!);
  using other = openEpisode(byReceiver!.output!);
  const ahead = other.robotTime[0]! - one.robotTime[0]!;
  assert(Math.abs(ahead) > 0.01, "the clocks differ");
  assert.equal(one.robotTime.length, other.robotTime.length);
  for (let k = 0; k < other.segment.length; k++) {
    const row = other.actionIndex[2 * k]!;
    const rows = other.sensor!.range[2 * k + 1]! -
      countUpTo(one.sensor!.time, one.robotTime[row]!);
    assert(Math.abs(rows) <= 10, `${rows} rows`); // stamps are 5 ms coarse, messages take some ms
  }
});

Deno.test("a recording keeps its folder, however many are done with it", async () => {
  const output = temporaryFolder();
  for (const task of ["Red_point", "Blue_point"] as const) {
    await Array.fromAsync(
      recordPhantom({ output, layouts: ["new-dataset"], raster: RASTER, seed: 9, task }),
    );
  }
  const all = `${output}/all`;
  await preprocess([`${output}/New_dataset/Red_point`], { output: all });
  await preprocess([`${output}/New_dataset`], { output: all });
  await preprocess([`${output}/New_dataset/Blue_point`], { output: all });
  const names = [...Deno.readDirSync(all)].map(({ name }) => name).sort();
  assert.equal(names.length, 2);
  assert.match(names[0]!, /^Blue_point__/);
});

Deno.test("a task that no rule knows is told, and what the policy is told too", async () => {
  const { written } = await record({ layouts: ["needle"], seed: 2 });
  const elsewhere = temporaryPath("mydata");
  Deno.mkdirSync(elsewhere);
  Deno.renameSync(written[0]!.path, `${elsewhere}/recv_all_x`);
  const [outcome] = await preprocess([elsewhere]);
  assert.equal(outcome!.instruction, "Perform the insertion task");
  assert(outcome!.report!.findings.some(({ code }) => code === "instruction.generic"));
  const [told] = await preprocess([elsewhere], { instruction: "Insert" });
  assert.equal(told!.instruction, "Insert");
  assert(told!.report!.findings.every(({ code }) => code !== "instruction.generic"));
});
