import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { alignRecording } from "../../lib/episodes/align.ts";
import { exportEpisode } from "../../lib/episodes/convert/export_data_pkl.ts";
import { importDataPkl } from "../../lib/episodes/convert/import_data_pkl.ts";
import { exportDataPkl } from "../../lib/episodes/data_pkl.ts";
import { discoverRecordings } from "../../lib/episodes/discover.ts";
import { openEpisode } from "../../lib/episodes/episode.ts";
import { preprocess } from "../../lib/episodes/preprocess.ts";
import { readRecording } from "../../lib/episodes/read_recording.ts";
import { type DataPkl, readDataPkl, writeDataPkl } from "../../lib/formats/data_pkl.ts";
import { range, rowsOf } from "./_logs.ts";
import { hasNumpy, python } from "./_python.ts";
import { recordingFolder, sensorValue, writeRobotLog } from "./_recording_folder.ts";
import { temporaryFolder, temporaryPath } from "../_temporary.ts";

const FIXTURES = new URL("../../data-fixtures/episodes/", import.meta.url).pathname;
const EXPECTED = JSON.parse(Deno.readTextFileSync(`${FIXTURES}/data_pkl.json`)) as {
  robot_hz: number;
  duration_seconds: number;
  action: number[][];
  time: number[][];
  force: number[];
  fpi_sum: number;
};
const NAME = "recv_all_20251027_170308";
const LOG = "robot_state_20251027_170308.csv";
const START = 1761551500;
const IMAGES = [0.25, 0.75, 1.25, 1.75].map((t) => `oak_1_${(START + t).toFixed(3)}.jpg`);

/** A folder with one of the reference's pickles, and the robot log it was made from. */
function referenceFolder(numpy: 1 | 2, { hasLog = true } = {}): string {
  const folder = join(temporaryFolder(), "White_silicone", NAME);
  Deno.mkdirSync(folder, { recursive: true });
  Deno.copyFileSync(`${FIXTURES}/data_numpy${numpy}.pkl`, join(folder, "data.pkl"));
  if (hasLog) Deno.copyFileSync(`${FIXTURES}/${NAME}/${LOG}`, join(folder, LOG));
  return folder;
}

const importAt = async (folder: string) => {
  const imported = await importDataPkl(join(folder, "data.pkl"), join(folder, "episode"));
  return { imported, episode: openEpisode(join(folder, "episode")) };
};

for (const numpy of [1, 2] as const) {
  Deno.test(`a data.pkl of NumPy ${numpy} gets the times of the log beside it back`, async () => {
    const { imported, episode } = await importAt(referenceFolder(numpy));
    using _ = episode;
    assert.equal(imported.timed, true);
    const { manifest } = episode;
    assert.deepEqual(rowsOf(episode.action, 7), EXPECTED.action);
    assert.deepEqual(rowsOf(episode.actionTime, 2), EXPECTED.time);
    assert.equal(episode.robotTime.length, 121);
    assert.deepEqual(
      [manifest.layout, manifest.clock, manifest.name, manifest.task, manifest.source],
      ["data-pkl", "robot origin", NAME, "White_silicone", ".."],
    );
    assert.deepEqual([manifest.action.angles, manifest.action.compat], ["raw", true]);
    assert.match(manifest.instruction, /white circle sticker/);
    assert.equal(manifest.segments.length, 2); // the pause
    // Images of 0.05, 0.55, 1.05, 1.55 s and 0.3 s: the newest at or before each start.
    const newest = EXPECTED.time.map(([start]) => [
      Math.floor((start! - START - 0.05) / 0.5 + 1e-6),
      start! - START >= 0.3 ? 0 : -1,
    ]);
    assert.deepEqual(rowsOf(episode.imageIndex, 2), newest);
    // The pickled sensor rows have no times: they are kept, but are no sensor.
    assert.equal(episode.sensor, null);
    assert.ok(imported.findings.some(({ code }) => code === "sensor.no-times"));
  });
}

