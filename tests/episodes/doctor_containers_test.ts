import assert from "node:assert/strict";
import { cpSync } from "node:fs";
import { crc32 } from "node:zlib";
import { basename, dirname, join } from "node:path";
import { importDataPkl } from "../../lib/episodes/convert/import_data_pkl.ts";
import { diagnoseData } from "../../lib/episodes/doctor/mod.ts";
import type { EpisodeManifest } from "../../lib/episodes/manifest.ts";
import { preprocess } from "../../lib/episodes/preprocess.ts";
import { readNpy, writeNpy } from "../../lib/formats/npy.ts";
import { tinyRecording } from "./_tiny_recording.ts";
import { temporaryFolder } from "../_temporary.ts";

/** One sound recording with its container; cases spoil copies of it. */
const sound = await (async () => {
  const folder = tinyRecording({ layout: "new-dataset2", seconds: 1.2 });
  const [outcome] = await preprocess([folder]);
  assert.equal(outcome?.error, null);
  return folder;
})();

function copy(): { recording: string; episode: string } {
  const recording = join(temporaryFolder(), "Blue_point", basename(sound));
  cpSync(sound, recording, { recursive: true, preserveTimestamps: true });
  return { recording, episode: join(recording, "episode") };
}

type Numbers = Float64Array<ArrayBuffer> | Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>;
type Manifest = { -readonly [K in keyof EpisodeManifest]: EpisodeManifest[K] } & {
  arrays: Record<string, { dtype: string; shape: number[]; crc32: number }>;
};

function editManifest(episode: string, edit: (manifest: Manifest) => void): void {
  const path = join(episode, "episode.json");
  const manifest = JSON.parse(Deno.readTextFileSync(path));
  edit(manifest);
  Deno.writeTextFileSync(path, JSON.stringify(manifest));
}

/** Changes values of an array as a program with a defect would: the checksum is right. */
function edit(episode: string, name: string, change: (values: Numbers) => void): void {
  const path = join(episode, `${name}.npy`);
  const { dtype, shape, data } = readNpy(path) as unknown as {
    dtype: "float32";
    shape: number[];
    data: Numbers;
  };
  change(data);
  writeNpy(path, { dtype, shape, data });
  editManifest(episode, ({ arrays }) => arrays[name]!.crc32 = crc32(new Uint8Array(data.buffer)));
}

/** Writes another array in place of one. */
function replace(episode: string, name: string, shape: number[], data: Numbers): void {
  writeNpy(join(episode, `${name}.npy`), { shape, data });
  editManifest(episode, ({ arrays }) => {
    arrays[name] = { ...arrays[name]!, shape, crc32: crc32(new Uint8Array(data.buffer)) };
  });
}

interface Case {
  readonly code: string;
  readonly does: string;
  readonly spoil: (place: { recording: string; episode: string }) => void;
  readonly where: string;
  readonly message: RegExp;
  readonly severity?: "warning" | "info";
}

