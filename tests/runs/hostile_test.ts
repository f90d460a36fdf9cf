/** Folders of runs that somebody else, or a broken disk, has written. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { inspect } from "../../lib/inspect/mod.ts";
import { compareRuns, findRuns, readRun, runRows, runsPage } from "../../lib/runs/mod.ts";
import { isHeld, readRunConfig, RunFolder } from "../../lib/training/run/run_folder.ts";
import { end, run, start } from "../programs/_command.ts";
import { makeRun } from "./_runs.ts";
import { temporaryFolder, temporaryPath } from "../_temporary.ts";

const place = () => temporaryPath("run");
const nested = (levels: number) => `${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`;
const config = (settings: string) =>
  `{"format":"trocar run","version":1,"program":"x","notes":{},"settings":${settings}}`;

function pipe(path: string): void {
  assert(new Deno.Command("mkfifo", { args: [path] }).outputSync().success);
}

/** A file that is larger than it may be, and takes no room on the disk. */
function enlarge(path: string): void {
  Deno.truncateSync(path, 17e6);
}

Deno.test({
  name: "pipes in the place of a run's files are not waited for",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    for (const name of [".lock", "config.json", "summary.json", "metrics.jsonl"]) {
      const path = makeRun(place(), { rmse: 0.1 });
      Deno.removeSync(join(path, name));
      pipe(join(path, name));
      // In a process of its own: one that waits could not end itself.
      const child = start("runs.ts", [path, "--json"]);
      const timer = setTimeout(() => child.kill("SIGKILL"), 60_000);
      const { code, stdout } = await end(child);
      clearTimeout(timer);
      assert.equal(code, 0, name);
      const [facts] = JSON.parse(stdout).runs;
      const isDamaged = name === "config.json" || name === "summary.json";
      assert.equal(facts.state, isDamaged ? "damaged" : "finished", name);
      if (isDamaged) await assert.rejects(inspect(path), /is no file/);
      else assert.equal((await inspect(path)).kind, "run");
    }
    const path = place();
    Deno.mkdirSync(path);
    pipe(join(path, ".lock"));
    assert.equal(isHeld(path), false);
    const wanted = { program: "x", settings: {}, notes: {} };
    assert.throws(() => RunFolder.open(path, wanted), /\.lock is no file/);
  },
});

Deno.test("a run that is nested too deep, too large, or cannot be compared is damaged; others are told", async () => {
  const root = temporaryFolder(), good = makeRun(join(root, "good"), { rmse: 0.1 });
  const damages: [string, string | null, RegExp][] = [
    ["config.json", config(nested(20_000)), /of at most 32 levels/],
    ["config.json", config(`{"a":${"[".repeat(40)}${"]".repeat(40)}}`), /of at most 32 levels/],
    ["config.json", `{"format":${nested(20_000)},"version":1}`, /of at most 32 levels/],
    ["config.json", '{"format":"trocar run","version":{"toString":1}}', /of version 1/],
    ["config.json", config('{"a":1e999}'), /finite/],
    ["config.json", config('{"a":"\\ud800"}'), /surrogate/],
    ["config.json", config('{"\\ud800":1}'), /surrogate/],
    ["config.json", null, /config\.json.*16 MB, current value has 17000000/],
    ["summary.json", `{"program":"x","a":${nested(20_000)}}`, /of at most 32 levels/],
    ["summary.json", '{"program":["a"]}', /without its program/],
    ["summary.json", null, /summary\.json.*16 MB, current value has 17000000/],
  ];
  damages.forEach(([name, text], i) => {
    const path = makeRun(join(root, `bad-${i}`), { rmse: 0.1 });
    if (text === null) enlarge(join(path, name));
    else Deno.writeTextFileSync(join(path, name), text);
  });
  const runs = findRuns([root]).map(readRun);
  assert.equal(runs.length, damages.length + 1);
  for (const { name, state, problems } of runs) {
    if (name === "good") assert.deepEqual([state, problems], ["finished", []]);
    else {
      assert.equal(state, "damaged", name);
      assert.match(problems.join("\n"), damages[Number(name.slice(4))]![2]);
    }
  }
  runRows(runs);
  runsPage(compareRuns(runs));
  assert.throws(() => readRunConfig(join(root, "bad-0")), SyntaxError);
  const { program, settings, notes } = readRunConfig(good);
  // Whoever looks for a run to go on with passes by those.
  Deno.removeSync(join(good, "summary.json"));
  RunFolder.unfinished(root, { program, settings, notes })![Symbol.dispose]();
  const { code, stdout, stderr } = await run("runs.ts", [root, "--html", join(root, "page.html")]);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^good .* unfinished /m);
  assert.match(stdout, /^bad-0 .* damaged /m);
  await assert.rejects(inspect(join(root, "bad-0")), /of at most 32 levels/);
  await assert.rejects(inspect(join(root, "bad-10")), /16 MB/);
});

