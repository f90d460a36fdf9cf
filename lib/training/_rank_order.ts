import type { SampleOrder, Sharding } from "../datasets/mod.ts";
import { assertRange } from "../datasets/sampling/sample_order.ts";

/**
 * The part of an order that one of several processes takes, such that their steps are those of one
 * process: a step is a run of consecutive samples, and rank r takes the r-th part of each.
 */
export class RankOrder implements SampleOrder {
  readonly length: number;
  readonly #whole: SampleOrder;
  readonly #part: number;
  readonly #sharding: Required<Sharding>;

  /**
   * @param whole order of all ranks; a whole number of steps long
   * @param part samples of a step that each rank takes
   * @param sharding which of how many ranks this one is
   */
  constructor(whole: SampleOrder, part: number, sharding: Required<Sharding>) {
    this.length = whole.length / sharding.ranks;
    this.#whole = whole;
    this.#part = part;
    this.#sharding = sharding;
  }

  read(epoch: number, position: number, target: Int32Array): void {
    assertRange(this.length, epoch, position, target);
    const part = this.#part, { ranks, rank } = this.#sharding;
    for (let done = 0; done < target.length;) {
      const step = Math.floor((position + done) / part), at = (position + done) % part;
      const count = Math.min(part - at, target.length - done);
      const from = (step * ranks + rank) * part + at;
      this.#whole.read(epoch, from, target.subarray(done, done + count));
      done += count;
    }
  }
}