Deno.test("without the log the episode has no times and says so", async () => {
  const { imported, episode } = await importAt(referenceFolder(2, { hasLog: false }));
  using _ = episode;
  assert.equal(imported.timed, false);
  assert.equal(episode.manifest.clock, "none: data.pkl holds no times");
  assert.deepEqual(rowsOf(episode.action, 7), EXPECTED.action);
  const { length } = EXPECTED.action;
  const counted = range(length).map((k) => [k / 10, (k + 1) / 10]);
  assert.deepEqual(rowsOf(episode.actionTime, 2), counted);
  assert.deepEqual([episode.robotTime.length, episode.sensor], [0, null]);
  assert.deepEqual(new Set(episode.actionIndex), new Set([-1]));
  assert.deepEqual(new Set(episode.imageIndex), new Set([-1]));
  assert.ok(episode.imageAge.every(Number.isNaN) && episode.actionRotation.every(Number.isNaN));
  assert.deepEqual(episode.images.map(({ time }) => time.length), [4, 1]);
  const codes = episode.manifest.report!.findings.map(({ code }) => code);
  for (const code of ["action.no-times", "sensor.no-times", "image.missing"]) {
    assert.ok(codes.includes(code), code);
  }
});

Deno.test("the log of another recording is no match", async () => {
  const folder = referenceFolder(2);
  writeRobotLog(join(folder, LOG), range(200, (k) => START + k / 100));
  const { imported, episode } = await importAt(folder);
  episode.close();
  assert.equal(imported.timed, false);
  assert.ok(imported.findings.some(({ code }) => code === "action.no-match"));
});

Deno.test("an unreadable log beside it is no match either", async () => {
  const folder = referenceFolder(2);
  Deno.writeTextFileSync(join(folder, LOG), "origin_timestamp\n1\n");
  const { imported, episode } = await importAt(folder);
  episode.close();
  assert.equal(imported.timed, false);
});

for (const hasLog of [true, false]) {
  Deno.test(`a data.pkl survives the way there and back, ${hasLog ? "" : "un"}timed`, async () => {
    const folder = referenceFolder(1, { hasLog });
    (await importAt(folder)).episode.close();
    const back = join(folder, "back.pkl");
    exportEpisode(join(folder, "episode"), back);
    const { metadata: { extra: _, ...metadata }, ...data } = readDataPkl(back);
    const old = readDataPkl(join(folder, "data.pkl"));
    assert.deepEqual(data.action, old.action);
    assert.deepEqual(data.image, old.image);
    assert.deepEqual(data.sensorData, old.sensorData);
    assert.equal(data.instruction, old.instruction);
    assert.deepEqual(metadata, {
      episodeName: NAME,
      robotHz: EXPECTED.robot_hz,
      actionHz: 10,
      numActions: EXPECTED.action.length,
      numRobotStates: 121,
      durationSeconds: EXPECTED.duration_seconds,
      hasSensor: true,
    });
  });
}

