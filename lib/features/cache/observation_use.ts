import type { EpisodePlan } from "./plan.ts";

/** What an action of an episode sees. */
export interface ObservationUse {
  /** The action, which is the step of the episode. */
  readonly step: number;
  /** The step at which the model looked. */
  readonly observed: number;
  /** How often the observation was used before: 0 to R − 1. */
  readonly reused: number;
  /** Key of the feature. */
  readonly key: string;
  /** `(V)` frame of each camera, −1 where there is none. */
  readonly frames: readonly number[];
  /** `(V)` age of each frame at the action's start, ms; NaN where there is none. */
  readonly agesMs: readonly number[];
}

/**
 * Which observation each action of an episode uses, how often it has been used, and which images are
 * behind it.
 *
 * @param plan of one episode, of `planFeatures`
 * @param reuse R, actions that share an observation, as in the plan; default 1
 * @returns a line for each action whose images can be read
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { observationUse } from "./mod.ts";
 *
 * const seen = { time: 0, frames: [7], ages: [0.05], images: ["7.jpg"], digests: ["ab"], key: "k" };
 * const episode = { segment: new Int32Array(2), actionTime: Float64Array.of(0, 0.1, 0.1, 0.2) };
 * const [first, second] = observationUse({ episode, observations: [{ ...seen, step: 0 }] }, 2);
 * assert.deepEqual([first!.reused, first!.agesMs], [0, [50]]);
 * assert.deepEqual([second!.observed, second!.reused, second!.frames], [0, 1, [7]]);
 * assert(Math.abs(second!.agesMs[0]! - 150) < 1e-9); // it is older by now
 * ```
 */
export function observationUse(
  { episode, observations }: {
    readonly episode: Pick<EpisodePlan["episode"], "segment" | "actionTime">;
    readonly observations: EpisodePlan["observations"];
  },
  reuse = 1,
): ObservationUse[] {
  const { segment, actionTime } = episode, uses: ObservationUse[] = [];
  let place = -1;
  for (let step = 0; step < segment.length; step++) {
    if (observations[place + 1]?.step === step) place++;
    const seen = observations[place];
    if (seen === undefined || segment[seen.step] !== segment[step]) continue;
    if (step - seen.step >= reuse) continue; // its own observation could not be planned
    const waited = actionTime[2 * step]! - seen.time;
    uses.push({
      step,
      observed: seen.step,
      reused: step - seen.step,
      key: seen.key,
      frames: seen.frames,
      agesMs: seen.ages.map((age) => (age + waited) * 1000),
    });
  }
  return uses;
}
