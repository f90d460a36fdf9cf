import assert from "node:assert/strict";
import { join } from "node:path";
import { RunLog } from "../../lib/training/_run_log.ts";
import { readMetrics, RunFolder } from "../../lib/training/mod.ts";
import { temporaryFolder } from "../_temporary.ts";

Deno.test("a run that begins again at step 0 tells TensorBoard its first validation again, and metrics once", () => {
  const path = join(temporaryFolder(), "run");
  for (let session = 0; session < 2; session++) {
    using run = RunFolder.open(path, { program: "test", settings: {}, notes: {} });
    using log = new RunLog(run, 0, null);
    log.start(0.5);
  }
  const losses = readMetrics(join(path, "metrics.jsonl")).map((record) => record["val/loss_epoch"]);
  assert.deepEqual(losses, [0.5]);
  const events = [...Deno.readDirSync(path)].map(({ name }) => name)
    .filter((name) => name.startsWith("events.out.tfevents.")).sort();
  assert.equal(events.length, 2);
  for (const name of events) {
    // Each session begins with SessionLog {status: START}, which forgets what was told of step 0.
    const text = new TextDecoder("latin1").decode(Deno.readFileSync(join(path, name)));
    assert.equal(text.split("val/loss_epoch").length, 2, name);
  }
});
