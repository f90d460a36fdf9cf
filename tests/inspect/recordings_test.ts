import assert from "node:assert/strict";
import { join } from "node:path";
import { preprocess } from "../../lib/episodes/preprocess.ts";
import { inspect } from "../../lib/inspect/mod.ts";
import { START, tinyRecording } from "../episodes/_tiny_recording.ts";
import { temporaryFolder } from "../_temporary.ts";

for (const layout of ["recv-all", "captures", "new-dataset", "new-dataset2"] as const) {
  Deno.test(`recording: streams and their counts, layout ${layout}`, async () => {
    const folder = tinyRecording({ layout, seconds: 1.2 });
    const { kind, keys, details, tensors, bytes } = await inspect(folder);
    assert.deepEqual([kind, details.layout, details.hasContainer], ["recording", layout, false]);
    const views = layout === "recv-all" || layout === "captures"
      ? ["View1_left", "View2_left", "View3_left", "View4_left", "View5"]
      : ["View1", "View2", "View3", "View4", "View5"];
    const hasSensor = layout !== "captures";
    assert.deepEqual(keys, ["robot", ...views, ...(hasSensor ? ["sensor"] : [])]);
    const streams = details.streams as { stream: string; samples: number; firstTime?: number }[];
    assert.equal(streams[0]!.samples, 121);
    assert.deepEqual([streams[1]!.samples, streams[1]!.firstTime], [6, START + 0.05]);
    assert.equal(tensors.length > 0, hasSensor);
    assert.ok(bytes > 5000);
  });
}

Deno.test("episode: the manifest and every array", async () => {
  const folder = tinyRecording({ layout: "new-dataset2", seconds: 1.2 });
  await preprocess([folder]);
  const { kind, details, tensors } = await inspect(join(folder, "episode"), { stats: true });
  assert.equal(kind, "episode");
  assert.deepEqual([details.task, details.actions, details.segments], ["Blue_point", 12, 1]);
  const action = tensors.find(({ name }) => name === "action")!;
  assert.deepEqual([action.dtype, ...action.shape], ["float32", 12, 7]);
  assert.equal(action.statistics!.max, 1);
  const sensor = tensors.find(({ name }) => name === "sensor")!;
  assert.equal(sensor.bytes, sensor.shape[0]! * 1026 * 4);
  assert.equal((await inspect(folder)).details.hasContainer, true);
});

Deno.test("data-pkl folder: the pickle in it, whatever the folder's name", async () => {
  const output = temporaryFolder();
  await preprocess([tinyRecording({ layout: "captures", seconds: 1 })], {
    format: "data-pkl",
    output,
  });
  const { kind, details, tensors, bytes } = await inspect(join(output, "Captures1"));
  assert.deepEqual([kind, details.actions, tensors[0]!.name], ["data-pkl folder", 10, "action"]);
  assert.equal(bytes, Deno.statSync(join(output, "Captures1", "data.pkl")).size);
});

Deno.test("folder: recordings by layout, containers, files by extension", async () => {
  const root = temporaryFolder();
  tinyRecording({ layout: "captures", seconds: 1, root });
  await preprocess([tinyRecording({ layout: "captures", seconds: 1, root, name: "Captures2" })]);
  const { kind, keys, details } = await inspect(root);
  assert.deepEqual([kind, keys], ["folder", ["OCT_insertion"]]);
  assert.deepEqual(details.recordings, { captures: 2 });
  assert.equal(details.containers, 1);
  const files = details.files as { extension: string; count: number }[];
  assert.deepEqual(files.find(({ extension }) => extension === ".jpg")?.count, 50);
});