const CASES: readonly Case[] = [
  {
    code: "episode.manifest",
    does: "a manifest that was cut short",
    spoil: ({ episode }) => Deno.truncateSync(join(episode, "episode.json"), 50),
    where: "episode.json",
    message: /it is no JSON/,
  },
  {
    code: "episode.manifest",
    does: "a manifest of another version",
    spoil: ({ episode }) => editManifest(episode, (manifest) => manifest.version = 99),
    where: "episode.json",
    message: /at version: it should be 1, current value is 99/,
  },
  {
    code: "episode.manifest",
    does: "an array entry without a checksum",
    spoil: ({ episode }) =>
      editManifest(episode, ({ arrays }) => arrays.action = { dtype: "float32" } as never),
    where: "action.npy",
    message: /dtype, shape and CRC-32/,
  },
  {
    code: "episode.array-missing",
    does: "an array file that is gone",
    spoil: ({ episode }) => Deno.removeSync(join(episode, "segment.npy")),
    where: "segment.npy",
    message: /no such file/,
  },
  {
    code: "episode.array-missing",
    does: "an array the manifest does not list",
    spoil: ({ episode }) => editManifest(episode, ({ arrays }) => delete arrays.image_age),
    where: "image_age.npy",
    message: /should list this array/,
  },
  {
    code: "episode.array",
    does: "an array of another dtype",
    spoil: ({ episode }) =>
      writeNpy(join(episode, "segment.npy"), { shape: [12], data: new Float64Array(12) }),
    where: "segment.npy",
    message: /should be int32 \(12\) by the manifest, current value is float64 \(12\)/,
  },
  {
    code: "episode.array",
    does: "an array of another shape",
    spoil: ({ episode }) => writeNpy(join(episode, "segment.npy"), { data: new Int32Array(11) }),
    where: "segment.npy",
    message: /current value is int32 \(11\)/,
  },
  {
    code: "episode.array",
    does: "an array that was cut short",
    spoil: ({ episode }) => Deno.truncateSync(join(episode, "sensor.npy"), 5000),
    where: "sensor.npy",
    message: /cut short/,
  },
  {
    code: "episode.unlisted",
    severity: "info",
    does: "an array nobody asked for",
    spoil: ({ episode }) => writeNpy(join(episode, "extra.npy"), { data: new Float32Array(2) }),
    where: "extra.npy",
    message: /does not list/,
  },
  {
    code: "episode.unreadable",
    does: "arrays that do not fit each other",
    spoil: ({ episode }) => replace(episode, "action_index", [12, 3], new Int32Array(36)),
    where: "episode",
    message: /action_index.*\(12, 2\).*\(12, 3\)/,
  },
  {
    code: "episode.no-actions",
    does: "an episode without actions",
    spoil: ({ episode }) => {
      replace(episode, "action", [0, 7], new Float32Array(0));
      replace(episode, "action_rotation", [0, 3], new Float32Array(0));
      replace(episode, "action_index", [0, 2], new Int32Array(0));
      replace(episode, "action_time", [0, 2], new Float64Array(0));
      replace(episode, "segment", [0], new Int32Array(0));
      replace(episode, "image_index", [0, 5], new Int32Array(0));
      replace(episode, "image_age", [0, 5], new Float32Array(0));
      replace(episode, "sensor_range", [0, 2], new Int32Array(0));
    },
    where: "episode",
    message: /should hold actions/,
  },
  {
    code: "episode.action-values",
    does: "an action that is not a number",
    spoil: ({ episode }) => edit(episode, "action", (values) => values[7 * 3 + 2] = NaN),
    where: "action.npy",
    message: /in 1 place; the first: action 3, value 2 is NaN/,
  },
  {
    code: "episode.gripper",
    does: "a 7th value other than 1",
    spoil: ({ episode }) => edit(episode, "action", (values) => values[7 * 3 + 6] = 0),
    where: "action.npy",
    message: /action 3 has 0/,
  },
  {
    code: "episode.actions",
    does: "an action that is not the difference of its poses",
    spoil: ({ episode }) => edit(episode, "action", (values) => values[7 * 5]! += 0.001),
    where: "action.npy",
    message: /in 1 place; the first: action 5 has Δx/,
  },
  {
    code: "episode.actions",
    does: "an angle difference that jumps by 360°",
    spoil: ({ episode }) =>
      edit(episode, "action", (values) => {
        for (let k = 3; k < values.length; k += 7) if (k < 50) values[k]! -= 360;
      }),
    where: "action.npy",
    message: /in 7 places; the first: action 0 has Δa -35/,
  },
  {
    code: "episode.actions",
    does: "robot rows that were exchanged",
    spoil: ({ episode }) => edit(episode, "robot_state", (values) => values[10 * 12 + 8]! += 1),
    where: "action.npy",
    message: /Δz 0, its rows give/,
  },
  {
    code: "episode.action-index",
    does: "an action that ends before it starts",
    spoil: ({ episode }) => edit(episode, "action_index", (values) => values[1] = 0),
    where: "action_index.npy",
    message: /action 0 goes from row 0 to 0 of 121/,
  },
  {
    code: "episode.action-time",
    does: "an action at another time than its rows",
    spoil: ({ episode }) => edit(episode, "action_time", (values) => values[4]! += 0.005),
    where: "action_time.npy",
    message: /the first: action 2 is from/,
  },
  {
    code: "episode.duration",
    does: "an action of 0.2 s",
    spoil: ({ episode }) =>
      edit(episode, "action_time", (values) => values[2 * 11 + 1] = values[2 * 11]! + 0.2),
    where: "action_time.npy",
    message: /should last 0\.1 s within 20 ms.*action 11 lasts 0\.2000 s/,
  },
  {
    code: "episode.segments",
    does: "a hole inside a segment",
    spoil: ({ episode }) => edit(episode, "segment", (values) => values.fill(1, 6)),
    where: "segment.npy",
    message: /action 6 follows action 5, but their segments are 1 and 0/,
  },
  {
    code: "episode.segments",
    does: "a manifest that lists other segments",
    spoil: ({ episode }) =>
      editManifest(episode, (manifest) => {
        const [first] = manifest.segments;
        manifest.segments = [{ ...first!, count: first!.count - 1 }];
      }),
    where: "episode.json at segments",
    message: /they hold 11 actions in all, not 12|segment 0/,
  },
  {
    code: "episode.time-order",
    does: "robot times that go back",
    spoil: ({ episode }) => edit(episode, "robot_time", (values) => values[35]! -= 0.5),
    where: "robot_time.npy",
    message: /in row 35 after/,
  },
  {
    code: "episode.time-order",
    does: "a sensor time that is not a number",
    spoil: ({ episode }) => edit(episode, "sensor_time", (values) => values[900] = NaN),
    where: "sensor_time.npy",
    message: /NaN in row 900/,
  },
  {
    code: "episode.time-order",
    does: "equal image times",
    spoil: ({ episode }) => edit(episode, "image_time_View3", (values) => values[5] = values[4]!),
    where: "image_time_View3.npy",
    message: /in row 5/,
  },
  {
    code: "episode.state-values",
    does: "a robot state that is not a number",
    spoil: ({ episode }) => edit(episode, "robot_state", (values) => values[12 * 15 + 2] = NaN),
    where: "robot_state.npy",
    message: /NaN in row 15, column 2/,
  },
  {
    code: "episode.image-causality",
    does: "an image from the future",
    spoil: ({ episode }) => edit(episode, "image_index", (values) => values[3 * 5 + 1] = 5),
    where: "image_index.npy",
    message: /in 1 place; the first: action 3 starts at .*, image 5 of View2 is of/,
  },
  {
    code: "episode.image-choice",
    does: "an image that is older than the newest",
    spoil: ({ episode }) => edit(episode, "image_index", (values) => values[8 * 5 + 4] = 0),
    where: "image_index.npy",
    message: /action 8 starts at .* has image 0 of View5, but image 1 is of/,
  },
  {
    code: "episode.image-choice",
    does: "an image that does not exist",
    spoil: ({ episode }) => edit(episode, "image_index", (values) => values[8 * 5 + 4] = 77),
    where: "image_index.npy",
    message: /image 77 of 6/,
  },
  {
    code: "episode.image-age",
    does: "a wrong age",
    spoil: ({ episode }) => edit(episode, "image_age", (values) => values[8 * 5] = 9),
    where: "image_age.npy",
    message: /action 8, View1: 9 s instead of/,
  },
  {
    code: "episode.sensor-causality",
    does: "a sensor row from the future",
    spoil: ({ episode }) => edit(episode, "sensor_range", (values) => values[7]! += 1),
    where: "sensor_range.npy",
    message: /in 1 place; the first: action 3 starts at/,
  },
  {
    code: "episode.sensor-range",
    does: "a window that begins too early",
    spoil: ({ episode }) => edit(episode, "sensor_range", (values) => values[6]! -= 2),
    where: "sensor_range.npy",
    message: /of the 0\.1 s before its start.*action 3, window/,
  },
  {
    code: "episode.sensor-range",
    does: "a window that lacks its newest rows",
    spoil: ({ episode }) => edit(episode, "sensor_range", (values) => values[7]! -= 2),
    where: "sensor_range.npy",
    message: /action 3/,
  },
  {
    code: "episode.sensor-range",
    does: "a window of rows that do not exist",
    spoil: ({ episode }) => edit(episode, "sensor_range", (values) => values[7] = 12345),
    where: "sensor_range.npy",
    message: /to 12345 of 910/,
  },
  {
    code: "episode.sensor-values",
    does: "a sensor value that is not a number",
    spoil: ({ episode }) => edit(episode, "sensor", (values) => values[1026 * 16 + 5] = NaN),
    where: "sensor.npy, row 16",
    message: /A-line value 4/,
  },
  {
    code: "episode.images-missing",
    does: "images that were deleted",
    spoil: ({ recording }) => Deno.removeSync(join(recording, "View4"), { recursive: true }),
    where: "images.json at View4",
    message: /6 of the 6 images of View4 are not there/,
  },
  {
    code: "episode.stale",
    severity: "warning",
    does: "a robot log that is newer",
    spoil: ({ recording }) => {
      const later = Date.now() / 1000 + 60;
      Deno.utimeSync(join(recording, "robot_state_20251027_170308.csv"), later, later);
    },
    where: "episode",
    message: /older than .*robot_state_20251027_170308\.csv.*deno task preprocess --data/,
  },
  {
    code: "episode.no-sensor",
    severity: "warning",
    does: "a container without the sensor of its recording",
    spoil: ({ episode }) => {
      for (const name of ["sensor", "sensor_time", "sensor_range"]) {
        Deno.removeSync(join(episode, `${name}.npy`));
        editManifest(episode, ({ arrays }) => delete arrays[name]);
      }
    },
    where: "episode",
    message: /has no sensor rows, but .*sensor_data_.*\.npz is there/,
  },
];

