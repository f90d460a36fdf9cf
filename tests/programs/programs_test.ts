/** All training programs on small recordings, as their users call them; some of them killed on the way. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { openCheckpoint } from "../../lib/checkpoints/mod.ts";
import { readMetrics } from "../../lib/training/mod.ts";
import { end, finalTensors, logged, run, start } from "./_command.ts";
import { smallData } from "./_small_data.ts";

/** Kills of each program; by hand with more, and of all programs. */
const KILLS = Number(Deno.env.get("TROCAR_KILLS") ?? 1);
/** The others' states are parts of these programs', or of `train_stage1_test.ts`. */
const KILLED = ["train_diffusion", "train_async", "train_diffusion_stage2"];
const { folder, flags } = await smallData();
const SMALL = [...flags, "--batch-size", "4", "--grad-accum-steps", "2", "--seed", "6"];
const FIRST = join(folder, "train_stage1"), NOISE = join(folder, "train_diffusion");

interface Program {
  readonly script: string;
  readonly args: readonly string[];
  readonly expected: Readonly<Record<string, unknown>>;
}

// In this order: later ones begin with the policies of earlier ones.
const PROGRAMS: readonly Program[] = [
  {
    script: "train_stage1",
    args: ["--wandb"],
    expected: { program: "train:stage1", stage: "stage1", family: "regression", fusion: "concat" },
  },
  {
    script: "train_diffusion",
    args: ["--sensor-window-size", "65", "--ema", "0.9", "--export-pt"],
    expected: { program: "train:diffusion", stage: "stage1", family: "diffusion" },
  },
  {
    script: "train_async",
    args: ["--vlm-reuse-count", "3", "--fusion-strategy", "gated"],
    expected: { program: "train:async", stage: "stage1", fusion: "gated" },
  },
  {
    script: "train_encoder_action",
    args: ["--architecture", "reference", "--ema", "0.9"],
    expected: { program: "train:encoder-action", architecture: "reference" },
  },
  {
    script: "train_no_sensor",
    args: ["--architecture", "reference"],
    expected: { program: "train:no-sensor", family: "no-sensor", fusion: "none" },
  },
  {
    script: "train_stage2",
    args: ["--stage1-checkpoint", FIRST, "--finetune-vl", "none"],
    expected: { program: "train:stage2", stage: "stage2", family: "regression" },
  },
  {
    script: "train_diffusion_stage2",
    args: ["--stage1-checkpoint", NOISE, "--finetune-vl", "none"],
    expected: { program: "train:diffusion:stage2", stage: "stage2", family: "diffusion" },
  },
];

for (const { script, args, expected } of PROGRAMS) {
  const all = [...SMALL, "--epochs", "2", ...args];
  const whole = join(folder, script);

  Deno.test(`${expected.program} trains, judges and says what it did`, async () => {
    const { code, stdout, stderr } = await run(`${script}.ts`, [
      ...[...all, "--run", whole, "--json"],
    ]);
    assert.equal(code, 0, stderr);
    const summary = JSON.parse(stdout);
    for (const [name, value] of Object.entries(expected)) {
      assert.equal(summary[name], value, name);
    }
    assert.equal(summary.epochs, 2);
    assert.ok(Number.isFinite(summary.val.loss), "a validation loss");
    assert.ok(Number.isFinite(summary.val.rmse), "an error of actions");
    assert.ok(summary.baselines.holdLast.rmse > 0, "a baseline");
    for (const name of ["latest", "best", "final"]) {
      using checkpoint = openCheckpoint(whole, { which: name as "latest" });
      assert.equal(checkpoint.program, expected.program);
      assert.equal(checkpoint.trainingStage, expected.stage ?? "stage1");
    }
  });

  if (KILLS < 2 && !KILLED.includes(script)) continue;
  Deno.test(`${expected.program}, killed, goes on to the same policy, bit for bit`, async () => {
    const path = join(folder, `${script}-killed`);
    const lines = readMetrics(join(whole, "metrics.jsonl")).length;
    let kills = 0, late = 0;
    for (let k = 1; k <= KILLS; k++) {
      const child = start(`${script}.ts`, [...all, "--run", path]);
      await logged(join(path, "metrics.jsonl"), Math.ceil(lines * k / (KILLS + 1)), child);
      // Some way into a step, or into the writing of a checkpoint.
      await new Promise((resolve) => setTimeout(resolve, (k * 7919) % 150));
      try {
        child.kill("SIGKILL");
      } catch {
        // It was over already: its end says why.
      }
      const { code, stderr } = await end(child);
      assert.ok(code === 137 || code === 0, stderr);
      if (code === 137) kills++;
      else if (kills > 0 || ++late > 5) break;
      else {
        // Nothing was killed, as it happens on a busy machine: from the beginning.
        Deno.removeSync(path, { recursive: true });
        k--;
      }
    }
    const { code, stderr } = await run(`${script}.ts`, [...all, "--run", path]);
    const isOver = /its run is finished/.test(stderr);
    assert.ok(code === 0 || isOver, stderr);
    assert.ok(kills > 0, "it was over before the first kill");
    assert.deepEqual(finalTensors(path), finalTensors(whole));
    assert.deepEqual(
      readMetrics(join(path, "metrics.jsonl")),
      readMetrics(join(whole, "metrics.jsonl")),
    );
  });
}

