import assert from "node:assert/strict";
import { join } from "node:path";
import { readMetrics } from "../../lib/training/mod.ts";
import { end, finalTensors, logged, run, start } from "./_command.ts";
import { smallData } from "./_small_data.ts";

const { folder, flags } = await smallData();
const SMALL = [...flags, "--epochs", "2", "--batch-size", "8", "--seed", "6"];

const whole = await run("train_stage1.ts", [...SMALL, "--run", join(folder, "whole"), "--json"]);

Deno.test("train:stage1 --json prints the run's summary and nothing else", () => {
  assert.equal(whole.code, 0, whole.stderr);
  const summary = JSON.parse(whole.stdout);
  assert.deepEqual(
    summary,
    JSON.parse(Deno.readTextFileSync(join(folder, "whole", "summary.json"))),
  );
  assert.equal(summary.program, "train:stage1");
  assert.equal(summary.stage, "stage1");
  assert.equal(summary.epochs, 2);
  assert.equal(summary.resumedFrom, null);
  const { sensorEncoder, actionExpert, total } = summary.parameters;
  assert.equal(sensorEncoder + actionExpert, total);
  for (const name of ["zero", "mean", "holdLast"]) {
    assert.ok(summary.baselines[name].rmse > 0, name);
  }
  assert.equal(summary.val.perDimension.length, 7);
  const shares = summary.data.groups.map((g: { realisedShare: number }) => g.realisedShare);
  assert.ok(Math.abs(shares.reduce((a: number, b: number) => a + b, 0) - 1) < 1e-9);
  for (const name of ["latest", "best", "final"]) {
    assert.ok(Deno.statSync(summary.checkpoints[name]).isDirectory, name);
  }
});

Deno.test("train:stage1 leaves configuration, metrics, split, statistics, events and a report", () => {
  const names = [...Deno.readDirSync(join(folder, "whole"))].map(({ name }) => name);
  for (
    const name of ["config.json", "metrics.jsonl", "split.json", "statistics.json", "report.html"]
  ) {
    assert.ok(names.includes(name), name);
  }
  assert.equal(names.filter((name) => name.startsWith("events.out.tfevents.")).length, 1);
  const steps = readMetrics(join(folder, "whole", "metrics.jsonl"));
  assert.ok(steps.some((record) => "val/loss_epoch" in record));
});

/** Interrupts a training, then kills it as it goes on; false where that came too late. */
async function isStoppedTwice(path: string): Promise<boolean> {
  for (const [signal, steps] of [["SIGINT", 1], ["SIGKILL", 4]] as const) {
    const child = start("train_stage1.ts", [...SMALL, "--run", path]);
    await logged(join(path, "metrics.jsonl"), steps, child);
    try {
      child.kill(signal);
    } catch {
      // Its end says why it is over already.
    }
    const { code, stderr } = await end(child);
    if (code === 0 || /its run is finished/.test(stderr)) return false;
    assert.equal(code, signal === "SIGINT" ? 130 : 137, stderr);
  }
  return true;
}

Deno.test("killed and interrupted, train:stage1 goes on and ends with the same policy, bit for bit", async () => {
  const path = join(folder, "interrupted");
  for (let late = 0; !await isStoppedTwice(path);) {
    assert.ok(++late < 5, "it was over before the signals"); // once, on a busy machine
    Deno.removeSync(path, { recursive: true });
  }
  const { code, stderr } = await run("train_stage1.ts", [...SMALL, "--run", path]);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /going on/);
  assert.deepEqual(finalTensors(path), finalTensors(join(folder, "whole")));
  assert.deepEqual(
    readMetrics(join(path, "metrics.jsonl")),
    readMetrics(join(folder, "whole", "metrics.jsonl")),
  );
});

