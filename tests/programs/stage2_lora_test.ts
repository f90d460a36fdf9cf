/** A second stage that trains the visual-language model, from its command to files that others read. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { checkCheckpoint, openCheckpoint } from "../../lib/checkpoints/mod.ts";
import { openPolicy, policyExtractor, visualChanges } from "../../lib/control/mod.ts";
import { currentEngine, startEngine, tf } from "../../lib/engine/mod.ts";
import { qwenFeatures } from "../../lib/features/mod.ts";
import { readMetrics } from "../../lib/training/mod.ts";
import {
  loadWeights,
  mergeAdapter,
  openModelFolder,
  readAdapter,
  readModelConfig,
} from "../../lib/vision_language/mod.ts";
import { run } from "./_command.ts";
import { ENGINE, smallData } from "./_small_data.ts";
import { TINY_MODEL } from "../training/_small_run.ts";

const { folder, flags } = await smallData();
const MODEL = ["--features", "qwen2.5-vl-3b", "--model", TINY_MODEL, "--max-pixels", "3136"];
const FIRST = join(folder, "first"), SECOND = join(folder, "second");
/** Validation losses of a run. */
function validated(path: string): number[] {
  return readMetrics(join(path, "metrics.jsonl"))
    .map((record) => record["val/loss_epoch"])
    .filter((loss) => typeof loss === "number");
}
const COMMON = [...flags, ...MODEL, "--views", "View1", "--batch-size", "16"];

Deno.test("low-rank additions improve on the first stage, and its files say what was trained", async () => {
  const first = await run("train_stage1.ts", [
    ...[...COMMON, "--cache-mode", "readwrite", "--no-sensor", "--epochs", "3", "--run", FIRST],
  ]);
  assert.equal(first.code, 0, first.stderr);
  const second = await run("train_stage2.ts", [
    ...[...COMMON, "--stage1-checkpoint", FIRST, "--run", SECOND, "--epochs", "3"],
    ...["--vl-lr", "1e-3", "--lora-r", "4", "--lora-alpha", "8", "--json"],
  ]);
  assert.equal(second.code, 0, second.stderr);
  const { val, beginsWith } = JSON.parse(second.stdout);
  using best = openCheckpoint(FIRST, { which: "best" });
  assert.equal(beginsWith.path, best.path);
  // Stage 1 validated it on cached features, stage 2 on those that the model computes anew.
  const before = Math.min(...validated(FIRST)), start = beginsWith.validationLoss;
  assert.ok(Math.abs(start - before) < 1e-5, `${start}, in the first stage ${before}`);
  assert.equal(validated(SECOND).length, 4, "before the first epoch and after each");
  assert.ok(val.loss < start, `${val.loss} after ${start}`);
  const { ok, visualLanguage } = await checkCheckpoint(SECOND);
  assert.ok(ok, "the checkpoint is whole");
  assert.match(
    visualLanguage!,
    /lora, rank 4, alpha 8, 4,032 parameters, of Qwen2\.5-VL 3x48 [0-9a-f]{12}/,
  );
});

Deno.test("its adapter is one of peft's, and merged it makes the same features", async () => {
  const config = readModelConfig(join(TINY_MODEL, "config.json"));
  const { lora, tensors } = readAdapter(join(SECOND, "adapter"), config);
  assert.deepEqual([lora.rank, lora.alpha, Object.keys(tensors).length], [4, 8, 24]);
  if (currentEngine() === undefined) {
    await startEngine({ engine: ENGINE[1] as "wasm", install: false, quiet: true });
  }
  using checkpoint = openCheckpoint(SECOND, { which: "final" });
  using policy = await openPolicy(checkpoint.path);
  const adapted = (await policyExtractor(policy, { model: TINY_MODEL }))!;
  assert.equal(adapted.identity.adapter, (await visualChanges(checkpoint.path))!.digest);
  using opened = openModelFolder(TINY_MODEL);
  const weights = await loadWeights(opened, { dtype: "float32" });
  const values = Object.fromEntries(
    Object.entries(tensors).map(([key, { shape, data }]) => [key, tf.tensor(data, [...shape])]),
  );
  const replaced = mergeAdapter(weights, values, lora.alpha / lora.rank);
  const settings = { model: TINY_MODEL, views: ["View1"], maxPixels: 3136 };
  using merged = await qwenFeatures({
    ...settings,
    adapter: { digest: "merged", changes: () => ({ replaced }) },
  });
  using base = await qwenFeatures(settings);
  const request = { views: [{ name: "View1", image: null }], instruction: "Insert the needle" };
  const [a, b, c] = await Promise.all([adapted, merged, base].map(async (extractor) => {
    const [feature] = await extractor.extract([request]);
    return feature!.values;
  }));
  const distance = (x: Float32Array, y: Float32Array) =>
    Math.max(...x.map((value, i) => Math.abs(value - y[i]!)));
  assert.ok(distance(a!, b!) < 2e-2, `merged: ${distance(a!, b!)}`);
  assert.ok(distance(a!, b!) < distance(a!, c!) / 4, `the adapter does: ${distance(a!, c!)}`);
});

Deno.test("other features than the first stage's are refused by what differs, before any are made", async () => {
  const { code, stderr } = await run("train_stage2.ts", [
    ...[...COMMON, "--stage1-checkpoint", FIRST, "--max-pixels", "6272", "--feature-tap"],
    ...["last-token", "--dry-run"],
  ]);
  assert.equal(code, 1, stderr);
  assert.match(stderr, /has processor\.maxPixels 6272 instead of 3136; taps\.pooling "last-token"/);
  assert.doesNotMatch(stderr, /features of \d+ episodes/);
});

Deno.test("a cache and a model that is trained are refused together", async () => {
  for (const more of [["--cache-mode", "readwrite"], ["--mode", "cache"]]) {
    const { code, stderr } = await run("train_stage2.ts", [
      ...[...COMMON, "--stage1-checkpoint", FIRST, ...more],
    ]);
    assert.equal(code, 2, stderr);
    assert.match(stderr, /are stale/);
  }
});
