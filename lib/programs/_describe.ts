/** What a training says of itself while it runs. */
import { type CommandContext, formatDuration, formatTable } from "../cli/mod.ts";
import { plural } from "../episodes/_plural.ts";
import { countParameters, type PolicyConfig } from "../policies/mod.ts";
import type { TrainingData, TrainingOutcome } from "../training/mod.ts";
import { describeReuse } from "../datasets/mod.ts";
import type { FirstPolicy } from "./_first_policy.ts";
import type { RunEvaluation } from "./evaluate_run.ts";
import type { TrainingProgram } from "./program.ts";
import { type ResolvedTraining, sensorMilliseconds } from "./resolve.ts";

/** Samples, episodes and collections. */
export function describeData(
  { training, validation, groups }: TrainingData,
  { note }: CommandContext,
) {
  const sizes = (part: TrainingData["validation"]) =>
    part === null
      ? "nothing"
      : `${plural(part.dataset.length, "sample")} of ${
        plural(part.dataset.episodes.length, "episode")
      }`;
  note(`training on ${sizes(training)}, validating on ${sizes(validation)}`);
  const rows = groups.map(({ name, samples, weight, share }) => [
    ...[name, samples, weight, `${(100 * share).toFixed(1)} %`],
  ]);
  note(formatTable([["collection", "samples", "weight", "requested share"], ...rows]));
}

/** The policy and its trained parameters. */
export function describePolicy(config: PolicyConfig, name: string): string {
  const { sensorEncoder, actionExpert, total } = countParameters(config);
  const count = (value: number) => value.toLocaleString("en");
  return `policy: preset ${name}, architecture ${config.architecture}, ${config.family}, fusion ` +
    `${config.fusion}; sensor encoder ${count(sensorEncoder)}, action expert ` +
    `${count(actionExpert)}, trained ${count(total)} parameters`;
}

/** What the policy is shown, in the units of people. */
export function describeInputs(
  program: TrainingProgram,
  { config, source }: FirstPolicy,
  { vision }: ResolvedTraining,
  note: (text: string) => void,
): void {
  const { sensorEncoder, family, actionExpert } = config;
  if (source !== null) note(`begins with the policy of ${source.path}`);
  if (sensorEncoder !== null) {
    const rows = sensorEncoder.temporalLength;
    note(`sensor window: ${rows} rows, ${Number(sensorMilliseconds(rows).toFixed(1))} ms`);
  }
  if (family === "diffusion") note(`noise schedule: ${actionExpert.timesteps} steps`);
  if (program.visionReuse > 1 || vision.visionReuse > 1) {
    const { visionReuse: reuse, visionLatencyMs: late } = vision;
    note(
      `visual features serve ${reuse} actions (${
        describeReuse(reuse)
      }); in the simulator they come ` +
        `${late} ms late`,
    );
  }
}

/** How long the training was, and how long it took. */
export function describeTraining(
  { state, resumedFrom, stopped }: TrainingOutcome,
  time: string,
): string {
  const { epoch, globalStep } = state;
  const now = resumedFrom === null ? "" : `, ${globalStep - resumedFrom} of them now,`;
  return `trained ${plural(epoch, "epoch")}, ${plural(globalStep, "step")}${now} in ${time}` +
    (stopped === "early" ? "; stopped early, since the validation got no better" : "");
}

/** How often the collections were drawn. */
export function describeShares({ shares }: TrainingOutcome, { note }: CommandContext): void {
  const percent = (value: number) => `${(100 * value).toFixed(1)} %`;
  const rows = shares.map(({ name, drawn, requested, realised }) => [
    ...[name, drawn, percent(requested), percent(realised)],
  ]);
  const head = ["collection", "drawn in the first epoch", "requested share", "realised share"];
  note(formatTable([head, ...rows]));
}

/** How long the evaluation took. */
export function describeEvaluation(
  { openLoop, closedLoop }: RunEvaluation,
  seconds: number,
): string {
  const inserting = closedLoop.reduce((sum, report) => sum + report.seconds.total, 0);
  const insertions = closedLoop.length === 0
    ? ""
    : `, ${closedLoop.reduce((sum, report) => sum + report.episodes, 0)} insertions in ${
      formatDuration(inserting)
    }`;
  return `evaluated ${plural(openLoop?.windows ?? 0, "window")} in ` +
    formatDuration(Math.max(0, seconds - inserting)) + insertions;
}

/** What `--z-chunk gt` did to the policy. */
export function shownTheAnswer({ openLoop }: RunEvaluation): string {
  const isStill = openLoop !== null &&
    Math.abs(openLoop.model.rmse / openLoop.baselines.zero.rmse - 1) <= 0.1;
  return "--z-chunk gt: in training the policy was shown the answer it should give, as in the " +
    "Python reference. " +
    (isStill
      ? "It learnt to add nothing to it, and without it does not move."
      : "Without it the policy does other things than in training: trust only these errors.");
}
