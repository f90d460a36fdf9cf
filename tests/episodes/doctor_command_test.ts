import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { diagnoseData } from "../../lib/episodes/doctor/mod.ts";
import { preprocess } from "../../lib/episodes/preprocess.ts";
import { recordPhantom } from "../../lib/phantom/mod.ts";
import { tinyRecording } from "./_tiny_recording.ts";

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
  assert.match(stdout, /^error clock\.disjoint \(.*view1\/left\): The streams should run/m);
  assert.match(stdout, /^recording +layout +robot Hz/m);
  assert.match(stdout, /1 recording, 0 episodes: 5 errors/);
});

Deno.test("doctor --data with nothing there is a finding, not a crash", async () => {
  const nowhere = join(Deno.makeTempDirSync(), "nowhere");
  const { code, stdout } = await run("--json", "--data", nowhere);
  assert.equal(code, 1);
  const [finding] = JSON.parse(stdout).findings;
  assert.deepEqual([finding.severity, finding.code, finding.where], [
    "error",
    "data.none",
    nowhere,
  ]);
});

Deno.test("doctor --quick without --data is wrong usage", async () => {
  const { code, stderr } = await run("--quick");
  assert.equal(code, 2);
  assert.match(stderr, /--quick goes with --data/);
});

Deno.test("simulated recordings of every layout, and their episodes, are sound", async () => {
  const output = Deno.makeTempDirSync();
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
