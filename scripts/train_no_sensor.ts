/**
 * `deno task train:no-sensor`: see `--help`.
 *
 * @module
 */
import { runCommand } from "../lib/cli/mod.ts";
import { NO_SENSOR } from "../lib/programs/programs.ts";
import { trainingCommand } from "../lib/programs/training_command.ts";

if (import.meta.main) await runCommand(trainingCommand(NO_SENSOR));
