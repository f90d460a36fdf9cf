import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { diagnoseData } from "../../lib/episodes/doctor/mod.ts";
import { preprocess } from "../../lib/episodes/preprocess.ts";
import { recordPhantom } from "../../lib/phantom/mod.ts";
import { tinyRecording } from "./_tiny_recording.ts";
import { temporaryFolder, temporaryPath } from "../_temporary.ts";

const SCRIPT = new URL("../../scripts/doctor.ts", import.meta.url).pathname;

async function run(...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", SCRIPT, ...args],
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

const sound = tinyRecording({ layout: "captures", seconds: 1 });
const damaged = tinyRecording({ layout: "captures", seconds: 1, cameraOffset: 3600 });

Deno.test("doctor --data ends with 0 and a document for sound data", async () => {
  const { code, stdout } = await run("--json", "--data", sound);
  assert.equal(code, 0);
  const { ok, findings, recordings, episodes } = JSON.parse(stdout);
  assert.equal(ok, true);
  for (const finding of findings) {
    assert.deepEqual(Object.keys(finding), ["severity", "code", "where", "message"]);
    assert.notEqual(finding.severity, "error");
  }
  assert.equal(recordings[0].path, sound);
  assert.deepEqual(episodes, []);
});

Deno.test("doctor --data ends with 1 when an invariant is violated", async () => {
  const { code, stdout, stderr } = await run("--json", "--data", sound, damaged);
  assert.equal(code, 1);
  const { ok, findings } = JSON.parse(stdout);
  assert.equal(ok, false);
  assert.equal(findings[0].severity, "error");
  assert.equal(findings[0].code, "clock.disjoint");
  assert.ok(findings[0].where.startsWith(damaged));
  assert.match(stderr, /clock\.disjoint/);
});

Deno.test("doctor --data prints a table and every finding", async () => {
  const { code, stdout } = await run("--data", `${dirname(dirname(damaged))}/*`);
  assert.equal(code, 1);
  assert.match(stdout, /^ {2}error clock\.disjoint \(view1\/left\): The streams should run/m);
  assert.equal(stdout.split("\n").filter((line) => line === damaged).length, 1);
  assert.match(stdout, /^recording +layout +robot Hz/m);
  assert.match(stdout, /1 recording, 0 episodes: 5 errors/);
});

Deno.test("doctor --data with nothing there is a finding, not a crash", async () => {
  const nowhere = temporaryPath("nowhere");
  const { code, stdout } = await run("--json", "--data", nowhere);
  assert.equal(code, 1);
  const [finding] = JSON.parse(stdout).findings;
  assert.deepEqual([finding.severity, finding.code, finding.where], [
    "error",
    "data.none",
    nowhere,
  ]);
});

Deno.test("doctor takes roots without --data too, and counts those that hold nothing", async () => {
  const nowhere = temporaryPath("nowhere");
  const { code, stdout } = await run("--quick", sound, nowhere, "--data", damaged);
  assert.equal(code, 1);
  assert.match(stdout, /^2 recordings, 0 episodes, 1 root that holds nothing: 6 errors/m);
  assert.ok(stdout.includes(`error data.none (${nowhere}): `));
  const json = await run("--json", nowhere);
  assert.deepEqual(JSON.parse(json.stdout).empty, [nowhere]);
});

Deno.test("doctor --quiet leaves remarks out, and nothing else", async () => {
  const loud = await run(sound, damaged), quiet = await run("--quiet", sound, damaged);
  assert.match(loud.stdout, /^ {2}info sensor\.missing/m);
  assert.ok(!/ info /.test(quiet.stdout));
  assert.match(quiet.stdout, /^ {2}error clock\.disjoint/m);
  const summary = (text: string) => text.slice(text.indexOf("recording  "));
  assert.equal(summary(quiet.stdout), summary(loud.stdout));
});

Deno.test("a folder with data.pkl alone is no broken recording", async () => {
  const folder = tinyRecording({ layout: "captures", seconds: 1 });
  const output = temporaryFolder(), made = join(output, "Captures1");
  await preprocess([folder], { format: "data-pkl", output });
  const { ok, findings, recordings, pickles, empty } = await diagnoseData([output]);
  assert.ok(ok, JSON.stringify(findings));
  assert.deepEqual([findings.map(({ code }) => code), recordings, empty], [
    ["pickle.no-times"],
    [],
    [],
  ]);
  assert.deepEqual(pickles, [
    { path: made, actions: 10, views: 5, hasSensor: false, errors: 0, warnings: 0 },
  ]);
  Deno.removeSync(join(folder, "view1"), { recursive: true });
  const moved = await diagnoseData([made]);
  const [missing] = moved.findings.filter(({ severity }) => severity === "warning");
  assert.equal(missing!.code, "pickle.images-missing");
  assert.match(missing!.message, /^5 of the 25 images that it names are not there/);
  assert.equal(moved.pickles[0]!.warnings, 1);
  Deno.truncateSync(join(made, "data.pkl"), 100);
  const damaged = await diagnoseData([output]);
  assert.deepEqual(damaged.findings.map(({ severity, code }) => [severity, code]), [
    ["error", "pickle.unreadable"],
  ]);
  assert.equal(damaged.pickles[0]!.errors, 1);
});

Deno.test("doctor --quick without --data is wrong usage", async () => {
  const { code, stderr } = await run("--quick");
  assert.equal(code, 2);
  assert.match(stderr, /--quick goes with --data/);
});

Deno.test("simulated recordings of every layout, and their episodes, are sound", async () => {
  const output = temporaryFolder();
  const layouts = ["white-silicone", "oct", "part1", "new-dataset", "new-dataset2"] as const;
  for await (const { path } of recordPhantom({ output, layouts, raster: 40, clock: "full" })) {
    const [outcome] = await preprocess([path]);
    assert.equal(outcome!.error, null);
  }
  const { ok, findings, recordings, episodes } = await diagnoseData([output]);
  assert.ok(ok);
  assert.deepEqual(findings.filter(({ severity }) => severity !== "info"), []);
  assert.deepEqual([recordings.length, episodes.length], [5, 5]);
});
