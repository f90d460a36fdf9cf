import type { PointerName } from "./pointer.ts";

/** Names of a training program's files, without extension. */
export type CheckpointNames = Readonly<Record<PointerName, string>>;

/**
 * What the programs of the Python reference call their checkpoints: the names of `.pt` exports.
 *
 * Source: the reference's training guides. Its second stage overwrote files of the first; stages have
 * names of their own here.
 */
export const CHECKPOINT_NAMES: Readonly<Record<string, CheckpointNames>> = {
  "stage1": names("qwen_vla_sensor"),
  "stage2": names("qwen_vla_sensor_stage2"),
  "encoder-action": names("encoder_action"),
  "async": names("qwen_vla_async"),
  "diffusion": names("diffusion_stage1", "diffusion_stage1_latest"),
  "diffusion-stage2": names("diffusion_stage2", "diffusion_stage2_latest"),
  "no-sensor": names("qwen_vla"),
};

function names(stem: string, latest = stem): CheckpointNames {
  return { latest, best: `${stem}_best`, final: `${stem}_final` };
}

/**
 * The name of a `.pt` export, as the reference calls it.
 *
 * @param program one of {@linkcode CHECKPOINT_NAMES}
 * @param which the checkpoint
 * @returns the file's name; `diffusionEpochName` names those of single epochs
 * @throws {RangeError} when the program is unknown
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { exportName } from "./mod.ts";
 *
 * assert.equal(exportName("stage1", "best"), "qwen_vla_sensor_best.pt");
 * assert.equal(exportName("diffusion", "latest"), "diffusion_stage1_latest.pt");
 * ```
 */
export function exportName(program: string, which: PointerName): string {
  if (!Object.hasOwn(CHECKPOINT_NAMES, program)) {
    throw new RangeError(
      `Cannot name an export: the program should be one of ` +
        `${Object.keys(CHECKPOINT_NAMES).join(", ")}, current value is ${JSON.stringify(program)}.`,
    );
  }
  return `${CHECKPOINT_NAMES[program]![which]}.pt`;
}

/**
 * The name of the `.pt` export of one epoch of a diffusion policy.
 *
 * @param epoch completed epochs, from 1
 * @returns the file's name
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { diffusionEpochName } from "./mod.ts";
 *
 * assert.equal(diffusionEpochName(20), "diffusion_epoch20.pt");
 * ```
 */
export function diffusionEpochName(epoch: number): string {
  return `diffusion_epoch${epoch}.pt`;
}
