import assert from "node:assert/strict";
import { join } from "node:path";
import {
  chooseRuns,
  columnText,
  compareRuns,
  comparisonTable,
  findRuns,
  readRun,
  RUN_COLUMNS,
  type RunFacts,
  runRows,
  runsPage,
  sortRuns,
} from "../../lib/runs/mod.ts";
import { readRunConfig, RunFolder } from "../../lib/training/run/run_folder.ts";
import { assertWellFormed } from "../plots/_markup.ts";
import { makeRun, makeRuns } from "./_runs.ts";
import { temporaryFolder, temporaryPath } from "../_temporary.ts";

const names = (runs: readonly RunFacts[]) => runs.map(({ name }) => name);
const read = (root: string) => findRuns([root]).map(readRun);

Deno.test("readRun tells what a finished run was, and what came out", () => {
  const { settings, path: _, bytes, ...facts } = readRun(join(makeRuns(), "a-finished"));
  assert.deepEqual(facts, {
    ...{ name: "a-finished", state: "finished", program: "train:stage1", stage: "stage1" },
    ...{ family: "regression", fusion: "concat", preset: "tiny", seed: 1 },
    ...{ epochs: 4, plannedEpochs: 4, steps: 12, valLoss: 0.5, rmse: 0.1, ratio: 0.5, seconds: 75 },
    closedLoop: [{ replanMs: 800, episodes: 40, successRate: 0.925 }],
    ...{ problems: [], features: null, finetune: null },
  });
  assert.equal((settings!.training as Record<string, unknown>).seed, 1);
  assert(bytes > 1000);
});

Deno.test("readRun tells how far an unfinished run is, from the end of long metrics too", () => {
  for (const steps of [1, 3000]) { // 3000 lines are more than is read first
    const path = makeRun(temporaryPath("run"), { seed: 6, epochs: 2 });
    const line = (step: number) =>
      `${JSON.stringify({ global_step: step, epoch: 3, "train/loss_step": 0.123456789 })}\n`;
    Deno.writeTextFileSync(
      join(path, "metrics.jsonl"),
      Array.from({ length: steps }, (_, i) => line(7 + i)).join("") + '{"global_step": 99999, "tra',
      { append: true },
    );
    const { state, epochs, plannedEpochs, steps: done, valLoss, problems } = readRun(path);
    assert.deepEqual([state, epochs, plannedEpochs, done, valLoss, problems], [
      ...["unfinished", 2, 4, 6 + steps, 2, []],
    ]);
  }
});

Deno.test("readRun reads the end of long metrics from a whole line on", () => {
  const path = makeRun(temporaryPath("run"), { epochs: 2 });
  const file = join(path, "metrics.jsonl"), end = Deno.readTextFileSync(file);
  const line = `${JSON.stringify({ global_step: 1, "train/loss_step": 0.123456789 })}\n`;
  for (let n = 2000; n < 2060; n++) { // what is read first begins anywhere within a line
    Deno.writeTextFileSync(file, line.repeat(2000) + " ".repeat(n - 2000) + line + end);
    const { steps, epochs, problems } = readRun(path);
    assert.deepEqual([steps, epochs, problems], [6, 2, []]);
  }
});

Deno.test("readRun sees that a process holds a run, and is in the way only while it looks", () => {
  const config = { program: "train:stage1", settings: {}, notes: {} };
  const path = temporaryPath("run");
  {
    using _run = RunFolder.open(path, config);
    assert.equal(readRun(path).state, "in progress");
  }
  assert.equal(readRun(path).state, "unfinished");
  const look = Deno.openSync(join(path, ".lock"));
  assert(look.tryLockSync(false));
  assert.throws(() => RunFolder.open(path, config), /another process/);
  look.close();
  RunFolder.open(path, config)[Symbol.dispose]();
});

