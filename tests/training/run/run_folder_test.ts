import assert from "node:assert/strict";
import { join } from "node:path";
import {
  readRunConfig,
  type RunConfig,
  runDigest,
  RunFolder,
  settingsMarkdown,
} from "../../../lib/training/run/run_folder.ts";
import { temporaryFolder, temporaryPath } from "../../_temporary.ts";

const config = (settings: RunConfig["settings"] = { seed: 1, policy: { width: 8 } }) => ({
  program: "train:stage1",
  settings,
  notes: { data: "/somewhere" },
});
const time = new Date("2026-02-03T04:05:06Z");

Deno.test("RunFolder names runs by time and program, and never takes a folder twice", () => {
  const runs = temporaryPath("runs");
  using first = RunFolder.create(runs, config(), time);
  using second = RunFolder.create(runs, config(), time);
  assert.equal(first.path, join(runs, "20260203-040506-train-stage1"));
  assert.equal(second.path, join(runs, "20260203-040506-train-stage1-2"));
  assert.deepEqual(readRunConfig(first.path), config());
});

Deno.test("RunFolder.unfinished finds the newest run of the same settings, whatever its notes", () => {
  const runs = temporaryFolder();
  assert.equal(RunFolder.unfinished(join(runs, "none"), config()), null);
  RunFolder.create(runs, config(), time)[Symbol.dispose]();
  const newer = RunFolder.create(runs, config(), new Date("2026-02-03T05:00:00Z"));
  newer[Symbol.dispose]();
  RunFolder.create(runs, config({ seed: 2 }), new Date("2026-02-03T06:00:00Z"))[Symbol.dispose]();
  Deno.mkdirSync(join(runs, "zzz")); // a killed process had come no further
  Deno.mkdirSync(join(runs, "zzzz"));
  Deno.writeTextFileSync(join(runs, "zzzz", "config.json"), "{");
  using again = RunFolder.unfinished(runs, { ...config(), notes: {} })!;
  assert.equal(again.path, newer.path);
  again.finish({});
  using other = RunFolder.unfinished(runs, config())!;
  assert.notEqual(other.path, newer.path);
});

Deno.test("RunFolder belongs to one process at a time", () => {
  const runs = temporaryFolder();
  using held = RunFolder.create(runs, config());
  assert.equal(RunFolder.unfinished(runs, config()), null);
  assert.throws(() => RunFolder.open(held.path, config()), /another process/);
});

Deno.test("RunFolder.open goes on in a folder of the same settings only, and says what differs", () => {
  const path = join(temporaryFolder(), "deep", "run");
  RunFolder.open(path, config())[Symbol.dispose]();
  RunFolder.open(path, config())[Symbol.dispose]();
  const other = config({ seed: 1, policy: { width: 16 } });
  assert.throws(() => RunFolder.open(path, other), /policy\.width = 8, not 16/);
  assert.throws(
    () => RunFolder.open(path, { ...config(), program: "train:async" }),
    /train:stage1/,
  );
  {
    using run = RunFolder.open(path, config());
    run.finish({ steps: 1 });
  }
  assert.throws(() => RunFolder.open(path, config()), /finished/);
  assert.throws(
    () => RunFolder.open(path, other, { extend: true }),
    ({ message }: Error) => /With --resume/.test(message) && !/--run folder/.test(message),
  );
  const foreign = temporaryFolder();
  Deno.writeTextFileSync(join(foreign, "thesis.doc"), "");
  assert.throws(() => RunFolder.open(foreign, config()), /other files/);
});

Deno.test("RunFolder.open takes a folder in which a killed process left only what is partial", () => {
  const path = temporaryFolder();
  Deno.writeTextFileSync(join(path, ".lock"), "");
  Deno.writeTextFileSync(join(path, ".config.json.partial-1-abc"), "{");
  using run = RunFolder.open(path, config());
  assert.equal(run.path, path);
});

Deno.test("RunFolder names the folder that it cannot make", () => {
  const file = temporaryPath("file");
  Deno.writeTextFileSync(file, "");
  assert.throws(() => RunFolder.create(file, config()), /Cannot make the run's folder .*--runs/);
  assert.throws(() => RunFolder.open(join(file, "run"), config()), /Cannot make the run's folder/);
  assert.throws(() => RunFolder.open(file, config()), /current value is no folder/);
});

Deno.test("readRunConfig refuses what is no configuration of a run", () => {
  const folder = temporaryFolder();
  const good = { format: "trocar run", version: 1, ...config() };
  for (
    const bad of [
      null,
      [],
      { ...good, version: 2 },
      { ...good, format: "x" },
      { ...good, settings: [] },
      { ...good, program: 1 },
    ]
  ) {
    Deno.writeTextFileSync(join(folder, "config.json"), JSON.stringify(bad));
    assert.throws(() => readRunConfig(folder), /config\.json/, JSON.stringify(bad));
  }
});

Deno.test("runDigest depends on values, not on the order in which they are written", () => {
  const a = runDigest(config({ seed: 1, epochs: 2 })),
    b = runDigest(config({ epochs: 2, seed: 1 }));
  assert.equal(a, b);
  assert.notEqual(a, runDigest(config({ seed: 1, epochs: 3 })));
});

Deno.test("settingsMarkdown is a table whose cells cannot end it", () => {
  const text = settingsMarkdown(
    config({ policy: { width: 8, views: ["a|b", "c"] }, note: "x\ny" }),
  );
  assert.deepEqual(text.split("\n"), [
    "| setting | value |",
    "| --- | --- |",
    "| program | train:stage1 |",
    "| policy.width | 8 |",
    '| policy.views | ["a\\|b","c"] |',
    "| note | x y |",
  ]);
});