Deno.test("moved images are found beside the pickle", async () => {
  const folder = referenceFolder(2);
  const name = "zed_41182735_left_1761551500.050.jpg";
  Deno.mkdirSync(join(folder, "View1", "left"), { recursive: true });
  Deno.writeTextFileSync(join(folder, "View1", "left", name), "");
  const { imported, episode } = await importAt(folder);
  using _ = episode;
  const [left, hand] = episode.images;
  assert.equal(left!.file(0), join(folder, "View1", "left", name));
  assert.match(left!.file(3), new RegExp(`^${folder}/View1/left/zed_.*501\\.550\\.jpg$`));
  assert.match(hand!.file(0), /^\/old\/data\//);
  const missing = imported.findings.filter(({ code }) => code === "image.missing");
  assert.deepEqual(missing.map(({ message }) => message.slice(0, 5)), ["View5"]);
});

/** A recording with robot, images and sensor rows, and what it becomes. */
function wholeRecording(): string {
  return recordingFolder({
    robot: range(201, (k) => START + k / 100),
    images: { View5: IMAGES },
    // From 0.35 s on; one time twice, of which the later row counts.
    sensor: [...range(400, (k) => START + 0.35 + k / 650), START + 0.35 + 399 / 650],
  });
}

/** The newest sensor row at or before a time, by looking at all. */
function newestSensorRow(time: number): number {
  const count = Math.min(401, 1 + range(401).filter((k) => START + 0.35 + k / 650 <= time).length);
  return count === 1 ? -1 : count >= 401 ? 400 : count - 2;
}

Deno.test("the pickle of a recording has per action the newest sensor row before it", () => {
  const folder = wholeRecording();
  const recording = readRecording(discoverRecordings([folder]).recordings[0]!);
  const aligned = alignRecording(recording);
  const path = join(folder, "data.pkl");
  const bytes = exportDataPkl(path, recording, aligned, 10);
  recording.close();
  assert.equal(bytes, Deno.statSync(path).size);
  const { sensorData, image, metadata, instruction } = readDataPkl(path);
  assert.equal(metadata.numActions, 20);
  const rows = range(20, (k) => newestSensorRow(aligned.actions.time[2 * k]!));
  assert.deepEqual([...new Set(rows)].slice(0, 2).map((row) => row < 0), [true, false]);
  assert.equal(rows.at(-1), 400);
  rows.forEach((row, k) => {
    const channels = [0, 1, 700, 1025];
    const found = channels.map((c) =>
      c === 0 ? sensorData!.force[k] : sensorData!.fpi[k * 1025 + c - 1]
    );
    assert.deepEqual(found, channels.map((c) => row < 0 ? 0 : sensorValue(row, c)), `action ${k}`);
  });
  assert.deepEqual(image.get("View5"), IMAGES.map((name) => join(folder, "View5", name)));
  assert.match(instruction, /trocar/);
  assert.ok(Math.abs(metadata.robotHz - 100) < 0.1);
  assert.deepEqual([metadata.numRobotStates, metadata.durationSeconds], [201, 2]);
});

Deno.test("a sensor whose clock is elsewhere is no sensor in the pickle", () => {
  const folder = wholeRecording();
  const recording = readRecording(discoverRecordings([folder]).recordings[0]!);
  const aligned = alignRecording(recording, { clockOffsets: { sensor: -1000 } });
  exportDataPkl(join(folder, "data.pkl"), recording, aligned, 10);
  recording.close();
  const { sensorData, metadata } = readDataPkl(join(folder, "data.pkl"));
  assert.deepEqual([sensorData, metadata.hasSensor], [null, false]);
});

Deno.test("the reference's action list brings its mean rate", () => {
  const folder = temporaryPath(NAME);
  Deno.mkdirSync(join(folder, "View5"), { recursive: true });
  Deno.copyFileSync(`${FIXTURES}/${NAME}/${LOG}`, join(folder, LOG));
  const found = discoverRecordings([folder]).recordings[0]!;
  const { robot } = found.layout.read(folder, { findings: [] });
  const recording = {
    ...{ name: NAME, path: folder, task: "t", instruction: "i", layout: "recv-all" as const },
    ...{ robot, views: [], sensor: null, clockOffsets: {}, findings: [], close() {} },
  };
  const aligned = alignRecording(recording, { compat: true });
  exportDataPkl(join(folder, "data.pkl"), recording, aligned, 10);
  const { action, metadata } = readDataPkl(join(folder, "data.pkl"));
  assert.deepEqual(rowsOf(action, 7), EXPECTED.action);
  assert.equal(metadata.robotHz, EXPECTED.robot_hz);
  assert.equal(metadata.durationSeconds, EXPECTED.duration_seconds);
});

Deno.test("container to data.pkl to container changes no array", async () => {
  const folder = wholeRecording();
  const [outcome] = await preprocess([folder]);
  assert.equal(outcome!.error, null);
  exportEpisode(folder, join(folder, "data.pkl"));
  const second = join(folder, "second");
  const { timed } = await importDataPkl(join(folder, "data.pkl"), second);
  assert.equal(timed, true);
  const names = (of: string) =>
    [...Deno.readDirSync(of)].map(({ name }) => name).filter((name) => name.endsWith(".npy"))
      .sort();
  const first = join(folder, "episode");
  assert.deepEqual(names(second), names(first));
  for (const name of names(first)) {
    assert.deepEqual(
      Deno.readFileSync(join(second, name)),
      Deno.readFileSync(join(first, name)),
      name,
    );
  }
  using episode = openEpisode(second);
  assert.deepEqual(
    [episode.manifest.action.angles, episode.manifest.action.compat],
    ["wrapped", false],
  );
});

Deno.test("any actions survive the way there and back without a log", async () => {
  const folder = temporaryFolder();
  const number = fc.float({ noNaN: true, noDefaultInfinity: true });
  const row = fc.tuple(number, number, number, number, number, number, fc.constant(1));
  await fc.assert(
    fc.asyncProperty(
      fc.array(row, { minLength: 1, maxLength: 9 }),
      fc.constantFrom(5, 10, 12.5),
      fc.string(),
      fc.double({ noNaN: true, min: 0, max: 1e4 }),
      fc.boolean(),
      async (rows, actionHz, instruction, durationSeconds, hasSensor) => {
        const data: DataPkl = {
          action: Float32Array.from(rows.flat()),
          image: new Map([["View1", ["/a/1.500.jpg", "/b/2.500.jpg"]]]),
          sensorData: hasSensor
            ? {
              force: Float32Array.from(rows, ([x]) => x),
              fpi: Float32Array.from({ length: rows.length * 1025 }, (_, k) => k),
            }
            : null,
          instruction,
          metadata: {
            ...{ episodeName: "e", robotHz: 99.5, actionHz, numActions: rows.length },
            ...{ numRobotStates: 77, durationSeconds, hasSensor },
          },
        };
        const paths = ["a.pkl", "b.pkl"].map((name) => join(folder, name));
        writeDataPkl(paths[0]!, data);
        await importDataPkl(paths[0]!, join(folder, "episode"));
        exportEpisode(join(folder, "episode"), paths[1]!);
        assert.deepEqual(Deno.readFileSync(paths[1]!), Deno.readFileSync(paths[0]!));
      },
    ),
    { numRuns: 25, seed: 7 },
  );
});

const SMALL: DataPkl = {
  action: Float32Array.of(1, 0, 0, 0, 0, 0, 1),
  image: new Map(),
  sensorData: null,
  instruction: "insert",
  metadata: {
    ...{ episodeName: "e", robotHz: 100, actionHz: 10, numActions: 1, numRobotStates: 11 },
    ...{ durationSeconds: 0.1, hasSensor: false },
  },
};

const HOSTILE: [name: string, data: DataPkl, message: RegExp][] = [
  ["a view that is a path", { ...SMALL, image: new Map([["../x", ["1.5.jpg"]]]) }, /"\.\.\/x"/],
  [
    "a view without a name",
    { ...SMALL, image: new Map([["", ["1.5.jpg"]]]) },
    /current value is ""/,
  ],
  [
    "an action that is no number",
    { ...SMALL, action: Float32Array.of(0, 0, 0, 0, NaN, 0, 1) },
    /action\[0, 4\].*NaN/,
  ],
  [
    "no actions",
    {
      ...SMALL,
      action: new Float32Array(0),
      metadata: { ...SMALL.metadata, numActions: 0 },
    },
    /should have rows/,
  ],
  [
    "an action rate of 0",
    { ...SMALL, metadata: { ...SMALL.metadata, actionHz: 0 } },
    /action_hz.*current value is 0/,
  ],
];
for (const [name, data, message] of HOSTILE) {
  Deno.test(`a data.pkl with ${name} is refused, and nothing is written`, async () => {
    const folder = temporaryFolder(), path = join(folder, "data.pkl");
    writeDataPkl(path, data);
    await assert.rejects(importDataPkl(path, join(folder, "episode")), (error: Error) => {
      assert.equal(error.name, "SyntaxError");
      assert.ok(error.message.includes(path), error.message);
      assert.match(error.message, message);
      return true;
    });
    assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["data.pkl"]);
  });
}

