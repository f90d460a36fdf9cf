/**
 * `deno task train:encoder-action`: see `--help`.
 *
 * @module
 */
import { runCommand } from "../lib/cli/mod.ts";
import { ENCODER_ACTION } from "../lib/programs/programs.ts";
import { trainingCommand } from "../lib/programs/training_command.ts";

if (import.meta.main) await runCommand(trainingCommand(ENCODER_ACTION));
