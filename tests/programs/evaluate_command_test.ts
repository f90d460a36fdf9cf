/** evaluate, simulate and predict on runs of train:stage1, as their users call them. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { run } from "./_command.ts";
import { ENGINE, smallData } from "./_small_data.ts";

const { folder, flags } = await smallData();
const RUN = join(folder, "run");
const trained = await run("train_stage1.ts", [
  ...[...flags, "--run", RUN, "--epochs", "2", "--batch-size", "8", "--seed", "6"],
  ...["--sensor-window-size", "650", "--horizon", "4"],
]);
assert.equal(trained.code, 0, trained.stderr);

const CONFIG = join(RUN, "config.json");
const config = JSON.parse(Deno.readTextFileSync(CONFIG));
function noting(notes: Record<string, unknown>) {
  const all = { ...config, notes: { ...config.notes, ...notes } };
  Deno.writeTextFileSync(CONFIG, JSON.stringify(all));
}

Deno.test("evaluate --run finds episodes and features where the run had them", async () => {
  const { code, stdout, stderr } = await run("evaluate.ts", ["--run", RUN, "--json", ...ENGINE]);
  assert.equal(code, 0, stderr);
  const { windows, horizon, model, about } = JSON.parse(stdout);
  assert.ok(windows > 0, "windows");
  assert.equal(horizon, 4);
  const summary = JSON.parse(Deno.readTextFileSync(join(RUN, "summary.json")));
  assert.equal(model.rmse, summary.val.rmse);
  assert.equal(about.checkpoint, summary.checkpoints.final);
  assert.match(stderr, /checkpoint: .*step-/);
});

Deno.test("evaluate --checkpoint takes the checkpoint that it names", async () => {
  const pointer = join(RUN, "best.json");
  const { code, stdout, stderr } = await run("evaluate.ts", [
    ...["--checkpoint", pointer, "--data", join(folder, "episodes"), "--json", ...ENGINE],
  ]);
  assert.equal(code, 0, stderr);
  const { about, warnings } = JSON.parse(stdout);
  const { checkpoint } = JSON.parse(Deno.readTextFileSync(pointer));
  assert.equal(about.checkpoint, join(RUN, checkpoint));
  assert.ok(warnings.some((text: string) => /trained the policy and are left out/.test(text)));
});

Deno.test("evaluate --run says which data of the run are gone", async () => {
  for (
    const [notes, message] of [
      [{ cache: join(folder, "gone") }, /the features .* in .*gone, .*--cache DIR/],
      [{ data: [join(folder, "gone")] }, /the episodes .* in .*gone, .*--data ROOT/],
    ] as const
  ) {
    noting(notes);
    const { code, stderr } = await run("evaluate.ts", ["--run", RUN, ...ENGINE]);
    noting({});
    assert.equal(code, 1, stderr);
    assert.match(stderr, message);
  }
});

Deno.test("simulate tries policies of any window and horizon, beside what needs no training", async () => {
  const { code, stdout, stderr } = await run("simulate.ts", [
    ...["--run", RUN, "--episodes", "2", "--replan-ms", "800,200", "--json", ...ENGINE],
  ]);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /--replan-ms 800 is taken as 400: a plan has 4 actions/);
  const { episodes, settings, baselines } = JSON.parse(stdout);
  assert.equal(episodes, 2);
  assert.deepEqual(settings.map(({ queries }: { queries: number }) => queries), [25, 50]);
  assert.deepEqual(Object.keys(baselines), ["expert", "hold", "zero"]);
  assert.deepEqual([baselines.expert.successRate, baselines.zero.successRate], [1, 0]);
});

Deno.test("predict shows a chunk beside what was recorded", async () => {
  const [name] = [...Deno.readDirSync(join(folder, "episodes"))].map(({ name }) => name);
  const { code, stdout, stderr } = await run("predict.ts", [
    ...["--run", RUN, "--episode", join(folder, "episodes", name!), "--json"],
  ]);
  assert.equal(code, 0, stderr);
  const { predicted, recorded } = JSON.parse(stdout);
  assert.deepEqual([predicted.length, predicted[0].length, recorded.length], [4, 7, 4]);
});
