/** Trainings that are interrupted at awkward moments, or have nothing more to learn from. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { setImmediate } from "node:timers";
import { POINTER_NAMES, pointerPath } from "../../lib/checkpoints/mod.ts";
import { startEngine, tf } from "../../lib/engine/mod.ts";
import { isThere } from "../../lib/formats/_partial_file.ts";
import { runResult as result } from "./_run_result.ts";
import { prepare, smallRun } from "./_small_run.ts";
import { temporaryFolder } from "../_temporary.ts";

await startEngine({ engine: "wasm", quiet: true });
const folder = temporaryFolder();
await prepare(folder);

for (
  const [name, settings, found] of [
    [
      "no steps but the first change anything",
      { epochs: 1 },
      /[1-9]\d* of \d+ steps skipped in epoch 1/,
    ],
    ["no step of an epoch changes anything", { epochs: 4 }, /steps skipped in epoch [12]/],
    [
      "parameters are not finite",
      { epochs: 4, learningRate: 1e39 },
      /after step \d+ .* with values/,
    ],
  ] as const
) {
  Deno.test(`train refuses to go on where ${name}, and saves nothing of it`, async () => {
    const path = join(folder, name), isLong = settings.epochs > 1;
    await assert.rejects(
      smallRun(folder, name, {
        sensorless: true,
        unvalidated: isLong,
        settings: { learningRate: 1e30, ...settings },
      }),
      (error: Error) =>
        error instanceof RangeError && /^Cannot go on training: /.test(error.message) &&
        found.test(error.message),
    );
    const pointers = POINTER_NAMES.filter((pointer) => isThere(pointerPath(path, pointer)));
    assert.ok(!pointers.includes("final") && !pointers.includes("best"), `${pointers}`);
  });
}

Deno.test("train warns of steps that changed nothing, and goes on", async () => {
  const warnings: string[] = [];
  const { stopped } = await smallRun(folder, "some skipped", {
    ...{ sensorless: true, settings: { epochs: 1 } },
    augment: ({ vision, ...batch }, random) => {
      const isBroken = random.normal([], "broken").greater(0.5);
      return { ...batch, vision: tf.where(isBroken, vision.mul(NaN), vision) };
    },
    onWarning: (text) => warnings.push(text),
  });
  assert.equal(stopped, null);
  assert.match(warnings.join(), /changed nothing, because loss or gradient were not finite/);
});

Deno.test("train of fewer epochs than a run has is over at once", async () => {
  const more = { sensorless: true } as const;
  const first = await smallRun(folder, "long", { ...more, settings: { epochs: 2 } });
  const again = await smallRun(folder, "long", { ...more, settings: { epochs: 1 } });
  assert.equal(again.stopped, null);
  assert.deepEqual(again.state, first.state);
});

const short = { sensorless: true, settings: { epochs: 1, accumulation: 4 } } as const;
const straight = await smallRun(folder, "straight", short);

Deno.test("train stops between two batches of a step, and goes on bit for bit", async () => {
  const controller = new AbortController();
  const first = await smallRun(folder, "within a step", {
    ...{ ...short, signal: controller.signal },
    // The loop goes on in the same round of the event loop, the next step hears it in the one after.
    onStep: ({ state }) =>
      state.globalStep === 2 && setImmediate(() => setImmediate(() => controller.abort())),
  });
  assert.deepEqual([first.stopped, first.state.globalStep], ["interrupted", 2]);
  const again = await smallRun(folder, "within a step", short);
  assert.equal(again.resumedFrom, 2);
  assert.deepEqual(result(again.run), result(straight.run));
});

Deno.test("train interrupted in a validation does it again, and reports its epoch once", async () => {
  const { globalStep: steps } = straight.state, controller = new AbortController();
  const first = await smallRun(folder, "within a validation", {
    ...{ ...short, signal: controller.signal },
    onStep: ({ state }) => state.globalStep === steps && controller.abort(),
  });
  assert.deepEqual([first.state.epoch, first.state.globalStep], [0, steps]);
  assert.equal(first.stopped, "interrupted");
  // As if killed after the epoch's line was written, before its checkpoint was.
  const lines = Deno.readTextFileSync(join(straight.run, "metrics.jsonl")).split("\n");
  const line = lines.find((text) => text.includes("train/loss_epoch"))!;
  Deno.writeTextFileSync(join(first.run, "metrics.jsonl"), `${line}\n`, { append: true });
  const again = await smallRun(folder, "within a validation", short);
  assert.equal(again.resumedFrom, steps);
  assert.deepEqual(result(again.run), result(straight.run));
});
