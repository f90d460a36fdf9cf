import { assertRange, checkSharding, type SampleOrder, type Sharding } from "./sample_order.ts";

/**
 * Every sample once per epoch, in order, for validation: rank r takes r, r + ranks, …, so that no
 * sample is counted twice and the lengths of the ranks differ by at most one.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { SequentialOrder } from "./mod.ts";
 *
 * const order = new SequentialOrder(10, { ranks: 4, rank: 1 });
 * const samples = new Int32Array(order.length);
 * order.read(0, 0, samples);
 * assert.deepEqual([...samples], [1, 5, 9]);
 * ```
 */
export class SequentialOrder implements SampleOrder {
  /** Samples of this rank. */
  readonly length: number;
  readonly #ranks: number;
  readonly #rank: number;

  /**
   * Orders samples.
   *
   * @param samples number of samples, all ranks together
   * @param sharding which of how many processes this one is
   * @throws {RangeError} when a number is out of range
   */
  constructor(samples: number, sharding: Sharding = {}) {
    const { ranks, rank } = checkSharding(sharding);
    if (!(Number.isSafeInteger(samples) && samples >= 0)) {
      throw new RangeError(
        `Cannot order samples: their number should be a whole number, current value is ${samples}.`,
      );
    }
    this.length = Math.max(0, Math.ceil((samples - rank) / ranks));
    this.#ranks = ranks;
    this.#rank = rank;
  }

  /**
   * Names samples; all epochs are alike.
   *
   * @param epoch 0, 1, …
   * @param position of the first one, in this rank's epoch
   * @param target filled with the numbers of the samples from there on
   * @throws {RangeError} when they go beyond the epoch
   */
  read(epoch: number, position: number, target: Int32Array): void {
    assertRange(this.length, epoch, position, target);
    for (let i = 0; i < target.length; i++) {
      target[i] = this.#rank + (position + i) * this.#ranks;
    }
  }
}
