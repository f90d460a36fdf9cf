import assert from "node:assert/strict";
import { join } from "node:path";
import { startLoss, startPointer, withoutGain } from "../../lib/programs/stage2_start.ts";
import { temporaryFolder } from "../_temporary.ts";

Deno.test("a training begins with the best checkpoint of a run, whatever its final one is", () => {
  const run = temporaryFolder();
  assert.equal(startPointer(run), "latest");
  Deno.writeTextFileSync(join(run, "final.json"), "");
  assert.equal(startPointer(run), "final");
  Deno.writeTextFileSync(join(run, "best.json"), "");
  assert.equal(startPointer(run), "best");
});

Deno.test("what a run began with is known from its metrics, where it was validated", () => {
  const run = temporaryFolder();
  const write = (...lines: unknown[]) =>
    Deno.writeTextFileSync(
      join(run, "metrics.jsonl"),
      lines.map((line) => `${JSON.stringify(line)}\n`).join(""),
    );
  const first = { global_step: 1, epoch: 1, "val/loss_epoch": 0.25 };
  write(first);
  assert.equal(startLoss(run), null);
  write({ global_step: 0, epoch: 0, "val/loss_epoch": 0.5 }, first);
  assert.equal(startLoss(run), 0.5);
});

Deno.test("a training without gain says so, and whether an epoch had some", () => {
  const best = { loss: 0.4, epoch: 2 };
  assert.equal(withoutGain(0.5, 0.45, best), null);
  assert.equal(withoutGain(null, 0.45, best), null);
  assert.equal(withoutGain(0.5, null, { loss: null, epoch: null }), null);
  assert.match(withoutGain(0.42, 0.45, best)!, /0\.450000 after 0\.420000.* epoch 2 is, with 0\.4/);
  assert.match(withoutGain(0.4, 0.4, best)!, /not after any epoch/);
});