Deno.test("--export-pt writes the names of the Python programs", () => {
  const names = [...Deno.readDirSync(join(NOISE, "export"))].map(({ name }) => name).sort();
  for (
    const name of [
      ...["diffusion_epoch2.pt", "diffusion_stage1_best.pt", "diffusion_stage1_latest.pt"],
    ]
  ) {
    assert.ok(names.includes(name), `${name} in ${names}`);
  }
  using exported = openCheckpoint(join(NOISE, "export", "diffusion_epoch2.pt"));
  assert.deepEqual([exported.epoch, exported.trainingStage], [2, "stage1"]);
});

Deno.test("a second stage begins with the policy of the first, and leaves it as it is", async () => {
  const before = finalTensors(FIRST);
  const path = join(folder, "frozen");
  const { code, stderr } = await run("train_stage2.ts", [
    ...[...SMALL, "--epochs", "1", "--run", path, "--stage1-checkpoint", FIRST],
    ...["--finetune-vl", "none", "--lr", "0", "--sensor-lr", "0", "--min-lr", "0"],
  ]);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /begins with the policy of .*train_stage1/);
  assert.match(stderr, /is no better than what it began with/);
  using first = openCheckpoint(FIRST, { which: "best" });
  using second = openCheckpoint(path, { which: "final" });
  for (const [key, tensor] of first.tensors) {
    assert.deepEqual(second.tensors.get(key)!.read().data, tensor.read().data, key);
  }
  assert.deepEqual(finalTensors(FIRST), before);
});

Deno.test("a dry run says what a training would do, and writes nothing", async () => {
  const runs = join(folder, "none");
  const { code, stdout, stderr } = await run("train_async.ts", [
    ...[...SMALL, "--epochs", "5", "--runs", runs, "--dry-run", "--json"],
  ]);
  assert.equal(code, 0, stderr);
  const { steps, seconds, bytes, parameters, effectiveBatch, visionReuse } = JSON.parse(stdout);
  assert.equal(steps.total, 5 * steps.epoch);
  assert.equal(effectiveBatch, 8);
  assert.equal(visionReuse, 3);
  assert.ok(seconds.total > 0 && bytes.peak > 1e8 && parameters.total > 1e6, stdout);
  assert.match(stderr, /No run was written/);
  assert.throws(() => Deno.statSync(runs), Deno.errors.NotFound);
});

Deno.test("without validation episodes nothing is judged, and the summary says so", async () => {
  const path = join(folder, "unjudged");
  const { code, stdout, stderr } = await run("train_no_sensor.ts", [
    ...[...SMALL, "--epochs", "1", "--val-split", "0", "--run", path, "--json"],
  ]);
  assert.equal(code, 0, stderr);
  const { val, checkpoints, data, beatsBaselines } = JSON.parse(stdout);
  assert.deepEqual([val.loss, val.rmse, beatsBaselines], [null, null, null]);
  assert.equal(checkpoints.best, null);
  assert.equal(data.samples.val, 0);
});