const REFUSED: readonly [name: string, args: string[], code: number, message: RegExp][] = [
  ["an unknown flag", ["--epoch", "2"], 2, /did you mean --epochs/],
  ["stage 2", ["--training-stage", "stage2"], 2, /Stage 2 training requires --stage1-checkpoint/],
  ["contradictory flags", ["--no-sensor", "--fusion", "gated"], 2, /leave one of them out/],
  [
    "a squeezed window",
    ["--sensor-temporal-length", "65", "--sensor-window-size", "650"],
    2,
    /time base/,
  ],
  ["other channels", ["--sensor_input_channels", "1025"], 2, /Expected 1026 channels, got 1025/],
  ["an unknown fusion", ["--fusion-strategy", "film"], 2, /concat, cross_attention, gated, none/],
  ["data that are not there", ["--data", join(folder, "nothing")], 1, /nothing/],
  ["features that are missing", ["--cache", join(folder, "empty")], 1, /cache:build/],
  ["a weight for nobody", ["--weights", "Nobody=3"], 1, /Nobody/],
  ["a sensor that nobody has", ["--seed", "5"], 1, /Train with --no-sensor/],
  ["a finished run", ["--run", join(folder, "whole")], 1, /finished/],
  ["a sensor that counts nothing", ["--sensor-loss-weight", "0"], 2, /--no-sensor/],
  ["a file for a run", ["--run", join(folder, "cache", "cache.json")], 1, /no folder/],
  ["a run's folder below a file", ["--run", join(folder, "cache", "cache.json", "x")], 1, /folder/],
  [
    "other settings of a run",
    ["--resume", join(folder, "whole"), "--lr", "0.01"],
    1,
    /learningRate.*leave other flags out/s,
  ],
  [
    "to go on from a checkpoint",
    ["--resume", join(folder, "whole", "best.json")],
    1,
    /--resume .*whole$/m,
  ],
  ["to go on from nothing", ["--resume", join(folder, "nothing")], 1, /not there/],
];

for (const [name, args, expected, message] of REFUSED) {
  Deno.test(`train:stage1 refuses ${name}`, async () => {
    const { code, stderr, stdout } = await run("train_stage1.ts", [...SMALL, ...args]);
    assert.match(stderr, message);
    assert.equal(code, expected, stderr);
    assert.equal(stdout, "");
  });
}

Deno.test("train:stage1 says that a first stage trains no vision-language model", async () => {
  const path = join(folder, "lora");
  const { code, stderr } = await run("train_stage1.ts", [
    ...[...SMALL, "--run", path, "--finetune_vl", "lora", "--epochs", "1"],
  ]);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /Stage 1 should use finetune-vl=none/);
});

Deno.test("train:stage1 --resume goes on with the flags that the run was made with", async () => {
  const path = join(folder, "whole");
  const { code, stderr, stdout } = await run("train_stage1.ts", [
    ...["--resume", path, "--epochs", "3", "--json"],
  ]);
  assert.equal(code, 0, stderr);
  const summary = JSON.parse(stdout);
  assert.equal(summary.seed, 6);
  assert.equal(summary.epochs, 3);
  assert.ok(summary.resumedFrom > 0);
  assert.match(stderr, /^run: .*whole, going on$/m);
  for (
    const place of [/trained 3 epochs, /, /engine ready in/, /realised share/, /against .* mm/]
  ) {
    assert.match(stderr, place);
  }
  const { flags, cache, data } = JSON.parse(Deno.readTextFileSync(join(path, "config.json"))).notes;
  assert.deepEqual([flags.seed, flags.epochs, flags.batchSize], [6, 3, 8]);
  assert.deepEqual([cache, data], [join(folder, "cache"), [join(folder, "episodes")]]);
});

Deno.test("train:stage1 --mode cache makes the features and trains nothing", async () => {
  const cache = join(folder, "made"), runs = join(folder, "none");
  const args = [...SMALL, "--cache", cache, "--mode", "cache", "--runs", runs, "--json"];
  const first = await run("train_stage1.ts", [...args, "--num-workers", "4"]);
  assert.equal(first.code, 0, first.stderr);
  assert.match(first.stderr, /1 warning:\n.*--num-workers has no effect/);
  const { planned, built } = JSON.parse(first.stdout);
  assert.ok(planned > 0 && built === planned, first.stdout);
  assert.equal(JSON.parse((await run("train_stage1.ts", args)).stdout).built, 0);
  assert.throws(() => Deno.statSync(runs), Deno.errors.NotFound);
});