Deno.test("a damaged configuration makes a folder a run without lock and metrics too, once read", () => {
  const path = place();
  Deno.mkdirSync(path);
  Deno.writeTextFileSync(join(path, "config.json"), config("{").slice(0, -1));
  assert.deepEqual(findRuns([path]), [path]);
  Deno.writeTextFileSync(join(path, "config.json"), '{"model_type": "qwen2_5_vl"}');
  assert.deepEqual(findRuns([path]), []);
});

Deno.test("what cannot be is left blank", () => {
  const path = makeRun(place(), { rmse: 0.1 });
  const file = join(path, "summary.json"), whole = JSON.parse(Deno.readTextFileSync(file));
  const long = "x".repeat(101);
  const untrue: [object, keyof ReturnType<typeof readRun>, unknown][] = [
    [{ seconds: { total: -5 } }, "seconds", null],
    [{ val: { rmse: -1 } }, "rmse", null],
    [{ val: { rmse: -1 } }, "ratio", null],
    [{ val: { loss: -1, rmse: 1 } }, "valLoss", 2 / 12], // that of the metrics
    [{ baselines: { zero: { rmse: -0.1 } } }, "ratio", null],
    [{ epochs: 1.5 }, "epochs", 4],
    [{ steps: -3 }, "steps", 12],
    [{ seed: 0.5 }, "seed", 1],
    [{ fusion: ["a"], preset: long }, "preset", "tiny"],
    ...[-0.1, 1.1, 1e300, "1"].map((successRate): [object, "closedLoop", unknown] => [
      { closedLoop: [{ replanMs: 800, episodes: 40, successRate }] },
      "closedLoop",
      [],
    ]),
    [{ closedLoop: [{ replanMs: -1, episodes: 0.5, successRate: 1 }] }, "closedLoop", [
      { replanMs: null, episodes: null, successRate: 1 },
    ]],
    [{ closedLoop: Array.from({ length: 101 }, () => ({ successRate: 1 })) }, "closedLoop", []],
  ];
  for (const [change, name, expected] of untrue) {
    Deno.writeTextFileSync(file, JSON.stringify({ ...whole, ...change }));
    const facts = readRun(path);
    assert.deepEqual(facts[name], expected, JSON.stringify(change).slice(0, 80));
    assert.equal(facts.state, "finished");
  }
});

Deno.test("a line break in a name does not begin a line of its own", async () => {
  const root = temporaryFolder();
  const path = makeRun(join(root, "a\nwarning: all is lost"), { rmse: 0.1 });
  Deno.writeTextFileSync(join(path, "config.json"), "{");
  const { stdout, stderr } = await run("runs.ts", [root]);
  assert.equal(stderr.trim().split("\n").length, 1, stderr);
  assert(stderr.includes("a\\x0awarning: all is lost"));
  assert.equal(stdout.trim().split("\n").length, 2);
});