Deno.test("a second stage takes the sizes of the first, and needs it no more once it goes on", async () => {
  const first = join(folder, "train_encoder_action"), path = join(folder, "second");
  const args = [...SMALL, "--stage1-checkpoint", first, "--finetune-vl", "none", "--epochs", "1"];
  const { code, stdout, stderr } = await run("train_stage2.ts", [...args, "--run", path, "--json"]);
  assert.equal(code, 0, stderr);
  const { architecture, beginsWith } = JSON.parse(stdout);
  assert.equal(architecture, "reference");
  assert.ok(beginsWith.path.startsWith(first), beginsWith.path);
  Deno.renameSync(first, `${first}-gone`);
  const longer = await run("train_stage2.ts", ["--resume", path, "--epochs", "2", "--json"]);
  assert.equal(longer.code, 0, longer.stderr);
  assert.equal(JSON.parse(longer.stdout).epochs, 2);
});

Deno.test("a run cannot be made shorter, and stays finished", async () => {
  const { code, stderr } = await run("train_stage1.ts", ["--resume", FIRST, "--epochs", "1"]);
  assert.equal(code, 1, stderr);
  assert.match(stderr, /at least the 2 that are done, current value is 1/);
  assert.ok(Deno.statSync(join(FIRST, "summary.json")).isFile, "summary.json is there");
});

const REFUSED: readonly [string, string, string[], number, RegExp][] = [
  [
    "stage 2 without a first",
    "train_stage2",
    [],
    2,
    /Stage 2 training requires --stage1-checkpoint/,
  ],
  [
    "a diffusion stage 2 without a first",
    "train_diffusion_stage2",
    ["--training-stage", "stage2"],
    2,
    /Stage 2 training requires --stage1-checkpoint/,
  ],
  [
    "to train a model behind pixels",
    "train_stage2",
    ["--stage1-checkpoint", FIRST],
    1,
    /no model to train.*--finetune-vl none/s,
  ],
  [
    "the policy of another family",
    "train_stage2",
    ["--stage1-checkpoint", NOISE, "--finetune-vl", "none"],
    1,
    /family regression.*diffusion/s,
  ],
  [
    "a policy of stage 2 as a first",
    "train_stage2",
    ["--stage1-checkpoint", join(folder, "train_stage2"), "--finetune-vl", "none"],
    1,
    /of a first stage.*stage 2/s,
  ],
  [
    "other sizes than the first stage's",
    "train_stage2",
    ["--stage1-checkpoint", FIRST, "--finetune-vl", "none", "--horizon", "4"],
    1,
    /horizon: 4, 8.*Leave --horizon out/s,
  ],
  [
    "to train a model through cached features",
    "train_async",
    ["--finetune-vl", "lora"],
    2,
    /cached features/,
  ],
  [
    "a model slower than its turns",
    "train_async",
    ["--vlm-reuse-count", "3", "--vlm-latency-ms", "381"],
    2,
    /every 4 ticks.*Use 4/s,
  ],
  ["a flag of another program", "train_no_sensor", ["--sensor-lr", "0.1"], 2, /unknown/i],
  [
    "early stopping without validation",
    "train_async",
    [
      ...["--val-split", "0", "--early-stop-patience", "3"],
    ],
    2,
    /validated/,
  ],
  ["half a pair of betas", "train_diffusion", ["--betas", "0.9"], 2, /two numbers/],
];

for (const [name, script, args, expected, message] of REFUSED) {
  Deno.test(`${script} refuses ${name}`, async () => {
    const { code, stderr, stdout } = await run(`${script}.ts`, [...SMALL, ...args]);
    assert.match(stderr, message);
    assert.equal(code, expected, stderr);
    assert.equal(stdout, "");
  });
}
