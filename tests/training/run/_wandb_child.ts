/** Logs rows of a run as a training does, as fast as it can, from the last "checkpoint" on. */
import { join } from "node:path";
import { writeFileAtomic } from "../../../lib/formats/atomic_write.ts";
import { MetricsLog } from "../../../lib/training/run/metrics_log.ts";
import { WandbRun } from "../../../lib/training/run/wandb_run.ts";

const run = Deno.args[0]!, checkpoint = join(run, "checkpoint.txt");
const from = (() => {
  try {
    return Number(Deno.readTextFileSync(checkpoint));
  } catch {
    return 0;
  }
})();
using metrics = MetricsLog.open(join(run, "metrics.jsonl"), { upToStep: from });
using wandb = WandbRun.open(run, { project: "test", config: { pid: Deno.pid } });
for (let step = from + 1; step <= from + 2000; step++) {
  const record = { global_step: step, "train/loss_step": 1 / step, by: Deno.pid };
  metrics.append(record);
  wandb.log(record);
  if (step % 70 > 0) continue;
  writeFileAtomic(checkpoint, String(step));
  console.log(step);
}
wandb.finish();
