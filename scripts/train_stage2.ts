/**
 * `deno task train:stage2`: see `--help`.
 *
 * @module
 */
import { runCommand } from "../lib/cli/mod.ts";
import { STAGE2 } from "../lib/programs/programs.ts";
import { trainingCommand } from "../lib/programs/training_command.ts";

if (import.meta.main) await runCommand(trainingCommand(STAGE2));
