import { join } from "node:path";
import { CHECKPOINT_CONVERSIONS } from "../checkpoints/convert/mod.ts";
import {
  diffusionEpochName,
  exportName,
  openCheckpoint,
  POINTER_NAMES,
  pointerPath,
} from "../checkpoints/mod.ts";
import type { CommandContext } from "../cli/mod.ts";
import { isThere } from "../formats/_partial_file.ts";
import type { RunFolder } from "../training/mod.ts";
import type { TrainingProgram } from "./program.ts";

/**
 * Writes a run's checkpoints as `.pt` files into its folder `export`, with the Python reference's names;
 * of diffusion also under the name of its epoch.
 *
 * @param program that trained
 * @param run its folder
 * @param context of the command
 * @returns paths of the files
 */
export async function exportPt(
  program: TrainingProgram,
  run: RunFolder,
  { progress, signal }: CommandContext,
): Promise<string[]> {
  const folder = run.file("export");
  Deno.mkdirSync(folder, { recursive: true });
  const made: string[] = [];
  for (const pointer of POINTER_NAMES.filter((name) => isThere(pointerPath(run.path, name)))) {
    using checkpoint = openCheckpoint(run.path, { which: pointer });
    const names = [exportName(program.checkpoints, pointer)];
    if (program.checkpoints === "diffusion" && checkpoint.epoch !== null) {
      names.push(diffusionEpochName(checkpoint.epoch));
    }
    for (const name of names) {
      const output = join(folder, name);
      if (made.includes(output)) continue;
      progress.update(`export of ${name}`);
      const request = { input: checkpoint.path, output, overwrite: true, signal };
      await CHECKPOINT_CONVERSIONS.find((each) => each.claims(request))!.run(request);
      made.push(output);
    }
  }
  progress.clear();
  return made;
}
