import { flatSettings, type RunConfig } from "./run_config.ts";
import type { WandbConfig } from "./_wandb_records.ts";

/**
 * The project of a program's runs, as the Python programs name it.
 *
 * @param program e.g. `train:stage1`
 * @returns its name
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { wandbProject } from "./wandb_project.ts";
 *
 * assert.equal(wandbProject("train:stage1"), "QwenVLA-Sensor");
 * ```
 */
export function wandbProject(program: string): string {
  return PROJECTS.get(program) ?? "trocar";
}

const PROJECTS: ReadonlyMap<string, string> = new Map([
  ["train:stage1", "QwenVLA-Sensor"],
  ["train:stage2", "QwenVLA-Sensor"],
  ["train:diffusion", "QwenVLA-Diffusion"],
  ["train:diffusion:stage2", "QwenVLA-Diffusion"],
  ["train:async", "QwenVLA-Async"],
  ["train:encoder-action", "QwenVLA-EncoderAction"],
  ["train:no-sensor", "QwenVLA"],
]);

/** Names that the Python programs give to settings, by ours. */
const NAMES = {
  lr: "training.learningRate",
  epochs: "training.epochs",
  scheduler: "training.scheduleOn",
  sensor_loss_weight: "training.sensorLossWeight",
  vlm_reuse_count: "vision.visionReuse",
} as const;

/**
 * Settings of a run as Weights & Biases shows them: all of them by their own names, and those that the
 * Python programs record by theirs too.
 *
 * @param config of the run
 * @returns names and values
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { wandbConfig } from "./wandb_project.ts";
 *
 * const settings = { training: { learningRate: 1e-4 }, policy: { sensorEncoder: null } };
 * const { lr, sensor_enabled, training } = wandbConfig({ program: "x", settings, notes: {} });
 * assert.deepEqual([lr, sensor_enabled, training], [1e-4, false, { learningRate: 1e-4 }]);
 * ```
 */
export function wandbConfig({ program, settings, notes }: RunConfig): WandbConfig {
  const flat = flatSettings(settings);
  const known = Object.entries(NAMES).flatMap(([name, ours]) => {
    const value = flat.get(ours);
    return value === undefined ? [] : [[name, value] as const];
  });
  const number = (name: string) => Number(flat.get(`training.${name}`));
  const accumulation = number("effectiveBatch") / number("batchSize") /
    Number(notes.processes ?? 1);
  return {
    program,
    ...Object.fromEntries(known),
    ...(Number.isFinite(accumulation) ? { grad_accum_steps: accumulation } : {}),
    ...(flat.get("policy.family") === "diffusion"
      ? { diffusion_timesteps: flat.get("policy.actionExpert.timesteps") ?? null }
      : {}),
    sensor_enabled: flat.get("policy.sensorEncoder") !== null,
    ...settings,
  };
}
