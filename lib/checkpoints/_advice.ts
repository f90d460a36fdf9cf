import type { PolicyConfig } from "../policies/config.ts";
import { configDifferences, policyName } from "./_config.ts";
import { type InferredPolicy } from "./infer.ts";
import { isMatch, matchPolicy } from "./match.ts";
import type { MatchReport } from "./match.ts";
import type { OpenCheckpoint } from "./open.ts";
import { SAVE_STATE } from "./_torch.ts";

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
  return `It looks like ${name} of other sizes (expected, found): ${differences.join("; ")}.`;
}

/** Keys that one part of a policy has when it is saved without the part's name. */
const BARE: readonly [part: string, keys: RegExp][] = [
  ["action_expert", /^(output_head\.[13]|delta_head\.3)\.weight$/],
  ["sensor_encoder", /^(conv_backbone\.0|force_stem)\.weight$/],
];

/** What {@linkcode advice} knows beside the checkpoint. */
export interface AdviceOptions {
  /** What it looks like instead. */
  readonly like?: string | undefined;
  /** How it fits. */
  readonly report?: Pick<MatchReport, "missing" | "unexpected" | "mismatched" | "wrongDtype">;
}

/** What to do about a checkpoint that does not fit, and looks like something known or not. */
export function advice(
  checkpoint: Pick<OpenCheckpoint, "tensors" | "ignored">,
  { like, report }: AdviceOptions = {},
): string {
  const keys = [...checkpoint.tensors.keys()];
  const [bare] = BARE.find(([, pattern]) => keys.some((key) => pattern.test(key))) ?? [];
  if (bare !== undefined) {
    return `It looks like ${
      bare === "action_expert" ? "an" : "a"
    } ${bare} without its prefix: save it with its name, in Python:\n` +
      `  torch.save({"${bare}": state, …}, "policy.pt")`;
  }
  const has = (part: string) => keys.some((key) => key.startsWith(`${part}.`));
  const [hasSensor, hasExpert] = [has("sensor_encoder"), has("action_expert")];
  if (!hasSensor && !hasExpert) {
    return checkpoint.ignored.length > 0
      ? "It holds a visual-language model only: name the file with sensor_encoder and action_expert."
      : "It holds neither sensor_encoder nor action_expert: name a checkpoint of a policy.";
  }
  if (!hasExpert) {
    return "It holds no action_expert: name the checkpoint that stage 1 wrote, with both parts.";
  }
  const needsSensor = report?.missing.some((key) => key.startsWith("sensor_encoder.")) ?? true;
  if (!hasSensor && needsSensor) {
    return "It holds no sensor_encoder: name a checkpoint of training with the sensor, or ask for " +
      "fusion none.";
  }
  if (report?.unexpected.length && isMatch({ ...report, loaded: 1, unexpected: [] })) {
    return "It holds more than the policy: remove what is unexpected, in Python " +
      `(del state[${
        JSON.stringify(report.unexpected[0])
      }]), or save it again where it was trained.`;
  }
  const others = report && [report.missing, report.unexpected, report.mismatched].flat();
  if (report?.wrongDtype.some(({ found }) => found === "float64") && others?.length === 0) {
    return "Policies are float32: model.float() before saving, in Python. " + SAVE_STATE;
  }
  if (like === undefined) {
    return "It is no whole policy: save it again where it was trained, or name another checkpoint.";
  }
  return "Ask for the family, fusion and sizes that it was trained with, or name another checkpoint.";
}