Deno.test("a torn data.pkl is refused wherever it is cut", async () => {
  const folder = temporaryFolder(), path = join(folder, "data.pkl");
  writeDataPkl(path, SMALL);
  const bytes = Deno.readFileSync(path);
  for (let length = 0; length < bytes.length; length += 37) {
    Deno.writeFileSync(path, bytes.subarray(0, length));
    await assert.rejects(importDataPkl(path, join(folder, "episode")), { name: "SyntaxError" });
  }
});

Deno.test("an interrupted import leaves the old episode", async () => {
  const folder = wholeRecording();
  await preprocess([folder]);
  exportEpisode(folder, join(folder, "data.pkl"));
  const manifest = Deno.readTextFileSync(join(folder, "episode", "episode.json"));
  const gone = AbortSignal.abort();
  await assert.rejects(importDataPkl(join(folder, "data.pkl"), join(folder, "episode"), gone), {
    name: "AbortError",
  });
  assert.equal(Deno.readTextFileSync(join(folder, "episode", "episode.json")), manifest);
  assert.ok(![...Deno.readDirSync(folder)].some(({ name }) => name.includes("partial")));
});

Deno.test("an episode never replaces the folder that holds its pickle", async () => {
  const folder = wholeRecording();
  await preprocess([folder], { format: "both" });
  const path = join(folder, "episode", "data.pkl");
  await assert.rejects(importDataPkl(path, join(folder, "episode")), /should not hold the input/);
  const { timed } = await importDataPkl(path, join(folder, "other"));
  assert.equal(timed, true); // the log is in the folder above
});

