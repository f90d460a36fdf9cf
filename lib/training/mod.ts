/**
 * Training: losses become updates.
 *
 * @module
 */
export * from "./groups.ts";
export * from "./schedule.ts";
export * from "./step.ts";
export * from "./checkpoints.ts";
export * from "./data.ts";
export * from "./loader/mod.ts";
export * from "./settings.ts";
export * from "./job.ts";
export * from "./train.ts";
export * from "./training_state.ts";
export * from "./run/metrics_log.ts";
export * from "./run/event_file.ts";
export * from "./run/run_folder.ts";
export * from "./run/wandb_project.ts";
export * from "./run/wandb_run.ts";
export * from "./augment_pixels.ts";
export * from "./feature_tokens.ts";
export * from "./vision_statistics.ts";
export * from "./epoch_totals.ts";
export * from "./noise_validation.ts";
export * from "./validation.ts";
export type { VisionStatistics } from "../policies/trocar/normalisation.ts";
