import { countUpTo } from "../episodes/align.ts";
import { assertSample } from "./chunk.ts";
import type { SampleTable } from "./sample_table.ts";
import { assertReuse } from "./vision_reuse.ts";

/**
 * The newest frame of a camera at a time: by time, never by counting, because cameras, robot and
 * actions run at different rates.
 *
 * @param times `(F,)` of the frames, non-decreasing, s
 * @param t the newest time that may be seen, s
 * @returns the frame with the greatest time ≤ t (the last of equal ones), −1 if there is none yet
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { newestImage } from "./image_choice.ts";
 *
 * const times = Float64Array.of(1000, 1000.2, 1000.4);
 * assert.deepEqual([999, 1000.2, 1000.39, 1007].map((t) => newestImage(times, t)), [-1, 1, 1, 2]);
 * ```
 */
export function newestImage(times: Float64Array, t: number): number {
  return countUpTo(times, t) - 1;
}

/**
 * The action at whose start a sample's images are taken when one observation serves several starts.
 * With m actions since the start of the segment, and a model that answers `delay` actions after it
 * looked, it is the start floor((m − delay) / reuse) · reuse of the segment, or the segment's first: a
 * slow vision-language model is run at these only, and a sample never sees another trajectory, nor its
 * own future.
 *
 * How old a sample's observation is follows from its place in the segment alone, so that all ages from
 * `delay` to `delay` + `reuse` − 1 are learnt from equally often, wherever in a trajectory things
 * happen, and the features that a cache must hold are known in advance.
 *
 * @param samples the table
 * @param index of the sample, 0 … S − 1
 * @param reuse R, consecutive starts that share an observation; 1 gives each its own
 * @param delay actions from looking to the first use; default 0
 * @returns the action, at most `delay` + R − 1 before the sample's own and in the same segment
 * @throws {RangeError} when the index is outside, `reuse` is not a positive integer, or `delay` not a
 * whole number
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { observationAction, sampleTable } from "./mod.ts";
 *
 * const samples = sampleTable([{
 *   segment: Int32Array.of(0, 0, 0, 0, 1, 1),
 *   actionTime: new Float64Array(12),
 * }]);
 * const at = (delay: number) =>
 *   [0, 1, 2, 3, 4, 5].map((i) => observationAction(samples, i, 3, delay));
 * assert.deepEqual(at(0), [0, 0, 0, 3, 4, 4]);
 * assert.deepEqual(at(1), [0, 0, 0, 0, 4, 4]); // what was seen at 3 is not there until 4
 * ```
 */
export function observationAction(
  samples: SampleTable,
  index: number,
  reuse: number,
  delay: number = 0,
): number {
  assertSample(samples, index);
  assertReuse(reuse);
  if (!(Number.isSafeInteger(delay) && delay >= 0)) {
    throw new RangeError(
      `Cannot choose an observation: delay must be a whole number, current value is ${delay}.`,
    );
  }
  const start = samples.segmentStart[index]!;
  const known = Math.max(0, samples.action[index]! - start - delay);
  return start + known - known % reuse;
}

/**
 * The camera behind a view's name, so that data sets of different layouts share columns: some name the
 * left eye `View1_left`, others, which record no right eye, `View1`.
 *
 * @param view name of the view in an episode
 * @returns `View1` for `View1_left`; every other name, such as `View1_right`, as it is
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { cameraOfView } from "./mod.ts";
 *
 * assert.deepEqual(["View1_left", "View1_right", "View5"].map(cameraOfView), [
 *   "View1",
 *   "View1_right",
 *   "View5",
 * ]);
 * ```
 */
export function cameraOfView(view: string): string {
  return view.replace(/_left$/, "");
}
