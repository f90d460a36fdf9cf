import assert from "node:assert/strict";
import { join } from "node:path";
import { openCheckpoint, readPointer } from "../../lib/checkpoints/mod.ts";
import { startEngine } from "../../lib/engine/mod.ts";
import { readMetrics, type ValidationProgress } from "../../lib/training/mod.ts";
import { hasNative } from "../engine/_native.ts";
import { prepare, type SmallRun, smallRun } from "./_small_run.ts";
import { temporaryFolder } from "../_temporary.ts";

await startEngine({ engine: hasNative ? "tensorflow" : "wasm", install: false, quiet: true });
const folder = temporaryFolder();
await prepare(folder);

/** Digests of the tensors of a run's checkpoint, and its metrics. */
function result(run: string) {
  using checkpoint = openCheckpoint(run, { which: "final" });
  const { files, losses, sampler, epoch, globalStep } = checkpoint.document!;
  return {
    files,
    losses,
    sampler,
    epoch,
    globalStep,
    metrics: readMetrics(join(run, "metrics.jsonl")),
  };
}

const whole = await smallRun(folder, "whole");

Deno.test("train learns, and leaves latest, best and final checkpoints behind and nothing else", () => {
  const { metrics } = result(whole.run);
  const losses = metrics.flatMap((record) => record["train/loss_epoch"] ?? []).map(Number);
  assert.equal(losses.length, 3);
  assert(losses[2]! < losses[0]!, `losses ${losses}`);
  assert.equal(whole.stopped, null);
  const kept = new Set(
    (["latest", "best", "final"] as const).map((name) => readPointer(whole.run, name)),
  );
  const found = [...Deno.readDirSync(join(whole.run, "checkpoints"))].map(({ name }) =>
    join(whole.run, "checkpoints", name)
  );
  assert.deepEqual(new Set(found), kept);
});

Deno.test("train counts samples of an epoch once, with and without sensor, and lists its shares", () => {
  const { metrics } = result(whole.run);
  const epoch = metrics.findLast((record) => "train/loss_epoch" in record)!;
  const counted = Number(epoch["train/epoch_sensor_samples"]) +
    Number(epoch["train/epoch_nonsensor_samples"]);
  assert.equal(counted * 3, whole.state.samplesSeen);
  assert.equal(whole.shares.reduce((sum, { realised }) => sum + realised, 0), 1);
});

/** Stops after a step, as often as there are steps named. */
async function interrupted(name: string, stops: readonly number[], more: SmallRun = {}) {
  for (const stop of stops) {
    const controller = new AbortController();
    const { stopped, state } = await smallRun(folder, name, {
      ...more,
      signal: controller.signal,
      onStep: ({ state }) => state.globalStep === stop && controller.abort(),
    });
    assert.equal(stopped, "interrupted");
    assert.equal(state.globalStep, stop);
  }
  return await smallRun(folder, name, more);
}

Deno.test("train goes on after an interruption as if there had been none, bit for bit", async () => {
  const steps = whole.state.globalStep / 3;
  assert(steps >= 2);
  const again = await interrupted("interrupted", [1, steps]); // within an epoch, and at its end
  assert.equal(again.resumedFrom, steps);
  assert.deepEqual(result(again.run), result(whole.run));
});

Deno.test("train goes on with averages of the parameters, bit for bit", async () => {
  const more = { settings: { emaDecay: 0.9, epochs: 2, accumulation: 1 } };
  const straight = await smallRun(folder, "averaged", more);
  const again = await interrupted("averaged, interrupted", [3], more);
  assert.deepEqual(result(again.run), result(straight.run));
});

Deno.test("train stops early when validation does not improve, and still writes a final checkpoint", async () => {
  const { state, stopped, run } = await smallRun(folder, "early", {
    settings: { epochs: 9, learningRate: 0, sensorLearningRate: 0, earlyStopPatience: 2 },
  });
  assert.equal(stopped, "early");
  assert.equal(state.epoch, 3); // the first is the best, two more do not improve
  assert.equal(result(run).epoch, 3);
});

Deno.test("train that stopped early stays stopped, whatever it was killed at afterwards", async () => {
  const settings = { epochs: 9, learningRate: 0, sensorLearningRate: 0, earlyStopPatience: 1 };
  const first = await smallRun(folder, "stopped", { settings });
  assert.equal(first.state.epoch, 2);
  for (const name of ["final.json", "best.json"]) Deno.removeSync(join(first.run, name));
  const again = await smallRun(folder, "stopped", { settings });
  assert.equal(again.stopped, "early");
  assert.deepEqual(again.state, first.state);
  assert.equal(result(first.run).epoch, 2);
});

Deno.test("train says how far each validation is, and how long it takes from its second batch on", async () => {
  const seen: ValidationProgress[] = [];
  await smallRun(folder, "told", {
    settings: { epochs: 1 },
    onValidation: (progress) => seen.push(progress),
  });
  const { done, total } = seen.at(-1)!;
  assert(seen.length > 1 && done === total, `${done} of ${total} after ${seen.length} batches`);
  seen.forEach(({ done, secondsLeft }, i) => {
    assert.equal(done, Math.min(total, 4 * (i + 1)));
    assert(i === 0 ? secondsLeft === null : secondsLeft! >= 0, `${i}: ${secondsLeft}`);
  });
  assert.equal(seen.at(-1)!.secondsLeft, 0);
});