Deno.test("Python reads the pickle, and what Python writes comes back", {
  ignore: !hasNumpy(),
}, async () => {
  const folder = wholeRecording();
  await preprocess([folder]);
  exportEpisode(folder, join(folder, "data.pkl"));
  const program = `
import json, pickle, sys
import numpy as np
data = pickle.load(open(sys.argv[1], "rb"))
pickle.dump(data, open(sys.argv[2], "wb"))
meta, sensor = data["metadata"], data["sensor_data"]
print(json.dumps({
    "keys": list(data),
    "action": [str(data["action"].dtype), *data["action"].shape],
    "force": [str(sensor["force"].dtype), *sensor["force"].shape],
    "fpi": [str(sensor["fpi"].dtype), *sensor["fpi"].shape],
    "image": {key: len(paths) for key, paths in data["image"].items()},
    "metadata": {key: type(value).__name__ for key, value in meta.items()},
}))`;
  const path = join(folder, "python.pkl");
  assert.deepEqual(python(program, join(folder, "data.pkl"), path), {
    keys: ["action", "image", "sensor_data", "instruction", "metadata"],
    action: ["float32", 20, 7],
    force: ["float32", 20, 1],
    fpi: ["float32", 20, 1025],
    image: { View5: 4 },
    metadata: {
      episode_name: "str",
      robot_hz: "float64",
      action_hz: "float",
      num_actions: "int",
      num_robot_states: "int",
      duration_seconds: "float64",
      has_sensor: "bool",
    },
  });
  const { timed } = await importDataPkl(path, join(folder, "again"));
  assert.equal(timed, true);
  for (const name of ["action.npy", "action_time.npy", "sensor.npy", "image_index.npy"]) {
    assert.deepEqual(
      Deno.readFileSync(join(folder, "again", name)),
      Deno.readFileSync(join(folder, "episode", name)),
    );
  }
});
