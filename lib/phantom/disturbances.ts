/** Pushes that move the robot off the expert's path, so that recordings show recoveries. */
import type { Vector3 } from "../robot/_geometry.ts";
import { Stream } from "./_stream.ts";

/** Seconds that a push lasts. */
export const PUSH_SECONDS = 0.2;

/** One push. */
export interface Push {
  /** Seconds after the episode's start. */
  readonly time: number;
  /** Displacement along the insertion axis, mm. */
  readonly axial: number;
  /** Displacement along the two axes of the plate, mm. */
  readonly lateral: readonly [x: number, y: number];
  /** Change of a, b, r, degrees. */
  readonly rotation: Vector3;
}

/**
 * The pushes of an episode.
 *
 * @param seed seed of the episode, uint32
 * @returns pushes in time order, over at least 12 s, longer than any episode
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { samplePushes } from "./mod.ts";
 *
 * assert.equal(samplePushes(9000).length, 7);
 * ```
 */
export function samplePushes(seed: number): Push[] {
  const stream = new Stream(seed, 3);
  const pushes: Push[] = [];
  for (let time = 0.4; time < 12; time += PUSH_SECONDS) {
    time += stream.uniform(1.1, 1.9);
    const axial = stream.uniform(-0.6, 0.6);
    const x = stream.uniform(-1.6, 1.6), y = stream.uniform(-1.6, 1.6), share = stream.unit();
    const [a, b, r] = stream.uniforms(-0.4, 0.4, 3) as [number, number, number];
    pushes.push({ time, axial, lateral: [share * x, share * y], rotation: [a, b, r] });
  }
  return pushes;
}
