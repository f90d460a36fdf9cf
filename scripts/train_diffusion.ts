/**
 * `deno task train:diffusion`: see `--help`.
 *
 * @module
 */
import { runCommand } from "../lib/cli/mod.ts";
import { DIFFUSION_STAGE1 } from "../lib/programs/programs.ts";
import { trainingCommand } from "../lib/programs/training_command.ts";

if (import.meta.main) await runCommand(trainingCommand(DIFFUSION_STAGE1));
