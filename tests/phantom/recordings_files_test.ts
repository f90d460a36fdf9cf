import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { join } from "node:path";
import sharp from "sharp";
import { readNpz } from "../../lib/formats/npz_reader.ts";
import { PHANTOM_LAYOUT_TRAITS, PHANTOM_LAYOUTS } from "../../lib/phantom/recordings/layout.ts";
import { writeRecording } from "../../lib/phantom/recordings/write_recording.ts";
import { filesBelow, readJson, readLog, readText, record } from "./_recording_files.ts";
import { handMadeSource, START } from "./_recording_source.ts";
import { temporaryFolder } from "../_temporary.ts";

Deno.test("the same episode gives the same bytes", async () => {
  for (const layout of PHANTOM_LAYOUTS) {
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
        assert.equal(Buffer.compare(left!, right!), 0, `${layout} ${file}`);
      }
    }
  }
});

Deno.test("the golden faults are in the files, and what is not shown is not claimed", async () => {
  for (const layout of PHANTOM_LAYOUTS) {
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
    assert.equal("clock-offset" in injected, PHANTOM_LAYOUT_TRAITS[layout].hasSensor);
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
  const root = temporaryFolder();
  const write = (force: boolean) =>
    writeRecording(root, handMadeSource({ seconds: 1.5 }), { layout: "oct", force });
  const target = join(root, "OCT_insertion/Captures1");
  Deno.mkdirSync(target, { recursive: true });
  Deno.writeTextFileSync(join(target, "precious.txt"), "mine");
  await assert.rejects(write(false), /Captures1: this program should have written .* --force\./);
  assert.equal(readText(target, "precious.txt"), "mine");
  await write(true);
  assert.ok(!filesBelow(target).includes("precious.txt"));
  await write(false); // its own it replaces
});

Deno.test("a recording that is stopped leaves nothing", async () => {
  const root = temporaryFolder();
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
