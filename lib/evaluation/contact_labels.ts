import type { EpisodeDataset } from "../datasets/episode_dataset.ts";
import { detectPuncture } from "../episodes/checks/force.ts";
import { SENSOR_DIM } from "../datasets/window.ts";

/** Rows that are read at once. */
const BLOCK = 256;
/** A smaller share of the force's variance than this is no step. */
const LEAST_EXPLAINED = 0.3;

/** Which samples lie after the needle met something. */
export interface ContactLabels {
  /** `(S,)` 1 from the onset of force on, 0 before, −1 where nobody knows. */
  readonly labels: Int8Array<ArrayBuffer>;
  /** Of each episode the onset, s on its clock; null where there is no step of force. */
  readonly onset: readonly (number | null)[];
}

/**
 * Labels samples by what the needle felt: 1 from the moment at which the force changes for good. A
 * label by the place in the episode would only teach a probe to tell the time.
 *
 * @param dataset samples of episodes with a sensor
 * @returns labels, and the onset of each episode
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { EpisodeDataset } from "../datasets/mod.ts";
 * import { contactLabels } from "./contact_labels.ts";
 *
 * const time = Float64Array.from({ length: 100 }, (_, row) => row / 100);
 * const episode = {
 *   path: "/data/red/one",
 *   manifest: { name: "one", task: "red", instruction: "" },
 *   robotTime: Float64Array.of(0, 0.5, 0.9),
 *   robotState: new Float32Array(3 * 12),
 *   action: new Float32Array(2 * 7),
 *   actionTime: Float64Array.of(0, 0.5, 0.5, 0.9),
 *   segment: new Int32Array(2),
 *   images: [],
 *   sensor: {
 *     time,
 *     rows: 100,
 *     readRowsInto: (start: number, rows: Float32Array) => {
 *       for (let i = 0; i < rows.length; i++) {
 *         rows[i] = start + Math.floor(i / 1026) < 40 ? 2.4 : 3; // raw force
 *       }
 *     },
 *   },
 * };
 * const { labels, onset } = contactLabels(new EpisodeDataset([episode]));
 * assert.deepEqual([[...labels], onset], [[0, 1], [0.4]]);
 * ```
 */
export function contactLabels(dataset: EpisodeDataset): ContactLabels {
  const onset = dataset.episodes.map(({ sensor }) => {
    if (sensor === null) return null;
    const force = new Float32Array(sensor.rows), block = new Float32Array(BLOCK * SENSOR_DIM);
    for (let start = 0; start < sensor.rows; start += BLOCK) {
      const count = Math.min(BLOCK, sensor.rows - start);
      const rows = block.subarray(0, count * SENSOR_DIM);
      sensor.readRowsInto(start, rows);
      for (let row = 0; row < count; row++) force[start + row] = rows[row * SENSOR_DIM]!;
    }
    const { byChangePoint, explained } = detectPuncture(sensor.time, force);
    return explained < LEAST_EXPLAINED ? null : byChangePoint;
  });
  const labels = Int8Array.from({ length: dataset.length }, (_, sample) => {
    const time = onset[dataset.samples.episode[sample]!]!;
    return time === null ? -1 : dataset.time(sample) >= time ? 1 : 0;
  });
  return { labels, onset };
}
