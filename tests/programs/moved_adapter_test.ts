/** Runs whose adapter is no longer where it was. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { digestAdapter, readAdapter, readModelConfig } from "../../lib/vision_language/mod.ts";
import { textFlag } from "../../lib/cli/mod.ts";
import { resumedValues } from "../../lib/programs/resume.ts";
import { runModel } from "../../lib/programs/run_model.ts";
import { temporaryFolder } from "../_temporary.ts";
import { TINY_MODEL } from "../training/_small_run.ts";
import { run } from "./_command.ts";

const ADAPTER = join(TINY_MODEL, "../lora/attn");
const GONE = join(temporaryFolder(), "gone");

/** A run's folder that says with which adapter it was made. */
function runWith(adapter: string, settings: Record<string, unknown> = {}): string {
  const path = temporaryFolder();
  const notes = { flags: { model: TINY_MODEL, adapter } };
  Deno.writeTextFileSync(
    join(path, "config.json"),
    JSON.stringify({ format: "trocar run", version: 1, program: "train:stage2", settings, notes }),
  );
  return path;
}

Deno.test("a run's policy sees with the run's adapter, or with the one that is named where it was moved", () => {
  const { digest } = runModel(runWith(ADAPTER)).adapter!;
  const expected = digestAdapter(
    readAdapter(ADAPTER, readModelConfig(join(TINY_MODEL, "config.json"))),
  );
  assert.equal(digest, expected);
  const moved = runWith(GONE);
  assert.throws(
    () => runModel(moved),
    /should be in .*gone, .*place where it is now: --adapter DIR/,
  );
  for (const given of [{}, { model: TINY_MODEL }]) {
    assert.equal(runModel(moved, given, ADAPTER).adapter!.digest, expected);
  }
  assert.equal(runModel(null, { model: TINY_MODEL }, ADAPTER).adapter!.digest, expected);
});

Deno.test("what a second stage trained is in its checkpoints: no adapter is looked for, and none is taken", () => {
  const path = runWith(GONE, { visionLanguage: { parts: "lora" } });
  assert.equal(runModel(path).adapter, undefined);
  assert.throws(() => runModel(path, {}, ADAPTER), /checkpoints hold .* Leave --adapter out/);
});

Deno.test("--resume says how a moved adapter is named, and takes it from there", () => {
  const flags = {
    ...{ adapter: textFlag("adapter"), model: textFlag("model") },
    ...{ resume: textFlag("run"), run: textFlag("run") },
  };
  const resume = (path: string, adapter?: string) =>
    resumedValues(
      "train:stage2",
      flags,
      { resume: path, run: undefined, noResume: false, adapter },
      new Set(["resume", ...(adapter === undefined ? [] : ["adapter"])]),
    );
  const moved = runWith(GONE);
  assert.throws(() => resume(moved), /Cannot use the run .*gone, .*--adapter DIR/);
  assert.equal(resume(moved, ADAPTER).adapter, ADAPTER);
  assert.equal(resume(runWith(ADAPTER)).adapter, ADAPTER);
});

Deno.test("evaluate, predict and simulate take --adapter beside --model", async () => {
  for (const script of ["evaluate.ts", "predict.ts", "simulate.ts"]) {
    const { code, stdout, stderr } = await run(script, ["--help"]);
    assert.equal(code, 0, stderr);
    assert.match(stdout + stderr, /--adapter <?DIR/, script);
  }
});