for (const { code, does, spoil, where, message, severity = "error" } of CASES) {
  Deno.test(`${code} (${severity}): ${does}`, async () => {
    const place = copy();
    spoil(place);
    const { ok, findings, episodes } = await diagnoseData([place.recording]);
    const found = findings.filter((finding) =>
      finding.code === code && finding.severity === severity &&
      finding.where.endsWith(where) && message.test(finding.message)
    );
    assert.equal(found.length, 1, JSON.stringify(findings, null, 1));
    assert.equal(ok, severity !== "error");
    assert.equal(episodes.length, 1);
    assert.equal(episodes[0]!.errors > 0, severity === "error");
    Deno.removeSync(dirname(dirname(place.recording)), { recursive: true });
  });
}

Deno.test("a sound container has no findings but those of its recording", async () => {
  const { episode, recording } = copy();
  const { ok, findings, recordings, episodes } = await diagnoseData([dirname(recording)]);
  assert.ok(ok);
  assert.deepEqual(findings.map(({ code }) => code), ["robot.angle-wraps"]);
  assert.equal(recordings.length, 1);
  assert.deepEqual(episodes, [{
    path: episode,
    name: basename(recording),
    task: "Blue_point",
    actions: 12,
    segments: 1,
    errors: 0,
    warnings: 0,
  }]);
});

