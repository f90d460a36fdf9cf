import assert from "node:assert/strict";
import { join } from "node:path";
import { POINTER_NAMES, pointerPath } from "../../lib/checkpoints/mod.ts";
import { startEngine } from "../../lib/engine/mod.ts";
import { isThere } from "../../lib/formats/_partial_file.ts";
import { readMetrics, type StepReport } from "../../lib/training/mod.ts";
import { prepare, smallRun } from "./_small_run.ts";
import { temporaryFolder } from "../_temporary.ts";

await startEngine({ engine: "wasm", quiet: true });
const folder = temporaryFolder();
await prepare(folder);

const small = { sensorless: true, settings: { epochs: 2 } } as const;
const recordsOf = (run: string) => {
  const all = readMetrics(join(run, "metrics.jsonl"));
  return {
    steps: all.filter((record) => "train/loss_step" in record),
    epochs: all.filter((record) => "train/loss_epoch" in record),
  };
};

const STEP = [
  ...["global_step", "epoch", "train/loss_step", "train/lr", "train/grad_norm"],
  ...["train/sensor_samples", "train/nonsensor_samples"],
];
const EPOCH = [
  ...[
    "global_step",
    "epoch",
    "train/loss_epoch",
    "val/loss_epoch",
    "val/best_loss",
    "val/best_epoch",
  ],
  ...["train/epoch_sensor_samples", "train/epoch_nonsensor_samples", "train/sensor_ratio"],
  ...["train/epoch_skipped_steps", "params/trainable_M", "params/frozen_M", "params/frozen_ratio"],
  ...["lr/base_lr", "lr/expert.decay", "lr/expert.no_decay"],
];

Deno.test("train of a regression reports the reference's names, and those only", async () => {
  const { run } = await smallRun(folder, "regression", small);
  const { steps, epochs } = recordsOf(run);
  assert.equal(epochs.length, 2);
  for (const record of steps) assert.deepEqual(new Set(Object.keys(record)), new Set(STEP));
  for (const record of epochs) assert.deepEqual(new Set(Object.keys(record)), new Set(EPOCH));
});

Deno.test("train of a diffusion policy also reports noise loss, diffusion steps and aliases", async () => {
  const reports: StepReport[] = [];
  const { run } = await smallRun(folder, "diffusion", {
    ...{ ...small, family: "diffusion", settings: { epochs: 2, loss: "mse" } },
    onStep: ({ report }) => reports.push(report),
  });
  const { steps, epochs } = recordsOf(run);
  const more = ["train/loss", "train/noise_loss", "train/diffusion_t", "train/epoch", "train/step"];
  const moreOfEpoch = [
    ...[
      "val/loss",
      "val/noise_loss",
      "val/epoch",
      "epoch/avg_loss",
      "epoch/train_loss",
      "epoch/val_loss",
    ],
    ...["epoch/sensor_samples", "epoch/nonsensor_samples"],
  ];
  steps.forEach((record, i) => {
    assert.deepEqual(new Set(Object.keys(record)), new Set([...STEP, ...more]));
    assert.equal(record["train/loss"], record["train/loss_step"]);
    const { stepHistogram, samples, steps: total } = reports[i]!.sums;
    assert.equal(stepHistogram!.reduce((sum, count) => sum + count, 0), samples![0]);
    assert.equal(record["train/diffusion_t"], total![0]! / samples![0]!);
    assert.ok(Number(record["train/diffusion_t"]) > 0 && Number(record["train/diffusion_t"]) < 99);
    assert.ok(Number(record["train/noise_loss"]) > 0);
  });
  for (const record of epochs) {
    assert.deepEqual(new Set(Object.keys(record)), new Set([...EPOCH, ...moreOfEpoch]));
    assert.equal(record["val/loss"], record["val/loss_epoch"]);
    const noiseLoss = Number(record["val/noise_loss"]); // of noise of variance 1
    assert.ok(noiseLoss > 0.1 && noiseLoss < 3, `${noiseLoss}`);
    assert.notEqual(noiseLoss, record["val/loss"]);
  }
});

Deno.test("train reports how long images have served where several actions share one", async () => {
  const { run } = await smallRun(folder, "reuse", { ...small, visionReuse: 3 });
  const values = recordsOf(run).steps.map((record) => Number(record["train/vl_reuse_counter"]));
  assert.ok(values.every((value) => value >= 0 && value <= 2) && values.some((value) => value > 0));
});

Deno.test("train without validation has no best checkpoint, and null is what was not measured", async () => {
  const { run, state } = await smallRun(folder, "unvalidated", { ...small, unvalidated: true });
  assert.deepEqual([state.validationLoss, state.bestEpoch], [null, null]);
  assert.deepEqual(
    POINTER_NAMES.filter((name) => isThere(pointerPath(run, name))).toSorted(),
    ["final", "latest"],
  );
  for (const record of recordsOf(run).epochs) assert.equal(record["val/loss_epoch"], null);
  await assert.rejects(
    smallRun(folder, "impatient", {
      ...{ ...small, unvalidated: true, settings: { earlyStopPatience: 2 } },
    }),
    /Cannot stop early: there must be validation episodes, current value is none with a patience of 2/,
  );
});

Deno.test("train tells a validation that gave no number from one that was not there", async () => {
  await assert.rejects(smallRun(folder, "exploded", {
    ...small,
    settings: { epochs: 1, learningRate: 1e30 },
  }));
  const { epochs } = recordsOf(join(folder, "exploded"));
  assert.match(String(epochs[0]!["val/loss_epoch"]), /^(NaN|Infinity)$/);
});
