/** Members of the `.pt` files that are written and read here, beside those of the Python reference. */

/** Parts of a policy, each a state dictionary of its own. */
export const PARTS = ["sensor_encoder", "action_expert"] as const;
/** Averaged parameters. */
export const EMA = "ema_state_dict";
/** Texts, and the members of a `checkpoint.json` that they are. */
export const TEXTS = [
  ["split_digest", "splitDigest"],
  ["statistics_digest", "statisticsDigest"],
] as const;

/** Every member that has a meaning; others are kept as they are. */
export const WRITTEN: ReadonlySet<string> = new Set([
  ...PARTS,
  ...["model_state_dict", "optimizer_state_dict", "scheduler_state_dict", EMA],
  ...["program", "training_stage", "epoch", "epoch_base", "global_step", "consumed_samples"],
  ...["loss", "val_loss", "best_val_loss", "best_epoch"],
  ...["config", "assumed", "action_representation", "features", "sampler", "rng"],
  ...TEXTS.map(([key]) => key),
]);

/** Whether a member is a text. */
export function isText(key: string): boolean {
  return /^(program|training_stage)$|_digest$/.test(key);
}
