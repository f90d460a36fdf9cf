/** Folders of runs as trainings leave them, without training. */
import { join } from "node:path";
import { MetricsLog } from "../../lib/training/run/metrics_log.ts";
import { RunFolder } from "../../lib/training/run/run_folder.ts";
import { temporaryFolder } from "../_temporary.ts";

/** What a run is made of. */
export interface MadeRun {
  readonly seed?: number;
  readonly fusion?: string;
  /** Complete epochs of three steps, of 4. */
  readonly epochs?: number;
  /** Steps of the epoch in progress. */
  readonly steps?: number;
  /** RMSE of a finished run. */
  readonly rmse?: number;
  readonly successRate?: number;
}

/** Makes a run; without `rmse` it is unfinished. */
export function makeRun(
  path: string,
  { seed = 1, fusion = "concat", epochs = 4, steps = 0, rmse, successRate = 1 }: MadeRun = {},
): string {
  const settings = { policy: { family: "regression", fusion }, training: { seed, epochs: 4 } };
  const config = { program: "train:stage1", settings, notes: { preset: "tiny", data: [path] } };
  using run = RunFolder.open(path, config);
  {
    using metrics = MetricsLog.open(run.file("metrics.jsonl"));
    for (let step = 1; step <= 3 * epochs + steps; step++) {
      const epoch = Math.ceil(step / 3);
      metrics.append({ global_step: step, epoch, "train/loss_step": seed / step });
      if (step % 3 > 0) continue;
      const loss = { "train/loss_epoch": seed / step, "val/loss_epoch": 2 * seed / step };
      metrics.append({ global_step: step, epoch, ...loss });
    }
  }
  if (rmse !== undefined) {
    run.finish({
      ...{ program: "train:stage1", stage: "stage1", family: "regression", fusion, preset: "tiny" },
      ...{ seed, steps: 3 * epochs, epochs, seconds: { total: 75 }, val: { loss: 0.5, rmse } },
      baselines: { zero: { rmse: 0.5 }, mean: { rmse: 0.4 }, holdLast: { rmse: 0.2 } },
      closedLoop: [{ replanMs: 800, episodes: 40, successRate, failures: {} }],
    });
  }
  return path;
}

/** A folder with runs of all states but one in progress. */
export function makeRuns(): string {
  const runs = temporaryFolder();
  makeRun(join(runs, "a-finished"), { seed: 1, rmse: 0.1, successRate: 0.925 });
  makeRun(join(runs, "b-better"), { seed: 2, rmse: 0.05, fusion: "gated", successRate: 0.5 });
  makeRun(join(runs, "c-unfinished"), { seed: 10, epochs: 2, steps: 1 });
  return runs;
}