Deno.test("episode.checksum: a bit that flipped in any array", async () => {
  const { episode } = copy();
  const names = [...Deno.readDirSync(episode)].map(({ name }) => name)
    .filter((name) => name.endsWith(".npy")).sort();
  assert.equal(names.length, 17);
  for (const [k, name] of names.entries()) {
    const bytes = Deno.readFileSync(join(episode, name));
    bytes[bytes.length - 1 - k]! ^= 1;
    Deno.writeFileSync(join(episode, name), bytes);
  }
  const { findings } = await diagnoseData([episode]);
  const found = findings.filter(({ code }) => code === "episode.checksum");
  assert.deepEqual(found.map(({ where }) => basename(where)).sort(), names);
  assert.match(found[0]!.message, /should be [0-9a-f]{8} by the manifest, current value is/);
  const quick = await diagnoseData([episode], { quick: true });
  assert.ok(quick.findings.every(({ code }) => code !== "episode.checksum"));
});

Deno.test("containers in a folder of their own are found, and are no recordings", async () => {
  const output = temporaryFolder();
  for (const layout of ["new-dataset", "captures"] as const) {
    await preprocess([tinyRecording({ layout, seconds: 1.2 })], { output });
  }
  const { ok, findings, recordings, episodes } = await diagnoseData([output]);
  assert.ok(ok, JSON.stringify(findings));
  assert.deepEqual(recordings, []);
  assert.deepEqual(episodes.map(({ name }) => name), ["Captures1", "episode_20251027_170308"]);
});

Deno.test("episode.source-missing (info): a container whose recording is gone", async () => {
  const output = temporaryFolder();
  const folder = tinyRecording({ layout: "captures", seconds: 1 });
  await preprocess([folder], { output });
  Deno.removeSync(folder, { recursive: true });
  const { findings } = await diagnoseData([output]);
  assert.deepEqual([...new Set(findings.map(({ code }) => code))].sort(), [
    "episode.images-missing",
    "episode.source-missing",
  ]);
});

Deno.test("episode.untimed (warning): actions of a data.pkl without its robot log", async () => {
  const folder = tinyRecording({ layout: "captures", seconds: 1 });
  await preprocess([folder], { format: "data-pkl" });
  const root = temporaryFolder(), pickle = join(root, "data.pkl");
  Deno.copyFileSync(join(folder, "episode", "data.pkl"), pickle);
  await importDataPkl(pickle, join(root, "untimed"));
  const { ok, findings } = await diagnoseData([root]);
  assert.ok(ok, JSON.stringify(findings));
  // The folder above holds the pickle alone.
  assert.deepEqual(findings.map(({ code }) => code), ["episode.untimed", "pickle.no-times"]);
});

