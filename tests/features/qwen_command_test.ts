import assert from "node:assert/strict";
import { preprocess } from "../../lib/episodes/mod.ts";
import { temporaryFolder } from "../_temporary.ts";
import { run } from "../programs/_command.ts";
import { copyModel, MODEL } from "../vision_language/_folder.ts";
import { ENGINE } from "./_qwen.ts";

const recordings = new URL("../../data-fixtures/recordings", import.meta.url).pathname;
const data = temporaryFolder(), cache = temporaryFolder();
await preprocess([`${recordings}/N*/recv*`], { output: data });
const flags = (model: readonly string[]) => [
  ...["--data", data, "--cache", cache, "--reuse", "2", "--views", "View1", "View5"],
  ...["--features", "qwen2.5-vl-3b", ...model, "--engine", ENGINE, "--json"],
];

Deno.test("cache commands make features of a model's folder: plan, build by two processes, verify, stats", async () => {
  const own = flags(["--model", MODEL]);
  const plan = await run("cache_plan.ts", [...own, "--latency"]);
  assert.equal(plan.code, 0, plan.stderr);
  const { planned, missing, bytes, estimatedSeconds, latencyMs, reuse } = JSON.parse(plan.stdout);
  assert(planned > 3);
  assert.deepEqual([missing, bytes], [planned, planned * (64 + 2 * 48)]);
  assert(estimatedSeconds > 0 && latencyMs.p95 >= latencyMs.p50);
  assert.equal(reuse, Math.ceil(latencyMs.planned / 100 * (1 - 1e-9)));

  const build = ["--processes", "2", "--", "cache:build", ...own];
  const built = await run("launch.ts", build);
  assert.equal(built.code, 0, built.stderr);
  const made = JSON.parse(built.stdout);
  assert.deepEqual([made.planned, made.hit, made.built, made.failed], [planned, 0, planned, 0]);

  const verified = await run("cache_verify.ts", [...own, "--sample", "2"]);
  assert.equal(verified.code, 0, verified.stderr);
  const { hit, compared } = JSON.parse(verified.stdout);
  assert.deepEqual([hit, compared], [planned, 2]);

  // Another place is no other model; other weights are.
  const elsewhere = await run("cache_stats.ts", flags(["--model", copyModel()]));
  assert.equal(JSON.parse(elsewhere.stdout).hit, planned);
  const random = await run("cache_stats.ts", flags(["--random-weights", "tiny"]));
  assert.equal(JSON.parse(random.stdout).hit, 0);
});

Deno.test("cache commands say which model is lacking", async () => {
  const none = await run("cache_plan.ts", flags([]));
  assert.equal(none.code, 1);
  assert.match(none.stderr, /--model should name the folder.*--random-weights/);
  const nowhere = await run("cache_build.ts", flags(["--model", "/nowhere"]));
  assert.equal(nowhere.code, 1);
  assert.match(nowhere.stderr, /\/nowhere.*config\.json/);
});
