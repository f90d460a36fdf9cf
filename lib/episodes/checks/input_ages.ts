import { countUpTo } from "../align.ts";
import type { Episode } from "../episode.ts";

/** What {@linkcode inputAges} reads of an episode. */
export type AgedEpisode = Pick<
  Episode,
  "actionTime" | "robotTime" | "images" | "imageIndex" | "imageAge" | "sensor"
>;

/** How old the newest inputs are at the start of each of N actions, ms; NaN where there is none. */
export interface InputAges {
  /** `(N,)` starts, s. */
  readonly time: Float64Array<ArrayBuffer>;
  /** `(N,)` of each view. */
  readonly views: readonly { readonly name: string; readonly ageMs: Float64Array<ArrayBuffer> }[];
  /** `(N,)` of the robot's newest row. */
  readonly robotMs: Float64Array<ArrayBuffer>;
  /** `(N,)` of the sensor's newest row; null without a sensor. */
  readonly sensorMs: Float64Array<ArrayBuffer> | null;
  /** `(N,)` time between the oldest and the newest of the views' images, where all views have one. */
  readonly spreadMs: Float64Array<ArrayBuffer>;
}

/**
 * How far apart in time images, robot and sensor are at each action, and the views among each other.
 *
 * @param episode an opened episode
 * @returns the ages; none is below 0, or the episode looks into the future
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { inputAges } from "./input_ages.ts";
 *
 * const ages = inputAges({
 *   actionTime: Float64Array.of(1, 1.1),
 *   robotTime: Float64Array.of(0.5, 1),
 *   images: ["View1", "View2"].map((view) => ({ view, time: Float64Array.of(0), file: String })),
 *   imageIndex: Int32Array.of(0, 0),
 *   imageAge: Float32Array.of(0.25, 0.125),
 *   sensor: null,
 * });
 * assert.deepEqual(ages.views.map(({ ageMs }) => ageMs[0]), [250, 125]);
 * assert.deepEqual([ages.robotMs[0], ages.spreadMs[0]], [0, 125]);
 * ```
 */
export function inputAges(episode: AgedEpisode): InputAges {
  const { actionTime, robotTime, images, imageAge, sensor } = episode;
  const count = actionTime.length / 2, width = images.length;
  const time = Float64Array.from({ length: count }, (_, k) => actionTime[2 * k]!);
  const ageIn = (stream: Float64Array) =>
    time.map((start) => {
      const newest = countUpTo(stream, start) - 1;
      return newest < 0 ? NaN : (start - stream[newest]!) * 1000;
    });
  const views = images.map(({ view }, v) => ({
    name: view,
    ageMs: time.map((_, k) => imageAge[k * width + v]! * 1000),
  }));
  const spreadMs = time.map((_, k) => {
    const ages = views.map(({ ageMs }) => ageMs[k]!);
    return ages.length === 0 ? NaN : Math.max(...ages) - Math.min(...ages);
  });
  return {
    time,
    views,
    robotMs: ageIn(robotTime),
    sensorMs: sensor === null ? null : ageIn(sensor.time),
    spreadMs,
  };
}

/** Which images the actions of an episode really use. */
export interface ImageUse {
  /** Name of the view. */
  readonly view: string;
  /** Images there are. */
  readonly images: number;
  /** Different images that actions use. */
  readonly used: number;
  /** `(N,)` image of each action, −1 for none. */
  readonly index: Int32Array<ArrayBuffer>;
  /**
   * Different images that the Python reference would use: it takes the robot's row as the number of
   * the image, and the last image beyond the end; 0 without images.
   */
  readonly usedByRow: number;
}

/**
 * Which image each action uses, beside what the Python reference would have used.
 *
 * @param episode an opened episode
 * @returns a line for each view; few `used` of many `images` is a frozen or wrongly counted camera
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { imageUse } from "./input_ages.ts";
 *
 * const [use] = imageUse({
 *   images: [{ view: "View1", time: Float64Array.of(0, 0.2, 0.4), file: String }],
 *   imageIndex: Int32Array.of(0, 1, 2),
 *   actionIndex: Int32Array.of(0, 10, 10, 20, 20, 30),
 * });
 * assert.deepEqual([use!.images, use!.used, use!.usedByRow], [3, 3, 2]);
 * ```
 */
export function imageUse(
  { images, imageIndex, actionIndex }: Pick<Episode, "images" | "imageIndex" | "actionIndex">,
): ImageUse[] {
  const width = images.length, count = actionIndex.length / 2;
  return images.map(({ view, time }, v) => {
    const index = Int32Array.from({ length: count }, (_, k) => imageIndex[k * width + v]!);
    const byRow = Array.from(
      { length: count },
      (_, k) => Math.min(actionIndex[2 * k]!, time.length - 1),
    );
    return {
      view,
      images: time.length,
      used: new Set(index.filter((image) => image >= 0)).size,
      index,
      usedByRow: time.length === 0 ? 0 : new Set(byRow).size,
    };
  });
}
