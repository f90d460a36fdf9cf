/** Ground truth as recordings keep it. */
import type { PhantomEpisode } from "./episode.ts";
import { PHANTOM_VIEWS } from "./scene.ts";

/**
 * The ground truth of an episode under the names that recordings use.
 *
 * @param episode the episode
 * @returns a record for JSON: `clock_offset_s` and `clock_drift` per clock, `lost_frames` per view,
 * `lost_rows`, `t_dec`, `t_contact`, `t_pun`, `t_stop` in seconds since the start, `disturbances` as
 * intervals, `h` in mm, `target` in mm, `scene_seed`
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { simulateEpisode, truthRecord } from "./mod.ts";
 *
 * const truth = truthRecord(simulateEpisode({ seed: 9000 }));
 * assert.deepEqual(JSON.parse(JSON.stringify(truth)), truth);
 * ```
 */
export function truthRecord(episode: PhantomEpisode): Record<string, unknown> {
  const { truth, seed } = episode;
  return {
    clock_offset_s: { ...truth.clockOffset },
    clock_drift: { ...truth.clockDrift },
    lost_frames: Object.fromEntries(
      truth.lostFrames.map((frames, view) => [PHANTOM_VIEWS[view]!, [...frames]]),
    ),
    lost_rows: [...truth.lostRows],
    t_dec: truth.tDec,
    t_contact: truth.tContact,
    t_pun: truth.tPun,
    t_stop: truth.tStop,
    disturbances: truth.disturbances.map((interval) => [...interval]),
    h: truth.h,
    target: [...truth.target],
    scene_seed: seed,
  };
}
