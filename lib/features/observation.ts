import type { EpisodeData } from "../datasets/_episode.ts";
import { cameraOfView, newestImage } from "../datasets/image_choice.ts";

/** What a policy sees at the start of an action. */
export interface Observation {
  /** The action, which is the step of the episode. */
  readonly step: number;
  /** Its start, s, on the episode's clock. */
  readonly time: number;
  /** `(V)` frame of each camera: the newest at or before the time; −1 where there is none. */
  readonly frames: readonly number[];
  /** `(V)` s from the frame to the time; NaN where there is none. */
  readonly ages: readonly number[];
  /** `(V)` path of the image; null where there is none. */
  readonly images: readonly (string | null)[];
}

/** How observations are chosen. */
export interface ObservationOptions {
  /** Consecutive action starts that share an observation, R; default 1. */
  readonly reuse?: number;
  /** A frame older than this counts as none, s; default 2. */
  readonly maxAge?: number;
}

/** Frames older than this are none, s: the slowest cameras of the field's recordings give 1 Hz. */
export const MAX_IMAGE_AGE = 2;

/**
 * The observations of an episode: one for every R-th action start of each segment, with the newest
 * frame of each camera at or before it, chosen by time. They are those that `observationAction` asks for.
 *
 * @param episode an open episode
 * @param views cameras, see `cameraOfView`
 * @param options reuse and greatest age
 * @returns observations, by step
 * @throws {RangeError} when `reuse` is not a positive integer or `maxAge` is not positive
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { observations } from "./mod.ts";
 *
 * const episode = {
 *   actionTime: Float64Array.of(0, 0.1, 0.1, 0.2, 0.2, 0.3, 0.3, 0.4),
 *   segment: Int32Array.of(0, 0, 0, 1),
 *   images: [{ view: "View1_left", time: Float64Array.of(0.05, 0.25), file: (k: number) => `${k}.jpg` }],
 * };
 * const found = observations(episode, ["View1"], { reuse: 2 });
 * assert.deepEqual(found.map(({ step, images }) => [step, images[0]]), [
 *   [0, null], // the frame of 0.05 s is in the future
 *   [2, "0.jpg"],
 *   [3, "1.jpg"],
 * ]);
 * ```
 */
export function observations(
  { actionTime, segment, images }: Pick<EpisodeData, "actionTime" | "segment" | "images">,
  views: readonly string[],
  options: ObservationOptions = {},
): Observation[] {
  const { reuse = 1, maxAge = MAX_IMAGE_AGE } = options;
  if (!(Number.isSafeInteger(reuse) && reuse > 0)) refuse("reuse", "a positive integer", reuse);
  if (!(maxAge > 0 && Number.isFinite(maxAge))) {
    refuse("maxAge", "positive and finite, in seconds", maxAge);
  }
  const cameras = views.map((view) => images.find((camera) => cameraOfView(camera.view) === view));
  const found: Observation[] = [];
  for (let step = 0, start = 0; step < segment.length; step++) {
    if (segment[step] !== segment[start]) start = step;
    if ((step - start) % reuse !== 0) continue;
    const time = actionTime[2 * step]!;
    const frames = cameras.map((camera) => {
      const frame = camera === undefined ? -1 : newestImage(camera.time, time);
      return frame >= 0 && time - camera!.time[frame]! <= maxAge ? frame : -1;
    });
    found.push({
      step,
      time,
      frames,
      ages: frames.map((frame, v) => frame < 0 ? NaN : time - cameras[v]!.time[frame]!),
      images: frames.map((frame, v) => frame < 0 ? null : cameras[v]!.file(frame)),
    });
  }
  return found;
}

function refuse(name: string, expected: string, value: number): never {
  throw new RangeError(
    `Cannot choose observations: ${name} should be ${expected}, current value is ${value}.`,
  );
}