Deno.test("readRun names what is damaged or missing, whatever it is, and never fails", () => {
  const damages: [string, string | null, RegExp][] = [
    ["config.json", "{", /config\.json/],
    ["config.json", '{"format":"trocar run","version":9}', /version 1/],
    ["config.json", null, /config\.json.* must be there/],
    ["summary.json", '{"program": "train', /summary\.json.*Remove it/],
    ["summary.json", "null", /summary\.json/],
    ["summary.json", "[]", /summary\.json/],
  ];
  for (const [name, text, message] of damages) {
    const path = makeRun(temporaryPath("run"), { rmse: 0.1 });
    if (text === null) Deno.removeSync(join(path, name));
    else Deno.writeTextFileSync(join(path, name), text);
    const facts = readRun(path);
    assert.equal(facts.state, "damaged", `${name} ${text}`);
    assert.match(facts.problems.join("\n"), message);
    assert.deepEqual([facts.epochs, facts.program], [4, "train:stage1"]);
    runRows([facts]);
  }
  const unfinished = makeRun(temporaryPath("run"), { epochs: 2 });
  Deno.writeTextFileSync(
    join(unfinished, "latest.json"),
    '{"format":"trocar-pointer","checkpoint":"gone"}',
  );
  assert.equal(readRun(unfinished).state, "damaged");
  assert.match(readRun(unfinished).problems[0]!, /gone should be there/);
  Deno.removeSync(join(unfinished, "latest.json"));
  Deno.writeTextFileSync(join(unfinished, "metrics.jsonl"), 'garbage\n{"global_step":7}\n');
  const { state, steps, problems } = readRun(unfinished);
  assert.deepEqual([state, steps], ["damaged", 7]);
  assert.match(problems[0]!, /garbage/);
});

Deno.test("readRun takes any JSON for a summary of an older or newer version", () => {
  const path = makeRun(temporaryPath("run"), { rmse: 0.1 });
  const values = [null, 1, "x", [], {}, [1], { rmse: "0.1" }, { total: [] }, { zero: { rmse: 0 } }];
  for (const key of ["seed", "epochs", "steps", "seconds", "val", "baselines", "closedLoop"]) {
    for (const value of values) {
      Deno.writeTextFileSync(
        join(path, "summary.json"),
        JSON.stringify({ program: "train:stage1", [key]: value }),
      );
      const facts = readRun(path);
      assert.equal(facts.state, "finished");
      assert.equal(facts.ratio, null);
      runRows([facts]);
      RUN_COLUMNS.forEach((column) => sortRuns([facts, facts], column));
      assertWellFormed(runsPage(compareRuns([facts])));
    }
  }
});

Deno.test("findRuns finds runs in folders, by wildcards and through links, each once", () => {
  const runs = makeRuns();
  const deep = makeRun(join(runs, "ablation", "deep"), { rmse: 0.3 });
  Deno.symlinkSync(runs, join(runs, "ablation", "circle"));
  Deno.symlinkSync(join(runs, "a-finished"), join(runs, "link"));
  Deno.symlinkSync(join(runs, "nowhere"), join(runs, "broken"));
  Deno.mkdirSync(join(runs, "empty"));
  Deno.mkdirSync(join(runs, "foreign"));
  Deno.writeTextFileSync(join(runs, "foreign", "config.json"), '{"model_type":"qwen2_5_vl"}');
  Deno.writeTextFileSync(join(runs, "notes.txt"), "");
  const found = findRuns([runs]);
  assert.deepEqual(names(found.map(readRun)), ["a-finished", "deep", "b-better", "c-unfinished"]);
  assert.deepEqual(findRuns([deep, deep, join(runs, "*", "deep")]), [deep]);
  assert.deepEqual(findRuns([join(runs, "empty")]), []);
  assert.throws(() => findRuns([join(runs, "x*")]), /nothing matches/);
  assert.throws(() => findRuns([join(runs, "none")]), /no such folder/);
});

Deno.test("sortRuns puts the best first and what is unknown last, either way", () => {
  const runs = read(makeRuns());
  const sorted = (column: typeof RUN_COLUMNS[number], reverse = false) =>
    names(sortRuns(runs, column, { reverse })).map((name) => name[0]).join("");
  assert.equal(sorted("ratio"), "bac");
  assert.equal(sorted("ratio", true), "abc");
  assert.equal(sorted("success"), "abc");
  assert.equal(sorted("success", true), "bac");
  assert.equal(sorted("seed"), "abc");
  assert.equal(sorted("seed", true), "cba");
});

