import type { EpisodeData } from "./_episode.ts";
import type { SampleTable } from "./sample_table.ts";

/** Values of one action: Δx Δy Δz in mm, Δa Δb Δr in degrees, gripper. */
export const ACTION_DIM = 7;

/**
 * Reads the chunk of one sample. Where the segment ends before the chunk does, the remaining steps
 * repeat the last action and their mask is 0; a loss must not count them.
 *
 * @param episode the episode of the sample
 * @param samples the table
 * @param index of the sample, 0 … S − 1
 * @param target `(H, 7)` is filled: mm, degrees
 * @param mask `(H,)` is filled: 1 for actions of the recording, 0 for padding
 * @returns how many actions are of the recording, 1 … H
 * @throws {RangeError} when the index is outside or a target has another length
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { readChunk, sampleTable } from "./mod.ts";
 *
 * const action = Float32Array.from({ length: 3 * 7 }, (_, i) => Math.floor(i / 7));
 * const episode = { action, segment: new Int32Array(3), actionTime: new Float64Array(6) };
 * const samples = sampleTable([episode], { horizon: 4 });
 * const chunk = new Float32Array(4 * 7), mask = new Uint8Array(4);
 * assert.equal(readChunk(episode, samples, 1, chunk, mask), 2);
 * assert.deepEqual([chunk[0], chunk[7], chunk[14], chunk[21]], [1, 2, 2, 2]);
 * assert.deepEqual([...mask], [1, 1, 0, 0]);
 * ```
 */
export function readChunk(
  episode: Pick<EpisodeData, "action">,
  samples: SampleTable,
  index: number,
  target: Float32Array,
  mask: Uint8Array,
): number {
  const { horizon } = samples;
  assertSample(samples, index);
  assertLength("actions", target, horizon * ACTION_DIM);
  assertLength("action mask", mask, horizon);
  const first = samples.action[index]!;
  const valid = Math.min(horizon, samples.segmentEnd[index]! - first);
  target.set(episode.action.subarray(first * ACTION_DIM, (first + valid) * ACTION_DIM));
  for (let step = valid; step < horizon; step++) {
    target.copyWithin(step * ACTION_DIM, (valid - 1) * ACTION_DIM, valid * ACTION_DIM);
  }
  mask.fill(1, 0, valid).fill(0, valid);
  return valid;
}

/** Refuses a sample that is not in the table. */
export function assertSample(samples: SampleTable, index: number): void {
  if (Number.isInteger(index) && index >= 0 && index < samples.length) return;
  throw new RangeError(
    `Cannot read a sample: its index must be an integer from 0 to ${samples.length - 1}, ` +
      `current value is ${index}.`,
  );
}

/** Refuses a caller's buffer of another size. */
export function assertLength(name: string, target: ArrayLike<unknown>, length: number): void {
  if (target.length === length) return;
  throw new RangeError(
    `Cannot read ${name}: the target must hold ${length} values, ` +
      `current value is ${target.length}.`,
  );
}
