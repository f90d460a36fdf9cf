import type { EpisodeData } from "./_episode.ts";
import { cameraOfView } from "./image_choice.ts";

/** What {@linkcode withoutInputs} takes away. */
export interface HiddenInputs {
  /** Force and A-line. @default {false} */
  readonly sensor?: boolean;
  /** Cameras, see `cameraOfView`. @default {none} */
  readonly views?: readonly string[];
}

/**
 * An episode as it would be if some of its inputs had never delivered anything, to see what a policy makes of them. A policy
 * that was trained with them is then asked what it has never seen: it shows what the policy relies on,
 * not how good one without them would be, which takes another training.
 *
 * @param episode an open episode; it stays as it is
 * @param hidden what is taken away
 * @returns the same episode without these; its files are the other's, which stays to be closed
 * @throws {RangeError} when the episode has no such camera
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { withoutInputs } from "./without_inputs.ts";
 *
 * const camera = (view: string) => ({ view, time: Float64Array.of(0), file: () => `${view}.jpg` });
 * const episode = { path: "one", images: [camera("View1_left"), camera("View5")], sensor: null };
 * const { images } = withoutInputs(episode, { views: ["View1"] });
 * assert.deepEqual(images.map(({ time }) => time.length), [0, 1]); // it never delivered
 * ```
 */
export function withoutInputs<T extends Pick<EpisodeData, "path" | "images" | "sensor">>(
  episode: T,
  { sensor = false, views = [] }: HiddenInputs,
): T {
  const found = episode.images.map(({ view }) => cameraOfView(view));
  const unknown = views.find((view) => !found.includes(view));
  if (unknown !== undefined) {
    throw new RangeError(
      `Cannot hide ${unknown} of ${episode.path}: it must be one of its cameras, current value is ` +
        `${found.join(", ") || "no camera"}.`,
    );
  }
  const nothing = new Float64Array(0);
  return {
    ...episode,
    images: episode.images.map((camera, i) =>
      views.includes(found[i]!) ? { ...camera, time: nothing } : camera
    ),
    ...(sensor ? { sensor: null } : {}),
  };
}
