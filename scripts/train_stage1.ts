/**
 * `deno task train:stage1`: from recordings to a policy that inserts.
 *
 * @module
 */
import { runCommand } from "../lib/cli/mod.ts";
import { STAGE1_FLAGS, TRAINING_ALIASES } from "../lib/programs/flags.ts";
import { trainStage1 } from "../lib/programs/train_stage1.ts";

if (import.meta.main) {
  await runCommand({
    name: "train:stage1",
    summary: "Trains sensor encoder and action expert on cached visual-language features.",
    details:
      `Without --data it makes simulated recordings, preprocesses them, computes their features,
trains, evaluates and lets the policy insert in the simulator; a second call finds all but the
training done. With --data it trains on your episodes, whose features must be in the cache:
  deno task preprocess --data recordings --output episodes
  deno task cache:build --data episodes
  deno task train:stage1 --data episodes
The same command again goes on with an unfinished run of the same settings, and ends with the same
policy bit for bit. Ctrl-C writes a checkpoint first. Everything is in the run's folder: config.json,
metrics.jsonl, TensorBoard events, split.json, checkpoints, summary.json, report.html.`,
    flags: STAGE1_FLAGS,
    aliases: TRAINING_ALIASES,
    run: trainStage1,
  });
}
