import type { PolicyConfig } from "../policies/config.ts";
import { configDifferences, policyName } from "./_config.ts";
import { type InferredPolicy } from "./infer.ts";
import { isMatch, matchPolicy } from "./match.ts";
import type { OpenCheckpoint } from "./open.ts";

/** More settings are counted only. */
const SHOWN = 4;

/**
 * What a checkpoint that does not fit looks like instead, as a sentence; undefined when it looks like
 * nothing known.
 */
export function likeness(
  expected: PolicyConfig,
  checkpoint: OpenCheckpoint,
  inferred: InferredPolicy | null,
): string | undefined {
  if (inferred === null || !isMatch(matchPolicy(inferred.config, checkpoint.tensors))) {
    return undefined;
  }
  const name = policyName(inferred.config);
  if (name !== policyName(expected)) return `It looks like ${name}.`;
  const differences = configDifferences(expected, inferred.config)
    .filter((text) => !inferred.assumed.some((setting) => text.startsWith(`${setting}:`)));
  if (differences.length === 0) return undefined;
  const more = differences.length > SHOWN ? ", …" : "";
  return `It looks like ${name} of other sizes (expected, found): ${
    differences.slice(0, SHOWN).join("; ")
  }${more}.`;
}

/** What to do about a checkpoint that does not fit, and looks like something known or not. */
export function advice(checkpoint: OpenCheckpoint, like?: string): string {
  const has = (part: string) =>
    [...checkpoint.tensors.keys()].some((key) => key.startsWith(`${part}.`));
  const [hasSensor, hasExpert] = [has("sensor_encoder"), has("action_expert")];
  if (!hasSensor && !hasExpert) {
    return checkpoint.ignored.length > 0
      ? "It holds a visual-language model only: name the file with sensor_encoder and action_expert."
      : "It holds neither sensor_encoder nor action_expert: name a checkpoint of a policy.";
  }
  if (!hasExpert) {
    return "It holds no action_expert: name the checkpoint that stage 1 wrote, with both parts.";
  }
  if (!hasSensor) {
    return "It holds no sensor_encoder: name a checkpoint of training with the sensor, or ask for " +
      "fusion none.";
  }
  if (like === undefined) {
    return "It is no whole policy: save it again where it was trained, or name another checkpoint.";
  }
  return "Ask for the family, fusion and sizes that it was trained with, or name another checkpoint.";
}