Deno.test("runs of one name are told apart by their folders", () => {
  const root = temporaryFolder();
  for (const folder of ["a", "b"]) makeRun(join(root, folder, "run"));
  makeRun(join(root, "b", "other"));
  const rows = runRows(read(root));
  assert.deepEqual(rows.slice(1).map(([name]) => name), ["a/run", "other", "b/run"]);
});

Deno.test("compareRuns shows only what differs, and results of all", () => {
  const runs = read(makeRuns());
  const comparison = compareRuns(runs);
  assert.deepEqual(comparison.differences, [
    { setting: "policy.fusion", values: ["concat", "gated", "concat"] },
    { setting: "training.seed", values: [1, 2, 10] },
  ]);
  const rows = new Map(comparisonTable(comparison).map(([name, ...cells]) => [name, cells]));
  assert.deepEqual(rows.get("training.seed"), ["1", "2", "10"]);
  assert.deepEqual(rows.get("of baseline"), ["0.5000", "0.2500", "–"]);
  assert.deepEqual(rows.get("success"), ["92.5 %", "50 %", "–"]);
  assert.deepEqual(rows.get("epochs"), ["4/4", "4/4", "2/4"]);
  assert(!rows.has("training.epochs"));
  // One whose settings cannot be read differs in none.
  Deno.writeTextFileSync(join(runs[1]!.path, "config.json"), "{");
  assert.deepEqual(
    compareRuns(runs.map(({ path }) => readRun(path))).differences,
    [{ setting: "training.seed", values: [1, null, 10] }],
  );
});

Deno.test("chooseRuns takes paths and parts of names that fit one run", () => {
  const runs = read(makeRuns());
  assert.deepEqual(names(chooseRuns(["b-", runs[0]!.path, "unfinished/"], runs)), [
    ...["b-better", "a-finished", "c-unfinished"],
  ]);
  assert.throws(() => chooseRuns(["finished"], runs), /2 runs of 3/);
  assert.throws(() => chooseRuns(["x"], runs), /none of 3/);
  assert.throws(() => chooseRuns([""], runs), /which run is meant by ""/);
});

Deno.test("runsPage shows losses of all runs, and escapes what comes from files", () => {
  const runs = makeRuns();
  makeRun(join(runs, 'd"<script>&'), { rmse: 0.3 });
  Deno.writeTextFileSync(join(runs, "c-unfinished", "metrics.jsonl"), "<b>\n");
  const html = runsPage(compareRuns(read(runs)));
  assertWellFormed(html);
  assert(!html.includes("<script>") && !html.includes("<b>"));
  for (
    const text of ["Validation loss", "Training loss", "training.seed", "a-finished, every 0.8 s"]
  ) {
    assert(html.includes(text), text);
  }
});

Deno.test("columnText fits every column of a run of which nothing is known", () => {
  const path = makeRun(temporaryPath("run"), { epochs: 0 });
  Deno.writeTextFileSync(
    join(path, "config.json"),
    JSON.stringify({ format: "trocar run", version: 1, program: "x", settings: {}, notes: {} }),
  );
  assert.deepEqual(readRunConfig(path).settings, {});
  const texts = RUN_COLUMNS.map((column) => columnText(readRun(path), column));
  assert.deepEqual(texts.slice(0, 8), ["run", "x", "–", "–", "–", "0/–", "0", "unfinished"]);
});

Deno.test("the program's column tells apart what was trained of the model, and whose features", () => {
  const texts = [
    { features: { name: "pixel-2048" } },
    { features: { name: "qwen2.5-vl-3b" } },
    { features: { name: "qwen2.5-vl-3b" }, visionLanguage: { parts: "lora" } },
  ].map((settings) => {
    const config = { program: "train:stage2", settings, notes: {} };
    using run = RunFolder.create(temporaryPath("runs"), config);
    return columnText(readRun(run.path), "program");
  });
  assert.deepEqual(texts, ["train:stage2", "train:stage2 qwen2.5-vl-3b", "train:stage2 lora"]);
});