Deno.test("the pickled sensor rows of an imported data.pkl are known, and checked", async () => {
  const folder = tinyRecording({ layout: "new-dataset2", seconds: 1.2 });
  const root = temporaryFolder(), episode = join(root, "untimed");
  await preprocess([folder], { format: "data-pkl", output: root });
  const pickle = join(root, basename(folder), "data.pkl");
  await importDataPkl(pickle, episode);
  assert.ok(Deno.statSync(join(episode, "pickled_sensor.npy")).isFile);
  const { findings } = await diagnoseData([episode]);
  assert.deepEqual(findings.map(({ code }) => code).sort(), ["episode.untimed", "sensor.no-times"]);
  writeNpy(join(episode, "pickled_sensor.npy"), { data: new Float32Array(12) });
  const damaged = await diagnoseData([episode]);
  assert.equal(damaged.ok, false);
  assert.match(
    damaged.findings[0]!.message,
    /float32 \(12, 1026\), current value is float32 \(12\)/,
  );
});

Deno.test("what preprocess warned of is said of the episode too, with code and severity", async () => {
  const folder = tinyRecording({ layout: "captures", seconds: 2, cameras: [1, 2, 4] });
  const output = temporaryFolder();
  const [outcome] = await preprocess([folder], { output });
  const warned = outcome!.report!.findings.filter(({ severity }) => severity === "warning");
  assert.deepEqual(warned.map(({ code }) => code), ["view.missing"]);
  const { findings, episodes } = await diagnoseData([output]);
  const said = findings.filter(({ severity }) => severity !== "info");
  assert.deepEqual(said.map(({ severity, code, message }) => [severity, code, message]), [
    ["warning", "view.missing", "There are no images of View3."],
  ]);
  assert.equal(said[0]!.where, join(output, "Captures1", "episode.json at report.findings"));
  assert.equal(episodes[0]!.warnings, 1);
});

Deno.test("a manifest whose report is of another kind is no crash", async () => {
  for (const report of [null, 7, { findings: 7 }, { findings: [null, 7, { severity: "error" }] }]) {
    const { episode } = copy();
    editManifest(episode, (manifest) => manifest.report = report as never);
    const { findings } = await diagnoseData([episode]);
    assert.deepEqual(findings, []);
  }
});

Deno.test("episode.same-source (warning): two episodes of one recording, both named", async () => {
  const { recording, episode } = copy();
  const output = temporaryFolder(), other = join(output, basename(recording));
  await preprocess([recording], { output });
  const { ok, findings, episodes } = await diagnoseData([recording, output]);
  assert.ok(ok);
  const found = findings.filter(({ code }) => code === "episode.same-source");
  assert.equal(found.length, 1);
  const text = `${found[0]!.where} ${found[0]!.message}`;
  for (const path of [recording, episode, other]) assert.ok(text.includes(path), path);
  assert.equal(episodes.reduce((sum, { warnings }) => sum + warnings, 0), 1);
  const alone = await diagnoseData([output]);
  assert.ok(alone.findings.every(({ code }) => code !== "episode.same-source"));
});

Deno.test("segments that end where the log was recorded twice are as they should be", async () => {
  const { episode } = copy();
  const time = readNpy(join(episode, "action_time.npy")).data as Float64Array;
  edit(episode, "segment", (values) => values.fill(1, 4, 6).fill(2, 6));
  editManifest(episode, (manifest) => {
    const ends = [[0, 4], [4, 2], [6, 6]] as const;
    manifest.segments = ends.map(([first, count]) => ({
      ...{ first, count, start: time[2 * first]!, end: time[2 * (first + count) - 1]! },
    }));
    manifest.overlaps = [[time[8]! + 0.05, time[11]! - 0.05]];
  });
  assert.deepEqual((await diagnoseData([episode])).findings, []);
  editManifest(episode, (manifest) => manifest.overlaps = []);
  const { findings } = await diagnoseData([episode]);
  assert.deepEqual(findings.map(({ code }) => code), ["episode.segments"]);
});

Deno.test("the compat and raw representations are sound too", async () => {
  for (const options of [{ compat: true }, { angles: "raw" as const }]) {
    const folder = tinyRecording({ layout: "captures", seconds: 2 });
    await preprocess([folder], options);
    const { ok, findings } = await diagnoseData([folder]);
    assert.ok(ok, JSON.stringify(findings));
  }
});
